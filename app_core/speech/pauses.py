"""Silence before and after what is said, whoever says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app_core.speech.text.sentences import ends_sentence

if TYPE_CHECKING:
    from app_core.speech.text.piece import Piece
    from app_core.types import Prosody

LEAD_S = 0.06
"""Before the first piece, in which the mouth gets ready."""
_SENTENCE_S = 0.3
_CLAUSE_S = 0.15


def lead_s(piece: Piece) -> float:
    return 0.0 if piece.index else LEAD_S


def pause_s(piece: Piece, prosody: Prosody) -> float:
    """After the piece, by its punctuation."""
    if piece.joined:
        return 0.0
    return (_SENTENCE_S if ends_sentence(piece.said) else _CLAUSE_S) / prosody.speed
