"""Hands a job's frames to its reader: as fast as they come, or each at its time.

Lossless for files. Live, a picture whose time has passed is dropped and counted; sound is never
dropped, it travels beside the pictures. Where the voice itself is late, everything waits for it.
A live picture also waits while the reader's line is full; the last one of a job has no later one,
so it is never dropped. Each wait is short, and between waits the reader is looked for, so that one
who left is noticed also before the first frame.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Generic, TypeVar

from app_core.cancel_scope import never
from app_core.channel import ChannelClosed
from app_core.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from app_core.engine.capacity import Capacity
    from app_core.job import Job
    from app_core.metrics import Metrics
    from app_core.pipeline.compose import Composer
    from app_core.types import Frame, Mouth

T = TypeVar("T")

LOOK_S = 0.1
"""Between two looks at whether the reader is still there."""
ROOM_S = 0.01
"""Between two looks at whether the reader's line has room."""


class Playout(Generic[T]):
    """Iterates over ``finish(frame)`` for each frame. Raises the job's error, or Cancelled."""

    def __init__(
        self,
        job: Job,
        composer: Composer,
        capacity: Capacity,
        finish: Callable[[Frame], T],
        gone: Callable[[], bool],
        metrics: Metrics,
        full: Callable[[], bool] = never,
    ) -> None:
        self._job, self._composer, self._capacity = job, composer, capacity
        self._finish, self._gone, self._full = finish, gone, full
        self._behind = False
        self._tally = metrics.tally(job)
        self._origin_s: float | None = None

    def __iter__(self) -> Generator[T]:
        try:
            yield from self._items()
        finally:
            self._tally.flush()

    def _items(self) -> Generator[T]:
        job, composer, tally = self._job, self._composer, self._tally
        while (mouth := self._next()) is not None:
            self._resume(mouth.index)
            if job.live:
                self._wait_for_room(mouth)
            if self._too_late(mouth):
                job.frames_dropped += 1
                tally.dropped()
                continue
            if not job.live:
                self._give_way()
            began_s = time.monotonic()
            tally.begin()
            frame = composer.frame(mouth)
            tally.composed()
            item = self._finish(frame)
            tally.finished()
            spent_s = time.monotonic() - began_s
            slack = self._wait_for(mouth.index) if job.live else None
            job.check()
            job.mark("first_frame")
            # Before it is handed over: whoever stops at the last frame never asks for another.
            job.frames_done += 1
            slack = self._own(slack, spent_s)
            tally.delivered(slack)
            self._capacity.delivered(composer.width, composer.height, slack)
            yield item

    def _next(self) -> Mouth | None:
        while True:
            self._look()
            try:
                return self._job.mouths.get(LOOK_S)
            except TimeoutError:
                continue
            except ChannelClosed:
                return None

    def _look(self) -> None:
        self._job.check()
        if self._gone():
            raise Cancelled("The reader left")

    def _due_s(self, index: int) -> float:
        """The first picture sets the clock."""
        if self._origin_s is None:
            self._origin_s = time.monotonic() - index / self._job.request.fps
        return self._origin_s + index / self._job.request.fps

    def _resume(self, index: int) -> None:
        """A voice that spoke too late stopped the clock: it goes on with the next picture. Sound
        waited as long, so nothing is skipped.
        """
        resumed = self._job.resumed
        while resumed and resumed[0][0] <= index:
            first, came_s = resumed.popleft()
            if self._origin_s is not None and came_s > self._due_s(first):
                self._origin_s = None

    def _too_late(self, mouth: Mouth) -> bool:
        """Its whole time has passed, and there is a later one to show."""
        if not self._job.live or self._origin_s is None or not len(self._job.mouths):
            return False
        return time.monotonic() > self._due_s(mouth.index + 1)

    def _wait_for_room(self, mouth: Mouth) -> None:
        """Until the reader's line has room, or the picture's time has passed."""
        while self._full() and not self._too_late(mouth):
            self._behind = True
            time.sleep(ROOM_S)
            self._look()

    def _own(self, slack: float | None, spent_s: float) -> float | None:
        """While it is the reader's line that makes pictures late, what counts as this server's
        lateness is the time that a picture took once it could begin.
        """
        if self._behind and slack is not None and slack >= 0:
            self._behind = False
        return 1 / self._job.request.fps - spent_s if self._behind else slack

    def _wait_for(self, index: int) -> float:
        """Sleeps until the frame's time. Returns how long before it the frame was ready."""
        slack = left = self._due_s(index) - time.monotonic()
        while left > 0:
            time.sleep(min(left, LOOK_S))
            self._look()
            left = self._due_s(index) - time.monotonic()
        return slack

    def _give_way(self) -> None:
        """A file render takes what live ones leave, but never stands still."""
        if self._capacity.tight:
            time.sleep(0.02)
