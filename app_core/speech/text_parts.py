"""A text in parts of some words, none of which cuts what is read as one."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from app_core.speech.text.piece import Piece, ReadWord

_TOKEN = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class TextPart:
    start: int
    """Index into the whole text, as it was sent."""
    end: int
    pieces: tuple[Piece, ...]
    """Numbered from nought; none where nothing of it is said."""


def text_parts(text: str, pieces: Iterable[Piece], most: int) -> list[TextPart]:
    """``text`` in parts of at most ``most`` written words, with what is said of each.

    ``pieces``: the reading of all of ``text``. What stands between two spaces and has a letter or
    digit is a written word; what has none stays beside one. A ReadWord of several is never cut,
    however many they are.
    """
    read = list(pieces)
    ranges = _ranges(text, [word for piece in read for word in piece.words], most)
    starts = [start for start, _ in ranges]
    said: list[list[Piece]] = [[] for _ in ranges]
    for piece in read:
        for number, part in _parted(piece, starts):
            said[number].append(replace(part, index=len(said[number])))
    return [
        TextPart(start, end, tuple(own)) for (start, end), own in zip(ranges, said, strict=True)
    ]


def _parted(piece: Piece, starts: Sequence[int]) -> Iterator[tuple[int, Piece]]:
    """By the ranges that its words lie in, which begin at ``starts``."""
    numbers = (bisect_right(starts, word.start) - 1 for word in piece.words)
    first = 0
    for number, words in groupby(numbers):
        last = first + len(list(words))
        yield number, piece.part(first, last)
        first = last


def _ranges(text: str, words: Sequence[ReadWord], most: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    count = 0
    for start, end in _units(text, words):
        weight = sum(any(map(str.isalnum, token)) for token in text[start:end].split())
        if not found or (weight and count and count + weight > most):
            found.append((start, end))
            count = 0
        found[-1] = (found[-1][0], end)
        count += weight
    return found


def _units(text: str, words: Sequence[ReadWord]) -> Iterator[tuple[int, int]]:
    """The ranges between spaces; those that a word is written in are one."""
    tokens = [token.span() for token in _TOKEN.finditer(text)]
    starts = [start for start, _ in tokens]
    joined = {
        number
        for word in words
        for number in range(bisect_right(starts, word.start), bisect_left(starts, word.end))
    }
    first = 0
    for number in range(1, len(tokens) + 1):
        if number not in joined:
            yield starts[first], tokens[number - 1][1]
            first = number
