"""One request from submit to end."""

from __future__ import annotations

import threading
import time
import uuid
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from app_core.cancel_scope import CancelScope, Ticket
from app_core.channel import Channel
from app_core.errors import Cancelled, afresh
from app_core.storage.marks import Marks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from app_core.audio import AudioBuffer
    from app_core.errors import SoyleError
    from app_core.request import RenderRequest
    from app_core.storage.spool import Spool
    from app_core.types import Mouth, Placement, Sentence, VoiceFallback, Word

T = TypeVar("T")

JOB_BYTES = 8192
"""What a job takes in memory besides its sound, marks and text."""


def each_within(
    stage: Callable[[], AbstractContextManager[object]], items: Iterator[T]
) -> Iterator[T]:
    """``items``, each made in a ``stage()`` of its own. Closing it closes them."""
    try:
        while True:
            try:
                with stage():
                    item = next(items)
            except StopIteration:
                return
            yield item
    finally:
        getattr(items, "close", bool)()


class JobStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED})


@dataclass(slots=True, eq=False)
class Chunk:
    """A part of a job's text with a film and a sound of its own."""

    index: int
    text: str
    """As it is written."""
    sound: AudioBuffer
    start: int = 0
    """Where it begins in the job's text."""
    frames: int = 0
    duration_s: float = 0.0
    marks: Marks[Sentence | Word] = field(default_factory=Marks)
    """What is said when, in seconds of ``sound``."""
    film: Path | None = None
    wav: Path | None = None
    """``sound`` as its address gives it, once somebody asked for it."""
    forgotten: bool = False
    """Its files are gone, and none may be added."""
    making: threading.Lock = field(default_factory=threading.Lock)
    """Held by whoever makes ``wav``."""
    spoken: threading.Event = field(default_factory=threading.Event)
    """``sound``, ``frames``, ``duration_s`` and ``marks`` are there."""
    filmed: threading.Event = field(default_factory=threading.Event)
    """``film`` is there, until the job is forgotten."""


