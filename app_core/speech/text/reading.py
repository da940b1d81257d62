"""From what is written to what is said, a short part of the text at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app_core.speech.text import english, kazakh, russian
from app_core.speech.text.cleaning import clean
from app_core.speech.text.piece import Piece, read_words
from app_core.speech.text.sentences import pieces
from app_core.speech.text.span_text import SpanText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

LANGUAGES: Mapping[str, Callable[[SpanText], SpanText]] = {
    "ru": russian.normalise,
    "kk": kazakh.normalise,
    "en": english.normalise,
}
"""What is said in place of numbers, signs and abbreviations."""
_ENOUGH = 160
"""Characters that are read at once, where a sentence ends then: the first ones are said while the
rest is not looked at."""
_MOST = 1200
"""The same where no end of a sentence is found."""
_SURE_END = re.compile(r"[!?…]\s+(?=[^\W\d_])|(?<=[^\W\d_]{5})[.]\s+(?=[A-ZА-ЯЁӘҒҚҢӨҰҮҺІ])|\n\s*\n")
"""Where no abbreviation can be meant."""


@dataclass(frozen=True)
class Reader:
    dictionary: Mapping[str, str] = field(default_factory=dict)
    """Readings of words, those of the server."""

    def read(self, text: str, language: str) -> Iterator[Piece]:
        """Each piece when it is asked for. The work before the first does not grow with the
        text; none comes of a text in which there is nothing to say."""
        index = 0
        for part in _parts(text):
            said = LANGUAGES[language](clean(part))
            for piece in pieces(said, language, first=not index):
                words = read_words(text, piece)
                start, end = piece.span(0, len(piece))
                yield Piece(index, language, piece.text, text[start:end].strip(), words)
                index += 1


def _parts(text: str) -> Iterator[SpanText]:
    # There may be a mebibyte of spaces around a text.
    start, stop = len(text) - len(text.lstrip()), len(text.rstrip())
    while start < stop:
        end = _part_end(text, start)
        yield SpanText.written(text[start:end], start)
        start = end


def _part_end(text: str, start: int) -> int:
    for mark in _SURE_END.finditer(text, start + _ENOUGH, start + _MOST):
        return mark.end()
    if len(text) <= start + _MOST:
        return len(text)
    cut = text.rfind(" ", start + _ENOUGH, start + _MOST)
    return start + _MOST if cut < 0 else cut + 1
