"""From a synthesizer's word events to the words as they are written, with their times."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

from app_core.types import Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from app_core.speech.text.piece import Piece, ReadWord
    from app_core.types import Phoneme

_TOKEN = re.compile(r"\S+")


def words(
    piece: Piece, events: Iterable[tuple[float, int]], phonemes: Sequence[Phoneme]
) -> tuple[Word, ...]:
    """The words as they are written, with the marks beside them, in order.

    ``events`` are (seconds, index into ``piece.said``) in order, as espeak-ng gives them: an index
    may lie on the space before its word, a dash may have one, and a word may have none. A word ends
    with its last phoneme.
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
    found: list[Word] = []
    said = list(starts_s.items())
    if not said:
        return ()
    said[0] = (0, said[0][1])
    limits = [*said[1:], (len(read), float("inf"))]
    for (number, start_s), (following, limit_s) in zip(said, limits, strict=True):
        end_s = max(
            (p.end_s for p in phonemes if p.ipa and start_s <= p.start_s < limit_s), default=start_s
        )
        found += _shared(read[number:following], start_s, max(start_s, min(end_s, limit_s)))
    return tuple(found)


def _shared(read: Sequence[ReadWord], start_s: float, end_s: float) -> Iterator[Word]:
    """Words that are said as one, ``in the`` or what follows a dash, share its time by their
    letters."""
    letters = [sum(map(str.isalnum, word.said)) for word in read]
    borders = [start_s + (end_s - start_s) * done / sum(letters) for done in accumulate(letters)]
    for word, begin_s, border_s in zip(read, [start_s, *borders], borders, strict=False):
        yield Word(word.written, begin_s, border_s, word.start, word.end)