@dataclass(slots=True, eq=False)
class Job:
    """Written by its own thread, its reader and ``cancel``; every write is one assignment."""

    request: RenderRequest
    sound: AudioBuffer
    mouths: Channel[Mouth]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    live: bool = False
    avatar: str = ""
    """Whose face it is, an id."""
    purpose: str = ""
    """What it is for, where its request does not say."""
    owner: str = ""
    """The client that it is made for; empty: this program itself."""
    core_s: float = 0.0
    """What it was expected to take before it began, seconds of a core."""
    placement: Placement | None = None
    """Where it is drawn, from its admission on."""
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
    frames_without_face: int = 0
    """Frames that passed unchanged, because no face is known in their picture."""
    spent_s: dict[str, float] = field(default_factory=dict)
    """Seconds of work by stage; each stage is worked at by one thread."""
    statistics: dict[str, Any] | None = None
    """What a film's render took, once it has ended."""
    marks: Marks[Sentence | Word] = field(default_factory=Marks)
    """What is said when, on the clock of ``sound``: each sentence, then its words. Only grows."""
    voices: list[str] = field(default_factory=list)
    """Ids of those that spoke, in the order in which they began. Only grows."""
    fallbacks: Marks[VoiceFallback] = field(default_factory=Marks)
    """Only grows."""
    resumed: deque[tuple[int, float]] = field(default_factory=deque)
    """Frames for which the voice kept everybody waiting, and when their tasks came; taken out by
    the reader."""
    timings: dict[str, float] = field(default_factory=dict)
    """Seconds from the job's creation, by what happened."""
    seconds_expected: float | None = None
    """Of a recording, as its header says."""
    on_disk: bool = False
    """Its film, or the films of its chunks, are written to the disk as they are made."""
    aligned: float | None = None
    """Part of a recording's transcript that was heard in it, 0..1; known when it is spoken."""
    makes_film: bool = False
    """The outcome is a film: the job goes on after its last frame, until the film is whole."""
    result: Path | None = None
    """Where the film is kept, for jobs that keep it."""
    result_name: str = "film.mp4"
    result_bytes: int = 0
    """Of the film, or of the films of all chunks."""
    chunks: tuple[Chunk, ...] = ()
    given_up: bool = False
    """What it made was removed to make room, its sounds and marks too."""
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

    @property
    def stage(self) -> str:
        """How far it is, or was when it failed: speech, frames, finishing, done."""
        if self.status is JobStatus.DONE:
            return "done"
        if "first_speech" not in self.timings:
            return "speech"
        seen = self.frames_done + self.frames_dropped
        return "finishing" if self.makes_film and seen == self.frames_total else "frames"

    @property
    def frames_per_s(self) -> float:
        """Frames a second since the first one was there; 0 until the second one."""
        first = self.timings.get("first_frame")
        if first is None or self.frames_done < 2:
            return 0.0
        until = time.monotonic() if self.ended_s is None else self.ended_s
        return self.frames_done / max(until - self.created_s - first, 1e-3)

    @property
    def time_left_s(self) -> float | None:
        """At the speed so far; None while nothing is known."""
        if self.ended:
            return 0.0
        frames, speed = self.frames_total or self.frames_expected, self.frames_per_s
        if not frames or not speed:
            return None
        return max(0, frames - self.frames_done - self.frames_dropped) / speed

    @property
    def nbytes(self) -> int:
        """What it holds of the quota."""
        held = sum(sound.nbytes for sound in self._sounds) + self.result_bytes
        return held + sum(marks.nbytes for marks in self._marks)

    @property
    def in_memory(self) -> int:
        """What it holds of the memory, about."""
        sounds = sum(sound.in_memory for sound in self._sounds)
        marks = sum(marks.in_memory for marks in self._marks)
        return sounds + JOB_BYTES + marks + 2 * len(self.request.text)

    @property
    def _sounds(self) -> list[AudioBuffer]:
        return [self.sound, *(chunk.sound for chunk in self.chunks)]

    @property
    def _marks(self) -> list[Marks[Any]]:
        return [self.marks, self.fallbacks, *(chunk.marks for chunk in self.chunks)]

    def put_away(self, spool: Spool) -> None:
        """Of one that has ended: its marks leave the memory, as its sounds did when they closed."""
        for marks in self._marks:
            marks.put_away(spool)

    def release(self) -> None:
        """Of one that is forgotten: its sounds and marks are gone."""
        held: list[AudioBuffer | Marks[Any]] = [*self._sounds, *self._marks]
        for each in held:
            each.release()

    @contextmanager
    def working(self, stage: str) -> Iterator[None]:
        """Counts the time of a ``with`` block to a stage."""
        began = time.monotonic()
        try:
            yield
        finally:
            spent = self.spent_s.get(stage, 0.0) + time.monotonic() - began
            self.spent_s[stage] = spent

    def worked(self, stage: str, items: Iterator[T]) -> Iterator[T]:
        """``items``, the time of making each counted to a stage."""
        return each_within(lambda: self.working(stage), items)

    def mark(self, name: str) -> None:
        """Notes the first time that something happened."""
        self.timings.setdefault(name, round(time.monotonic() - self.created_s, 4))

    def spoke(self, voice: str) -> None:
        """Somebody of this id spoke; empty: nobody's voice."""
        if voice and voice not in self.voices:
            self.voices.append(voice)

    def begin(self) -> bool:
        """False when it has ended already: an ending is never undone."""
        with self._end:
            if self.ended:
                return False
            self.status = JobStatus.RUNNING
            return True

    def end(self, status: JobStatus, error: SoyleError | None = None) -> bool:
        """The first ending wins. True when this was it."""
        with self._end:
            if self.ended:
                return False
            self.ended_s = time.monotonic()
            self.error = error and afresh(error)
            self.status = status
        self.mark(status.value)
        return True

    def check(self) -> None:
        """Raises what ended it, for those that work for it."""
        if self.ticket.stale:
            raise afresh(self.error or Cancelled("The job was cancelled"))

    def describe(self) -> dict[str, Any]:
        error, left = self.error, self.time_left_s
        return {
            "id": self.id,
            "status": self.status.value,
            "stage": self.stage,
            "progress": round(self.progress, 4),
            "frames": {
                "total": self.frames_total,
                "done": self.frames_done,
                "dropped": self.frames_dropped,
                "without_face": self.frames_without_face,
            },
            "frames_per_s": round(self.frames_per_s, 1),
            "time_left_s": None if left is None else round(left, 1),
            "seconds": round(len(self.sound) / self.sound.sample_rate, 3),
            "timings": dict(self.timings),
            "voices": list(self.voices),
            "aligned": None if self.aligned is None else round(self.aligned, 3),
            "statistics": self.statistics,
            "error": error and {"error": str(error), "code": error.code, "field": error.field},
        }
