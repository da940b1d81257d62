"""A clip's pictures on their way to a job: kept and shared, or decoded forward for it alone."""

from __future__ import annotations

import logging
import queue
import threading
from typing import TYPE_CHECKING, Protocol

from app_core.avatars.slab import Slab
from app_core.errors import Cancelled, FfmpegFailed, SoyleError, afresh, kind_or_words
from app_core.threads import start_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.types import Picture

logger = logging.getLogger(__name__)

READ_AHEAD = 3
"""Pictures that wait, so that decoding goes on while a mouth is drawn."""
_PATIENCE_S = 60.0
_LOOK_S = 0.1
"""Between two looks at whether the source was closed."""


class PictureStream(Protocol):
    """Decoded pictures in order. Read by one thread; ``close`` may come from another."""

    def read(self) -> Picture:
        """Raises FfmpegFailed, also when there are no more, or NotFound for a file that is gone."""

    def close(self) -> None: ...


def _started(work: Callable[[], None], stream: PictureStream) -> threading.Thread:
    """Raises Busy when no thread is left; nothing decodes then."""
    thread = threading.Thread(target=work, name="frames", daemon=True)
    try:
        start_thread(thread)
    except BaseException:
        stream.close()
        raise
    return thread


def _known(error: Exception) -> SoyleError:
    """What the reader is told; whatever stops the thread must reach it."""
    if isinstance(error, SoyleError):
        return error
    return FfmpegFailed(f"The video cannot be read: {kind_or_words(error)}")


class StreamedFrames:
    """One job's pictures, decoded forward in a loop. Read by one thread."""

    def __init__(self, stream: PictureStream, pictures: int) -> None:
        """``stream`` repeats after ``pictures`` and is closed with this. Raises Busy."""
        self._stream, self._pictures = stream, pictures
        self._waiting: queue.Queue[Picture | SoyleError] = queue.Queue(READ_AHEAD)
        self._at = -1
        self._current: Picture | None = None
        self._closed = False
        self._thread = _started(self._run, stream)

    def picture(self, index: int) -> Picture:
        """Passes over those in between. The same index again is the same picture."""
        while self._at != index or self._current is None:
            self._current = self._next()
            self._at = (self._at + 1) % self._pictures
        return self._current

    def close(self) -> None:
        self._closed = True
        self._stream.close()
        if self._thread is not threading.current_thread():
            self._thread.join(_PATIENCE_S)

    def _next(self) -> Picture:
        while not self._closed:
            try:
                found = self._waiting.get(timeout=_LOOK_S)
            except queue.Empty:
                continue
            if isinstance(found, SoyleError):
                raise afresh(found)
            return found
        raise Cancelled("The video was closed")

    def _run(self) -> None:
        try:
            while not self._closed:
                self._put(self._stream.read())
        except Exception as error:
            self._put(afresh(_known(error)))

    def _put(self, item: Picture | SoyleError) -> None:
        while not self._closed:
            try:
                return self._waiting.put(item, timeout=_LOOK_S)
            except queue.Full:
                continue


class SharedFrames:
    """All pictures of a short loop, decoded once and shared by its jobs."""

    def __init__(self, stream: PictureStream, pictures: int) -> None:
        self._stream, self._pictures = stream, pictures
        self._ready: list[Picture] = []
        self._changed = threading.Condition()
        self._error: SoyleError | None = None
        self._users, self._left = 0, False
        self._thread = _started(self._run, stream)

    @property
    def failed(self) -> bool:
        return self._error is not None

    @property
    def idle(self) -> bool:
        """No job reads it."""
        return self._users == 0

    @property
    def over(self) -> bool:
        """Nobody reads it, and nobody will."""
        return self._left and self._users == 0

    def picture(self, index: int) -> Picture:
        """Thread-safe. Waits for a picture that is not decoded yet."""
        ready = self._ready
        if index < len(ready):
            return ready[index]
        with self._changed:
            self._changed.wait_for(lambda: index < len(self._ready) or self._error, _PATIENCE_S)
            if index < len(self._ready):
                return self._ready[index]
            if self._error is not None:
                raise afresh(self._error)
            raise FfmpegFailed(f"no picture was decoded for {_PATIENCE_S:.0f} s")

    def lend(self) -> SharedFrames:
        """To one more job, which closes it."""
        with self._changed:
            self._users += 1
        return self

    def close(self) -> None:
        """The end of one job: the others go on."""
        with self._changed:
            self._users -= 1
        if self.over:
            self.end()

    def leave(self) -> None:
        """Nobody new will read: all ends with the last job that reads, or by ``end`` if none
        does."""
        self._left = True

    def end(self) -> None:
        """Ends what decodes and lets the pictures go."""
        self.stop()
        with self._changed:
            self._error = Cancelled("The video was closed")
            self._ready = []
            self._changed.notify_all()

    def stop(self) -> None:
        """Decodes no further; the pictures that are there stay."""
        self._stream.close()
        self._thread.join(_PATIENCE_S)

    def _run(self) -> None:
        error: SoyleError | None = None
        try:
            slab: Slab | None = None
            while len(self._ready) < self._pictures:
                picture = self._stream.read()
                slab = slab or Slab(self._pictures, (picture.width, picture.height))
                kept = slab.put(len(self._ready), picture)
                with self._changed:
                    self._ready.append(kept)
                    self._changed.notify_all()
        except Exception as failure:
            error = afresh(_known(failure))
        finally:
            self._stream.close()
            with self._changed:
                self._error = error
                self._changed.notify_all()
