"""Photos and clips on their way to become avatars: one at a time, in one thread."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from app_core.avatars.importing.import_item import Again, Import
from app_core.errors import Busy, Cancelled, Conflict, SoyleError, afresh, as_job_error
from app_core.threads import Pulse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Import", "Imports"]

logger = logging.getLogger(__name__)

PLACES = 4
"""Imports at once: one that runs, those that wait, and those that are being sent."""
RETRY_S = 15
MOST_WAITING = 256
"""Files that are not uploads may wait in so long a queue."""
FAILURES = 16
"""Failed imports that are remembered."""
STUCK_S = 180.0
"""Without a sign of progress, of which reading or coding one film may give none for a minute."""
AGAIN_S = 0.5
"""Between two looks at whether another server is still at the same work."""
_CLOSE_S = 30.0
_LOOK_S = 60.0


class Imports:
    """``work(item)`` makes the avatar or raises and leaves nothing; ``free(path)`` removes an
    upload. Failed imports are remembered for ``life_s`` seconds.
    """

    def __init__(
        self, work: Callable[[Import], None], free: Callable[[Path], None], life_s: float
    ) -> None:
        self._work, self._free, self._life_s = work, free, life_s
        self._places = threading.BoundedSemaphore(PLACES)
        self._items: dict[str, Import] = {}
        self._waiting: deque[Import] = deque()
        self._running: tuple[Import, ...] = ()
        self.begun: Callable[[Import], None] = lambda item: None
        """Told of each whose turn has come."""
        self.ended: Callable[[Import, SoyleError | None], None] = lambda *_: None
        """Told of each that has ended, with its error, before clients are."""
        self._served = ""
        """Whose import began last."""
        self._changed = threading.Condition()
        self._worker: threading.Thread | None = None
        self.pulse = Pulse("import", STUCK_S)
        """Of the thread that imports now."""
        self._closed = False

    def reserve(self) -> None:
        """Takes a place for one upload. Raises Busy."""
        if self._closed or not self._places.acquire(blocking=False):
            raise Busy("Other faces are being imported; try again soon", retry_after_s=RETRY_S)

    def give_up(self) -> None:
        """Gives a place back that no import came to."""
        self._places.release()

    def start(self, item: Import) -> None:
        """In a place that was reserved, which it gives back at its end; files that are not
        uploads wait without one. Raises Conflict or Busy, and the place stays the caller's.
        """
        with self._changed:
            there = self._items.get(item.id) if item.work is None else None
            if there is not None and not there.ended.is_set():
                raise Conflict("An avatar with this id is being imported", field="id")
            if item.theirs and len(self._waiting) >= MOST_WAITING:
                raise Busy("Other faces are being imported", retry_after_s=RETRY_S)
            if self._closed:
                raise Busy("The server is stopping")
            if self._worker is None or not self._worker.is_alive():
                self._begin()
            if item.work is None:
                self._items[item.id] = item
            self._waiting.append(item)
            self._changed.notify_all()

    def _begin(self) -> None:
        """Raises Busy when no thread is left."""
        pulse = Pulse("import", STUCK_S)
        worker = threading.Thread(target=self._run, args=(pulse,), name="import", daemon=True)
        pulse.start(worker)
        self._worker, self.pulse = worker, pulse

    def replace(self, error: SoyleError) -> None:
        """The thread has ended, or does not move: what it was at fails with ``error``, and another
        thread goes on. If it ever comes back it finds its work cancelled, and ends."""
        with self._changed:
            lost, self._running, self._worker = self._running, (), None
            self.pulse = Pulse("import", STUCK_S)
        for item in lost:
            item.stopped = item.stopped or error
            self._end(item, error)
        with self._changed:
            if self._waiting and self._worker is None and not self._closed:
                self._begin()  # or, where no thread is left, the next that comes does

    def get(self, avatar_id: str) -> Import | None:
        """One that runs, waits or has failed."""
        with self._changed:
            self._forget()
            return self._items.get(avatar_id)

    def all(self) -> list[Import]:
        with self._changed:
            self._forget()
            return list(self._items.values())

    def drop(self, item: Import) -> None:
        """Forgets one that has ended."""
        with self._changed:
            if self._items.get(item.id) is item:
                del self._items[item.id]
        item.claim.clear()

    def cancel(self, item: Import) -> None:
        """One that waits ends at once, one that runs as soon as its work sees it."""
        item.cancel()
        with self._changed:
            if item not in self._waiting:
                return
            self._waiting.remove(item)
        self._end(item, _cancelled())

    def stop(self, error: SoyleError) -> None:
        """The one that runs fails with ``error`` as soon as its work sees it."""
        for item in self._running:
            item.stopped = item.stopped or error

    def close(self) -> None:
        """Cancels all and waits for the worker."""
        with self._changed:
            self._closed = True
            for item in (*self._items.values(), *self._waiting, *self._running):
                item.cancel()
            self._changed.notify_all()
        if self._worker is not None:
            self._worker.join(_CLOSE_S)

    def _run(self, pulse: Pulse) -> None:
        while item := self._next(pulse):
            try:
                self._import(item)
            except BaseException:
                logger.exception("the import thread failed, and goes on")
        pulse.end()

    def _next(self, pulse: Pulse) -> Import | None:
        """None at the end, and when another thread has taken this one's place."""
        with self._changed:
            if pulse is self.pulse:
                self._running = ()
            pulse.rest()
            while pulse is self.pulse and not self._closed and not self._due():
                now = time.monotonic()
                wait_s = min((item.after_s - now for item in self._waiting), default=_LOOK_S)
                self._changed.wait(max(wait_s, 0.0))
            if pulse is not self.pulse or not self._waiting:
                return None
            item = self._whose_turn(self._due() or list(self._waiting))
            self._waiting.remove(item)
            self._running = (item,)
            item.alive = pulse.beat
            pulse.begin(f"the import of {item.id or item.name}")
            return item

    def _due(self) -> list[Import]:
        """Those that wait for their turn alone, and not for another server."""
        now = time.monotonic()
        return [item for item in self._waiting if item.after_s <= now]

    def _whose_turn(self, due: list[Import]) -> Import:
        """Clients take turns."""
        last, self._served = self._served, due[0].share.owner
        other = next((item for item in due if item.share.owner != last), None)
        if other is not None:
            self._served = other.share.owner
        return other or due[0]

    def _import(self, item: Import) -> None:
        began = time.monotonic()
        error: SoyleError | None = None
        try:
            item.check()
            if not item.told:
                item.told = True
                self.begun(item)
            (item.work or self._work)(item)
        except Again:
            with self._changed:
                item.after_s = time.monotonic() + AGAIN_S
                if not item.over:
                    self._waiting.append(item)
            return
        except BaseException as raised:
            error = item.stopped or _known(raised)
        self._end(item, error)
        outcome = error.code if error else "done"
        logger.info(
            "import of %s: %s, %.1f s", item.id or item.name, outcome, time.monotonic() - began
        )

    def _end(self, item: Import, error: SoyleError | None) -> None:
        """Once of each: one that was given up may come back."""
        with self._changed:
            if item.over:
                return
            item.over = True
        self.ended(item, error)
        if not item.theirs:
            try:
                self._free(item.source)
            except Exception:
                logger.exception("an upload was not removed")
        left = item.stopped is None and item.cancelled()
        item.let_go(None if left else error)
        with self._changed:
            item.error, item.ended_s = error and afresh(error), time.monotonic()
            done = error is None or isinstance(error, Cancelled) or left
            if done and self._items.get(item.id) is item:
                del self._items[item.id]
            item.ended.set()
        item.share.release()
        if not item.theirs:
            self._places.release()

    def _forget(self) -> None:
        now = time.monotonic()
        ended = [item for item in self._items.values() if item.ended_s is not None]
        for index, item in enumerate(ended):
            old = now - (item.ended_s or now) > self._life_s
            if old or len(ended) - index > FAILURES:
                del self._items[item.id]
                item.claim.clear()


def _cancelled() -> Cancelled:
    return Cancelled("The import was cancelled")


def _known(error: BaseException) -> SoyleError:
    known: Any = as_job_error(error)
    if isinstance(known, SoyleError):
        return known
    logger.error("an import failed", exc_info=error)
    return SoyleError("The import failed")
