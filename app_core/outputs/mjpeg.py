"""A stream of JPEG pictures as one HTTP body, multipart/x-mixed-replace.

The body is ``OPENING``, then parts, then ``CLOSING``. Each part is sent together with the
delimiter that follows it, because that is how a viewer knows that the picture is complete.
(RFC 2046, 5.1.1; the lengths in the parts are for viewers that do not search for delimiters.)
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from app_core.channel import Channel, ChannelClosed
from app_core.errors import Cancelled, SoyleError
from app_core.media import jpeg
from app_core.outputs.output import CallOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from app_core.outputs.output import Format
    from app_core.types import Frame

    Payload = Callable[[SoyleError], Mapping[str, Any]]
    """What a viewer reads of an error."""

BOUNDARY = "frame"
CONTENT_TYPE = f"multipart/x-mixed-replace; boundary={BOUNDARY}"

_DELIMITER = f"--{BOUNDARY}".encode()
OPENING = _DELIMITER
CLOSING = b"--\r\n"
WAITING = 2
"""Pictures between the two threads of an output: more would only be older."""
_LOOK_S = 0.25


class Mjpeg:
    """A pull ``Output``. A picture that finds WAITING others is dropped, so ``write`` never waits.

    A reader that makes its frames itself, in its own thread, takes ``encode`` for each and
    ``body`` for all, and needs neither ``start`` nor ``write``.
    """

    def __init__(self, quality: int, payload: Payload) -> None:
        """``quality`` of the JPEGs, 1..100."""
        self._quality, self._payload = quality, payload
        self._order = CallOrder()
        self._parts: Channel[bytes] = Channel(WAITING)
        self.dropped = 0
        """Pictures that no reader gets."""

    def encode(self, frame: Frame) -> bytes:
        """One part of the body. From any thread."""
        return encoded(frame, self._quality)

    def body(self, parts: Iterator[bytes]) -> Iterator[bytes]:
        """The whole body of ``parts``; a SoyleError of theirs is its last part."""
        head = OPENING
        try:
            for each in parts:
                yield head + each
                head = b""
        except SoyleError as error:
            yield head + error_part(self._payload(error))
            head = b""
        yield head + CLOSING

    def start(self, format: Format) -> None:
        self._order.start()

    def write(self, frame: Frame) -> None:
        self._order.write()
        if not self._parts.room():
            self.dropped += 1
            return
        try:
            self._parts.put(self.encode(frame))
        except ChannelClosed:
            self._order.check()

    def finish(self) -> None:
        """No more frames; the reader gets those that wait."""
        self._order.finish()
        self._parts.close()

    def abort(self, error: Exception | None = None) -> None:
        """The reader's last part says ``error``, or that it was cancelled."""
        self._order.abort(error)
        self._parts.close(error or Cancelled("The output was stopped"), now=True)

    def pieces(self) -> Iterator[bytes]:
        """The body of what is written, for one reader. Leaving it early aborts."""
        try:
            yield from self.body(self._taken())
        finally:
            self.abort()

    def _taken(self) -> Iterator[bytes]:
        while True:
            try:
                yield self._parts.get(_LOOK_S)
            except TimeoutError:
                continue
            except ChannelClosed:
                return


def part(picture: bytes, index: int, seconds: float) -> bytes:
    """Frame ``index``, a JPEG, shown at ``seconds`` on the clock of the sound."""
    stamps = f"X-Frame: {index}\r\nX-Timestamp: {seconds:.3f}\r\n"
    return _part("image/jpeg", picture, stamps)


def encoded(frame: Frame, quality: int) -> bytes:
    """The part of a frame; ``quality`` 1..100 of its JPEG."""
    return part(jpeg.encode(frame.picture, quality), frame.index, frame.seconds)


def error_part(payload: Mapping[str, Any]) -> bytes:
    """How a stream that has begun says that it failed."""
    return _part("application/json", json.dumps(payload, ensure_ascii=False).encode())


def _part(kind: str, body: bytes, more: str = "") -> bytes:
    head = f"\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return b"".join([head.encode(), body, b"\r\n", _DELIMITER])
