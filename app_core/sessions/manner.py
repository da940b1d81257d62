"""How a session is made, and how it speaks unless it is told otherwise."""

from __future__ import annotations

from typing import NamedTuple


class SessionFormat(NamedTuple):
    """What all frames of a session have in common, and how much may wait in it."""

    fps: int
    jpeg_quality: int
    most_utterances: int
    most_characters: int
    least_bits_s: int = 0
    """Of video whose rate follows the line, at full size; 0: by its size."""
    most_bits_s: int = 0


class Manner(NamedTuple):
    """How a session speaks unless it is told otherwise."""

    language: str
    voice: str | None
    speed: float
    pitch: float
