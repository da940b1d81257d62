"""What a voice says at a time, and which written characters each of its words stands for."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_TOKEN = re.compile(r"\S+")
_POINT = re.compile(r"\.+(?=[\"'»”’)\]}]*$)")
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
    start: int = 0
    """Where ``written`` begins in the whole text."""

    def part(self, first: int, last: int | None = None) -> Piece:
        """What its words [first, last) say, where None is the end of them: for another voice, or
        to be heard apart. It is a clause that goes on where the sentence does. Its ``index`` is
        that of the whole. Raises ValueError without a word.
        """
        words = self.words[first:last]
        if not words:
            raise ValueError("a part of a piece has at least one word")
        at_start, at_end = words[0] is self.words[0], words[-1] is self.words[-1]
        begin = 0 if at_start else words[0].said_start
        end = len(self.said) if at_end else words[-1].said_start + len(words[-1].said)
        said = self.said[begin:end] if at_end else _POINT.sub("", self.said[begin:end])
        start = self.start if at_start else words[0].start
        stop = self.start + len(self.written) if at_end else words[-1].end
        return replace(
            self,
            said=said,
            written=self.written[start - self.start : stop - self.start],
            words=tuple(replace(word, said_start=word.said_start - begin) for word in words),
            stresses=tuple(at - begin for at in self.stresses if begin <= at < end),
            joined=self.joined and at_end,
            start=start,
        )


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
