"""From what is written to what is said, a short part of the text at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app_core.speech.text import english, kazakh, russian
from app_core.speech.text.cleaning import clean
from app_core.speech.text.markup import without_html
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
_ENOUGH_FIRST, _ENOUGH = 160, 600
"""Characters that are read at once, where a sentence ends then: the first ones are said while the
rest is not looked at."""
_MOST = 1200
"""The same where no end of a sentence is found."""
_SURE_END = re.compile(r"[!?…]\s+(?=[^\W\d_])|(?<=[^\W\d_]{6})[.]\s+(?=[A-ZА-ЯЁӘҒҚҢӨҰҮҺІ])|\n\s*\n")
"""Where no abbreviation can be meant."""
_FAIR_ENDS = (
    re.compile(r"\n+"),
    re.compile(r"(?<=[^\W\d_]{3})[,;:]\s+(?=[^\W\d_]{2})"),
    re.compile(r"(?<=[^\W\d_]{4})\s+(?=[^\W\d_]{4})"),
    re.compile(r"\s+"),
)
"""Where a part may end that has no sure end, the better ones first: never inside a number or an
address where words stand around it."""


@dataclass(frozen=True)
class Reader:
    dictionary: Mapping[str, str] = field(default_factory=dict)
    """Readings of words, those of the server."""

    def read(self, text: str, language: str) -> Iterator[Piece]:
        """Each piece when it is asked for. The reading before the first does not grow with
        the text; none comes of a text in which there is nothing to say."""
        index = 0
        for part in _parts(text):
            said = LANGUAGES[language](clean(part))
            for piece in pieces(said, language, first=not index):
                words = read_words(text, piece)
                start, end = piece.span(0, len(piece))
                yield Piece(index, language, piece.text, text[start:end].strip(), words)
                index += 1


def _parts(text: str) -> Iterator[SpanText]:
    whole = without_html(SpanText.written(text))
    start = 0
    while start < len(whole):
        end = _part_end(whole.text, start)
        yield whole.part(start, end)
        start = end


def _part_end(text: str, start: int) -> int:
    enough, most = start + (_ENOUGH if start else _ENOUGH_FIRST), start + _MOST
    sure = _SURE_END.search(text, enough, most)
    if sure:
        return sure.end()
    if len(text) <= most:
        return len(text)
    for border in _FAIR_ENDS:
        ends = [match.end() for match in border.finditer(text, enough, most)]
        if ends:
            return ends[-1]
    return most
