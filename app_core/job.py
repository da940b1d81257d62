"""One request from submit to end, and the table of those that are remembered."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app_core.channel import Channel
from app_core.errors import Cancelled, Conflict, NotFound

if TYPE_CHECKING:
    from app_core.errors import SoyleError
    from app_core.request import RenderRequest
    from app_core.sound import Sound
    from app_core.types import Mouth


class JobStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED})


class CancelScope:
    """A generation counter. Work remembers the number it began with and asks if it is stale.

    Only grows, one integer, so readers need no lock.
    """

    def __init__(self) -> None:
        self.generation = 0
        self._lock = threading.Lock()

    def cancel(self) -> None:
        with self._lock:
            self.generation += 1

    def ticket(self) -> Ticket:
        return Ticket(self, self.generation)


@dataclass(frozen=True, slots=True)
class Ticket:
    scope: CancelScope
    generation: int

    @property
    def stale(self) -> bool:
        return self.scope.generation != self.generation

    def check(self) -> None:
        if self.stale:
            raise Cancelled("The job was cancelled")


@dataclass(slots=True, eq=False)
class Job:
    """Written by its own thread, its reader and ``cancel``; every write is one assignment."""

    request: RenderRequest
    sound: Sound
    mouths: Channel[Mouth]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    live: bool = False
    scope: CancelScope = field(default_factory=CancelScope)
    ticket: Ticket = field(init=False)
    status: JobStatus = JobStatus.QUEUED
    error: SoyleError | None = None
    created_s: float = field(default_factory=time.monotonic)
    ended_s: float | None = None
    frames_total: int | None = None
    """Known when the last piece is spoken."""
    frames_expected: int = 0
    """An estimate from the part of the text that is spoken, until then."""
    frames_done: int = 0
    frames_dropped: int = 0
    timings: dict[str, float] = field(default_factory=dict)
    """Seconds from the job's creation, by what happened."""
    result: Path | None = None
    _end: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.ticket = self.scope.ticket()

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def progress(self) -> float:
        if self.status is JobStatus.DONE:
            return 1.0
        frames = self.frames_total or self.frames_expected
        seen = self.frames_done + self.frames_dropped
        return min(1.0, seen / frames) if frames else 0.0

    def mark(self, name: str) -> None:
        """Notes the first time that something happened."""
        self.timings.setdefault(name, round(time.monotonic() - self.created_s, 4))

    def end(self, status: JobStatus, error: SoyleError | None = None) -> bool:
        """The first ending wins. True when this was it."""
        with self._end:
            if self.ended:
                return False
            self.ended_s = time.monotonic()
            self.error = error
            self.status = status
        self.mark(status.value)
        return True

    def describe(self) -> dict[str, Any]:
        error = self.error
        return {
            "id": self.id,
            "status": self.status.value,
            "progress": round(self.progress, 4),
            "frames": {
                "total": self.frames_total,
                "done": self.frames_done,
                "dropped": self.frames_dropped,
            },
            "seconds": round(len(self.sound) / self.sound.sample_rate, 3),
            "timings": dict(self.timings),
            "error": None
            if error is None
            else {"error": str(error), "code": error.code, "field": error.field},
        }


class JobTable:
    """Jobs by id. Ended ones are forgotten after ``life_s`` or when they hold over ``quota``."""

    def __init__(self, life_s: float, quota: int) -> None:
        self._life_s, self._quota = life_s, quota
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def add(self, job: Job) -> None:
        with self._lock:
            self._forget(time.monotonic())
            if job.id in self._jobs:
                raise Conflict("This job_id is taken", field="job_id")
            self._jobs[job.id] = job

    def get(self, job_id: str) -> Job:
        with self._lock:
            self._forget(time.monotonic())
            job = self._jobs.get(job_id)
        if job is None:
            raise NotFound("There is no such job; jobs are kept for an hour", field="job_id")
        return job

    def running(self) -> list[Job]:
        with self._lock:
            return [job for job in self._jobs.values() if not job.ended]

    def discard(self, job_id: str) -> None:
        with self._lock:
            self._jobs.pop(job_id, None)

    def _forget(self, now: float) -> None:
        ended = sorted(
            (job for job in self._jobs.values() if job.ended_s is not None),
            key=lambda job: job.ended_s or 0.0,
        )
        held = sum(job.sound.nbytes for job in ended)
        for job in ended:
            if now - (job.ended_s or now) < self._life_s and held <= self._quota:
                break
            held -= job.sound.nbytes
            del self._jobs[job.id]
