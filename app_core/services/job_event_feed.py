"""What one listener has not heard yet about a job."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from app_core.types import Sentence

if TYPE_CHECKING:
    from app_core.job import Job

PROGRESS_S = 0.2
"""Progress is told at most this often."""


class JobEventFeed:
    """Used by one thread. The job does not know its listeners, so none of them slows it."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._heard = self._fallbacks = 0
        self._progress: dict[str, Any] | None = None
        self._told_s = 0.0
        self.over = False
        """The job has ended and everything about it was told, but for its end."""

    def news(self) -> list[dict[str, Any]]:
        """Messages, never waiting for one: voices that took over, sentences, words, then progress
        when it changed."""
        over = self._job.ended
        marks = self._job.marks[self._heard :]
        self._heard += len(marks)
        fallbacks = self._job.fallbacks[self._fallbacks :]
        self._fallbacks += len(fallbacks)
        found = [{"type": "voice_fallback"} | _rounded(asdict(fallback)) for fallback in fallbacks]
        found += [
            {"type": "sentence" if isinstance(mark, Sentence) else "word"} | _rounded(asdict(mark))
            for mark in marks
        ]
        now = time.monotonic()
        if over or now - self._told_s >= PROGRESS_S:
            progress = self._describe()
            if progress != self._progress:
                found.append(progress)
                self._progress, self._told_s = progress, now
        self.over = over
        return found

    def _describe(self) -> dict[str, Any]:
        description = self._job.describe()
        return {
            "type": "progress",
            "percent": round(description["progress"] * 100, 1),
            "stage": description["stage"],
            "frames": description["frames"]["done"],
            "frames_per_s": description["frames_per_s"],
            "time_left_s": description["time_left_s"],
        }


def _rounded(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: round(v, 3) if isinstance(v, float) else v for name, v in fields.items()}
