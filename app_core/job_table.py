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
    oldest when all of them hold over ``quota`` or more than ``IN_MEMORY``.

    No request pays for the thousands that are remembered: whoever owns the table calls ``expire``
    now and then. ``forgotten`` is called with each job, to remove what it left on the disk.
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
        """One of ``client`` alone, who does not learn of others; empty: anybody's. Raises
        NotFound."""
        with self._lock:
            job = self._jobs.get(job_id)
        theirs = job is not None and client not in ("", job.owner)
        if job is None or theirs or self._is_old(job, time.monotonic()):
            raise NotFound("There is no such job; jobs are kept for an hour", field="job_id")
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
        """Of the ended jobs that hold something, the one that ended first. False: none does."""
        with self._lock:
            ended = [job for job in self._jobs.values() if job.ended_s is not None and job.nbytes]
            if ended:
                self._drop(min(ended, key=lambda job: job.ended_s or 0.0).id)
            return bool(ended)

    def held(self) -> int:
        """Bytes that the ended jobs hold of the quota."""
        with self._lock:
            return sum(job.nbytes for job in self._jobs.values() if job.ended_s is not None)

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
        held, memory = sum(job.nbytes for job in ended), sum(job.in_memory for job in ended)
        for job in ended:
            if held <= self._quota and memory <= IN_MEMORY and not self._is_old(job, now):
                break
            held, memory = held - job.nbytes, memory - job.in_memory
            self._drop(job.id)

    def _drop(self, job_id: str) -> None:
        """A file that cannot be removed must not keep the others."""
        job = self._jobs.pop(job_id, None)
        self._begun.pop(job_id, None)
        if job is None:
            return
        try:
            self._forgotten(job)
        except Exception:
            logger.exception("what a job left was not removed", extra={"job": job.id})

    def _is_old(self, job: Job, now: float) -> bool:
        return job.ended_s is not None and now - job.ended_s >= self._life_s
