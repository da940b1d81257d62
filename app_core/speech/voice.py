"""What a voice is: text in, spoken pieces out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app_core.types import Speech


class Voice(Protocol):
    id: str
    languages: tuple[str, ...]
    """Of ``ru``, ``kk``, ``en``."""
    sample_rate: int
    name: str
    """For a person."""
    engine: str
    licence: str
    """SPDX identifier of the engine and its data."""

    def speak(self, text: str, language: str, speed: float = 1.0) -> Iterator[Speech]:
        """Pieces of speech in order, each made when it is asked for; ``speed`` 0.5..2.

        Thread-safe. Raises VoiceFailed with the engine's own words.
        """
