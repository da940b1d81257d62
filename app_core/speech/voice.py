"""What a voice is: text in, spoken pieces out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app_core.types import Speech

Stale = Callable[[], bool]
"""Whether nobody wants the speech any more. Quick, from any thread."""


def never() -> bool:
    return False


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

    def speak(
        self, text: str, language: str, speed: float = 1.0, stale: Stale = never
    ) -> Iterator[Speech]:
        """Pieces of speech in order, each made when it is asked for; ``speed`` 0.5..2.

        ``stale`` is asked before each piece and in every wait, so that a voice that waits for a
        server or for its turn stops in time. Thread-safe. Raises Cancelled when ``stale`` says
        so, VoiceFailed with the engine's own words, VoiceUnreachable when its server does not
        answer.
        """
