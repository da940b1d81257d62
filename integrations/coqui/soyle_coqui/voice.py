"""A loaded model. Only the model's thread speaks with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from soyle_coqui.wav import Float32

DEFAULT = "default"


class Voice(Protocol):
    name: str
    languages: tuple[str, ...]
    speakers: tuple[str, ...]
    """What a request may name, the default first; empty: it has one voice."""
    sample_rate: int
    streams: bool
    """Whether a piece comes in parts while it is made."""
    licence: str | None

    def cut(self, text: str, language: str) -> list[str]:
        """Pieces that ``speak`` can say, in their order."""

    def speak(self, piece: str, language: str, speaker: str, speed: float) -> Iterator[Float32]:
        """Mono, -1..1. ``speaker`` is one of ``speakers``, or empty: the default."""
