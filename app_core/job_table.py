"""The jobs that are remembered, by id: those that run, and those that ended a while ago."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from app_core.errors import Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.job import Job

logger = logging.getLogger(__name__)

IN_MEMORY = 64 << 20
"""Bytes of memory that ended jobs may hold in all. Their sounds and films lie on the disk; where
that cannot be written, sounds stay here."""


class JobTable:
    """Jobs by id. An ended one is unknown after ``life_s``; ``expire`` forgets these, and the
    oldest when all of them hold more than ``IN_MEMORY``. When they hold over ``quota`` the oldest
    give up what they made: what became of those that failed is still known.

    No request pays for the thousands that are remembered: whoever owns the table calls ``expire``
    now and then. ``forgotten`` is called once with each job, to remove what it left on the disk.
    """

    def __init__(
        self, life_s: float, quota: int, forgotten: Callable[[Job], None] = lambda job: None
    ) -> None:
        self._life_s, self._quota, self._forgotten = life_s, quota, forgotten
        self._jobs: dict[str, Job] = {}
        self._begun: dict[str, Job] = {}
        """Those of them that had not ended when they were last looked at."""
        self._lock = threading.Lock()

    def add(self, job: Job) -> None:
        with self._lock:
            if job.id in self._jobs and not self._is_old(self._jobs[job.id], time.monotonic()):
                raise Conflict("This job_id is taken", field="job_id")
            self._drop(job.id)
            self._jobs[job.id] = self._begun[job.id] = job

    def get(self, job_id: str, client: str = "") -> Job:
        """One that has what it made, and is of ``client`` alone, who does not learn of others;
        empty: anybody's. Raises NotFound."""
        job = self.record(job_id, client)
        if job.given_up:
            raise _given_up()
        return job

    def record(self, job_id: str, client: str = "") -> Job:
        """As ``get``, to see what became of it: also one that failed and has given up what it
        made."""
        with self._lock:
            job = self._jobs.get(job_id)
        theirs = job is not None and client not in ("", job.owner)
        if job is None or theirs or self._is_old(job, time.monotonic()):
            raise NotFound(
                f"There is no such job; ended ones are kept for {self._life_s:.0f} s",
                field="job_id",
            )
        if job.given_up and job.error is None:
            raise _given_up()
        return job

    def running(self) -> list[Job]:
        with self._lock:
            running = [job for job in self._begun.values() if not job.ended]
            self._begun = {job.id: job for job in running}
            return running

    def discard(self, job_id: str) -> None:
        """The job never was."""
        with self._lock:
            self._jobs.pop(job_id, None)
            self._begun.pop(job_id, None)

    def expire(self) -> None:
        """Forgets what is due."""
        with self._lock:
            self._forget(time.monotonic())

    def forget_oldest(self) -> bool:
        """What the ended job made that ended first, of those that hold something. False: none
        does."""
        with self._lock:
            ended = [job for job in self._holding() if job.nbytes]
            if ended:
                self._give_up(min(ended, key=lambda job: job.ended_s or 0.0))
            return bool(ended)

    def held(self) -> int:
        """Bytes that the ended jobs hold of the quota."""
        with self._lock:
            return sum(job.nbytes for job in self._holding())

    def clear(self) -> None:
        """Forgets every job. None may be running."""
        with self._lock:
            for job_id in list(self._jobs):
                self._drop(job_id)

    def _forget(self, now: float) -> None:
        ended = sorted(
            (job for job in self._jobs.values() if job.ended_s is not None),
            key=lambda job: job.ended_s or 0.0,
        )
        held = sum(job.nbytes for job in self._holding())
        memory = sum(job.in_memory for job in ended)
        for job in ended:
            due = memory > IN_MEMORY or self._is_old(job, now)
            if not due and (job.given_up or held <= self._quota):
                continue
            held -= 0 if job.given_up else job.nbytes
            memory -= job.in_memory
            if due:
                self._drop(job.id)
            else:
                self._give_up(job)
                memory += job.in_memory

    def _drop(self, job_id: str) -> None:
        job = self._jobs.pop(job_id, None)
        self._begun.pop(job_id, None)
        if job is not None:
            self._give_up(job)

    def _holding(self) -> list[Job]:
        """Those that have ended and have what they made."""
        jobs = self._jobs.values()
        return [job for job in jobs if job.ended_s is not None and not job.given_up]

    def _give_up(self, job: Job) -> None:
        if job.given_up:
            return
        job.given_up = True  # also where a file cannot be removed: it must not keep the others
        try:
            self._forgotten(job)
        except Exception:
            logger.exception("what a job left was not removed", extra={"job": job.id})

    def _is_old(self, job: Job, now: float) -> bool:
        return job.ended_s is not None and now - job.ended_s >= self._life_s


def _given_up() -> NotFound:
    return NotFound("The job's film and sound were removed to make room", field="job_id")
