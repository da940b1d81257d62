"""What a session makes at every tick of its clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app_core.types import Float32, Picture

SAMPLE_RATE = 48_000
"""Of every sound that leaves a session, samples a second."""


@dataclass(frozen=True, slots=True, eq=False)
class LiveFrame:
    """One frame of a session with its own sound. The session's clock begins at frame 0."""

    index: int
    fps: int
    generation: int
    """Interrupts of the session so far."""
    idle: bool
    """Nobody speaks."""
    picture: Picture | None
    """None: its time had passed, only the sound goes out."""
    pcm: Float32
    """Mono, -1..1, at SAMPLE_RATE: from ``first_sample`` of this frame to that of the next."""

    @property
    def seconds(self) -> float:
        return self.index / self.fps

    @property
    def micros(self) -> int:
        return round(self.index * 1e6 / self.fps)
