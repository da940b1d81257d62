"""From a synthesiser's word events to the words as they are written, with their times."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from app_core.types import Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app_core.speech.text.piece import Piece
    from app_core.types import Phoneme

_TOKEN = re.compile(r"\S+")


def words(
    piece: Piece, events: Iterable[tuple[float, int]], phonemes: Sequence[Phoneme]
) -> tuple[Word, ...]:
    """The words as they are written, with the marks beside them, in order.

    ``events`` are (seconds, index into ``piece.said``) in order, as espeak-ng gives them: an index
    may lie on the space before its word, and a dash may have one. A word ends with its last
    phoneme.
    """
    read = piece.words
    tokens = list(_TOKEN.finditer(piece.said))
    ends = [token.end() for token in tokens]
    begins = [word.said_start for word in read]
    starts_s: dict[int, float] = {}
    for second, index in events:
        at = bisect_right(ends, index)
        if at == len(tokens) or not any(map(str.isalnum, tokens[at].group())):
            continue
        number = bisect_right(begins, tokens[at].start()) - 1
        if number >= max(starts_s, default=0):
            starts_s.setdefault(number, second)
    found = []
    said = list(starts_s.items())
    limits_s = [start_s for _, start_s in said[1:]] + [float("inf")]
    for (number, start_s), limit_s in zip(said, limits_s, strict=False):
        end_s = max(
            (p.end_s for p in phonemes if p.ipa and start_s <= p.start_s < limit_s), default=start_s
        )
        word, end_s = read[number], max(start_s, min(end_s, limit_s))
        found.append(Word(word.written, start_s, end_s, word.start, word.end))
    return tuple(found)
