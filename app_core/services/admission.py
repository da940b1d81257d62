"""Who is taken in. A full server says no at once and loses nothing for those inside."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

from app_core.cancel_scope import never
from app_core.errors import Busy, TooMany
from app_core.services.devices.placement import admitted, for_film
from app_core.shares import Share

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app_core.job import Job
    from app_core.job_table import JobTable
    from app_core.services.devices.loaded_model import LoadedModel

LONGEST_RETRY_S = 30
SHORT_CORE_S = 120.0
"""A film that is expected to take no more of a core is short."""


class Admission:
    """``max_jobs`` bounds the count, measured capacity decides over live renders."""

    def __init__(self, jobs: JobTable, max_jobs: int) -> None:
        self._jobs, self._max_jobs = jobs, max_jobs
        self._lock = threading.Lock()
        self.give_way: Callable[[], bool] = never
        """Makes room for a live render, where something that nobody needs has it."""

    def admit(
        self,
        job: Job,
        width: int,
        height: int,
        devices: Sequence[LoadedModel],
        share: Share | None = None,
    ) -> LoadedModel:
        """Enters the job into the table. ``devices`` are those that can draw it, ``share`` what its
        client holds by it. The one on which it has its place from now on.

        Raises Busy, TooMany, or Conflict for a taken id.
        """
        share = share or Share()
        with self._lock:
            running = self._jobs.running()
            files = [other for other in running if not other.live]
            places = max(2, 2 * math.ceil(devices[0].capacity.cores))
            if job.core_s <= SHORT_CORE_S:
                places += places // 2  # it need not wait until long ones are through
            theirs = sum(other.owner == share.owner for other in files)
            if not job.live and share.halved and theirs >= math.ceil(places / 2):
                raise TooMany(
                    "You have as many films at once as one client may: half of what this server"
                    " makes (CLIENT_RENDERS); try again when one has ended",
                    retry_after_s=_left_s([other for other in files if other.owner == share.owner]),
                )
            if len(running) >= self._max_jobs:
                raise _busy(running)
            if not job.live and len(files) >= places:
                raise _busy(running)
            self._jobs.add(job)
            try:
                asked = (job.id, (width, height), job.request.fps, 1.0, share.owner)
                chosen = None if job.live else for_film(devices, running)
                while chosen is None:
                    chosen = admitted(devices, *asked, halved=share.halved)
                    if chosen is None and not self.give_way():
                        raise _busy(running)
            except (Busy, TooMany):
                self._jobs.discard(job.id)
                raise
            job.placement = chosen.placement
            return chosen


def _busy(running: list[Job]) -> Busy:
    return Busy("The server is full; try again soon", retry_after_s=_left_s(running))


def _left_s(running: list[Job]) -> int:
    """Until the first of those that run should be through, seconds."""
    left = [
        (job.frames_total - job.frames_done) / job.request.fps
        for job in running
        if job.frames_total
    ]
    return min(LONGEST_RETRY_S, max(1, math.ceil(min(left, default=1.0))))
