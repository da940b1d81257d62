"""What takes the frames of one stream: a file, or bytes for a reader.

A push output (``Mp4Writer``) is done when ``finish`` returns. A pull output (``FragmentedMp4``,
``Mjpeg``) also has ``pieces()``, the bytes for one reader in a thread of its own, with a bounded
buffer between the two.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple, Protocol

from app_core.errors import Cancelled, afresh

if TYPE_CHECKING:
    from app_core.types import Frame


class Format(NamedTuple):
    """What all frames of a stream have in common."""

    width: int
    """Pixels, even, as is the height."""
    height: int
    fps: int
    """Frames a second."""
    sample_rate: int
    """Samples of sound a second."""


class Output(Protocol):
    """Takes one stream, once, from one thread; ``abort`` may come from any other."""

    def start(self, format: Format) -> None:
        """Before the first frame. Raises FfmpegFailed or Busy, and leaves nothing then."""

    def write(self, frame: Frame) -> None:
        """The next frame. Raises OutOfOrder before ``start`` and after ``finish``, what ``abort``
        was given, or why the output fails; it has aborted then."""

    def finish(self) -> None:
        """No more frames. Raises what ``write`` raises."""

    def abort(self, error: Exception | None = None) -> None:
        """Stops, and leaves neither process, thread nor file, but for a file that is whole. A
        reader and a later ``write`` get ``error``, or Cancelled. The first one counts."""


class OutOfOrder(RuntimeError):
    """A call that an output does not take now."""


class CallOrder:
    """Where an output is, and why it was aborted. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = "new"
        self._error: Exception | None = None

    def start(self) -> None:
        self._go("start", "new", "started")

    def write(self) -> None:
        self._go("write", "started", "started")

    def finish(self) -> None:
        self._go("finish", "started", "finished")

    def abort(self, error: Exception | None) -> None:
        with self._lock:
            if self._error is None:
                self._error = afresh(error or Cancelled("The output was stopped"))

    def check(self) -> None:
        """Raises the error of ``abort``."""
        if self._error is not None:
            raise afresh(self._error)

    def _go(self, call: str, wanted: str, then: str) -> None:
        with self._lock:
            if self._now != wanted:
                raise OutOfOrder(f"{call}() of an output that is {self._now}")
            self.check()
            self._now = then
