"""What an engine gives that knows nothing of mouths: pieces of text in, sound out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from app_core.errors import Cancelled, VoiceFailed
from app_core.speech.voice import VoiceDescription

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app_core.cancel_scope import Stale
    from app_core.speech.text.piece import Piece
    from app_core.types import Float32, Prosody


class Synthesizer(VoiceDescription, Protocol):
    """One voice of an engine. ``AlignedVoice`` makes a Voice of it."""

    streams: bool
    """Parts come while the rest is still being made; else all that ``synthesize`` gives is there
    at once."""

    def warm(self) -> None:
        """Loads what the first text would load. Raises as ``synthesize``; safe to do again."""

    def synthesize(self, piece: Piece, prosody: Prosody, stale: Stale) -> Iterator[Float32]:
        """``piece.said``, mono, about -1..1, in one or more parts, each made when it is asked for.
        Silence at the ends does not matter, nor does the level as long as it is always the same.

        ``stale`` is asked before the work begins and in every wait. Thread-safe. Raises Cancelled
        when ``stale`` says so, VoiceFailed with the engine's own words, VoiceUnreachable when its
        server does not answer.
        """


def check_wanted(voice: VoiceDescription, piece: Piece, stale: Stale) -> None:
    """Before the work begins. Raises VoiceFailed for a language that the voice does not speak, or
    Cancelled."""
    if piece.language not in voice.languages:
        raise VoiceFailed(f"{voice.id} does not speak the language {piece.language!r}.")
    if stale():
        raise Cancelled("Nobody waits for the speech any more")
