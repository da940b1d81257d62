"""From a synthesiser's word events to the words of its text, with their times."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from app_core.types import Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app_core.types import Phoneme

_TOKEN = re.compile(r"\S+")


def words(
    text: str, events: Iterable[tuple[float, int]], phonemes: Sequence[Phoneme]
) -> tuple[Word, ...]:
    """The words of ``text`` as they are written, with the marks beside them, in order.

    ``events`` are (seconds, index into ``text``) in order, as espeak-ng gives them: a number has
    an event for each word it is read as, and an index may lie on the space before its word. What
    is not said, such as a dash, is left out. A word ends with its last phoneme.
    """
    tokens = list(_TOKEN.finditer(text))
    ends = [token.end() for token in tokens]
    starts_s: dict[int, float] = {}
    for second, index in events:
        number = bisect_right(ends, index)
        if number < len(tokens) and number >= max(starts_s, default=0):
            if any(map(str.isalnum, tokens[number].group())):
                starts_s.setdefault(number, second)
    found = []
    said = list(starts_s.items())
    limits_s = [start_s for _, start_s in said[1:]] + [float("inf")]
    for (number, start_s), limit_s in zip(said, limits_s, strict=False):
        end_s = max(
            (p.end_s for p in phonemes if p.ipa and start_s <= p.start_s < limit_s), default=start_s
        )
        found.append(Word(tokens[number].group(), start_s, max(start_s, min(end_s, limit_s))))
    return tuple(found)
