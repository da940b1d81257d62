"""What a voice is: pieces of text in, speech out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from app_core.cancel_scope import never
from app_core.types import PLAIN, Prosody

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app_core.cancel_scope import Stale
    from app_core.speech.text.piece import Piece
    from app_core.types import Speech


class VoiceDescription(Protocol):
    """What is said of whoever speaks."""

    id: str
    """``engine`` or ``engine:voice``, as the settings and requests name it."""
    languages: tuple[str, ...]
    """Of ``ru``, ``kk``, ``en``."""
    sample_rate: int
    """Samples a second of what it says."""
    name: str
    """For a person."""
    engine: str
    licence: str
    """SPDX identifier of the engine's code."""
    weights_licence: str
    """SPDX identifier of the weights or data, or what their publisher says."""
    pitched: bool
    """Whether ``Prosody.pitch`` is followed; elsewhere it is 0."""


class Voice(VoiceDescription, Protocol):
    def warm(self) -> None:
        """Loads what the first text would load. Raises as ``speak``; safe to do again."""

    def speak(
        self, piece: Piece, prosody: Prosody = PLAIN, stale: Stale = never
    ) -> Iterator[Speech]:
        """What ``piece.said`` sounds like, in one or more parts, each made when it is asked for,
        with the words as they are written. A pause follows as the piece ends.

        ``stale`` is asked in every wait, so that a voice that waits for a server or for its turn
        stops in time. Thread-safe. Raises Cancelled when ``stale`` says so, VoiceFailed with the
        engine's own words, VoiceUnreachable when its server does not answer.
        """
