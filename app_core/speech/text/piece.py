"""What a voice says at a time, and which written characters each of its words stands for."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_TOKEN = re.compile(r"\S+")
_MARKS = frozenset("*_~`")
"""Around words; silent."""


@dataclass(frozen=True, slots=True)
class ReadWord:
    """What is written between two spaces, or several of these that are said as one: ``10 000``."""

    written: str
    start: int
    """Index into the whole text, as it was sent."""
    end: int
    said: str
    said_start: int
    """Index into ``said`` of its Piece."""


@dataclass(frozen=True, slots=True)
class Piece:
    index: int
    language: str
    """Of the voice that says it."""
    said: str
    """Ends in a mark that ends a sentence, or is a clause that goes on in the next piece."""
    written: str
    words: tuple[ReadWord, ...]
    """In order; together they say all of ``said``."""
    stresses: tuple[int, ...] = ()
    """Indices into ``said`` of the vowels that the writer or a list marks as stressed."""
    joined: bool = False
    """The next piece goes on in another language without a pause."""


def written_range(text: str, said: SpanText) -> tuple[int, int]:
    """Of the sent ``text``, where all of ``said`` was written, which must not be empty; with both
    halves of the marks around its first and last word, as in ``**word**``."""
    start, end = said.span(0, len(said))
    before, after = start, end
    while before and text[before - 1] in _MARKS:
        before -= 1
    while after < len(text) and text[after] in _MARKS:
        after += 1
    if before and text[before - 1].isalnum():
        before = start
    if after < len(text) and text[after].isalnum():
        after = end
    return before, after


def read_words(text: str, said: SpanText) -> tuple[ReadWord, ...]:
    """The words of the sent ``text``, with the marks beside them, that ``said`` stands for."""
    if not said:
        return ()
    tokens = [token.span() for token in _TOKEN.finditer(text, *written_range(text, said))]
    starts, ends = [start for start, _ in tokens], [end for _, end in tokens]
    most, span = len(tokens) - 1, said.span
    groups: list[tuple[int, int, int, int]] = []
    """First and last of ``tokens``, and the range in ``said``."""
    for token in _TOKEN.finditer(said.text):
        word = token.group()
        if not (word.isalnum() or any(map(str.isalnum, word))):
            continue
        at, until = token.span()
        start, stop = span(at, until)
        number = min(bisect_right(ends, start), most)
        last = max(number, bisect_left(starts, stop) - 1)
        while groups and groups[-1][1] >= number:
            before = groups.pop()
            number, last, at = min(before[0], number), max(before[1], last), before[2]
        groups.append((number, last, at, until))
    return tuple(
        ReadWord(
            text[tokens[first][0] : tokens[last][1]],
            tokens[first][0],
            tokens[last][1],
            said.text[start:stop],
            start,
        )
        for first, last, start, stop in groups
    )
