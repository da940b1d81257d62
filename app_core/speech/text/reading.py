"""From what is written to what is said, a short part of the text at a time."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from app_core.cancel_scope import never
from app_core.speech.text import foreign_runs
from app_core.speech.text.cleaning import clean
from app_core.speech.text.dictionary import Dictionary
from app_core.speech.text.language import is_kazakh
from app_core.speech.text.letters import kazakh_run, nearest
from app_core.speech.text.letters.lookalikes import unmixed
from app_core.speech.text.markup import without_html
from app_core.speech.text.noise import Noise, plain
from app_core.speech.text.piece import Piece, read_words, written_range
from app_core.speech.text.sentence_language import by_language, language_of
from app_core.speech.text.sentences import pieces
from app_core.speech.text.span_text import SpanText
from app_core.speech.text.stress import stresses, take
from app_core.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from app_core.cancel_scope import Stale
    from app_core.speech.text.foreign_runs import Part
    from app_core.speech.text.stress import Stresses

AUTO = "auto"
"""Each sentence in the language that it is in."""


def _russian(text: SpanText) -> SpanText:
    from app_core.speech.text.russian import normalise

    return normalise(text)


def _kazakh(text: SpanText) -> SpanText:
    from app_core.speech.text.kazakh import normalise

    return normalise(text)


def _english(text: SpanText) -> SpanText:
    from app_core.speech.text.english import normalise

    return normalise(text)


LANGUAGES: Mapping[str, Callable[[SpanText], SpanText]] = {
    "ru": _russian,
    "kk": _kazakh,
    "en": _english,
}
"""What is said in place of numbers, signs and abbreviations. Their hundreds of patterns are made
when they are first needed: a server makes them once its model is loaded."""
_ENOUGH_FIRST, _ENOUGH = 160, 600
"""Characters that are read at once, where a sentence ends then: the first ones are said while the
rest is not looked at."""
_MOST = 1200
"""The same where no end of a sentence is found."""
_MOST_ASK = 32
"""Requests that wait for the reader: it has done with all of them in a second or two."""
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


_FIRST_TEXTS = {"ru": "5 книг до Zoom, зв. дл.", "kk": "5 кітап, 7 км.", "en": "5 books, 7 km."}
"""They need everything: nouns that are counted, brands, abbreviations that nobody knows."""


class TextReader:
    def __init__(self, dictionary: Dictionary | None = None, turns: Turns | None = None) -> None:
        """``dictionary``: that of the server. ``turns``: shared with other readers."""
        self._dictionary = dictionary or Dictionary({})
        self._turns = Turns("The reader of texts", most=_MOST_ASK) if turns is None else turns

    def knowing(self, readings: Mapping[str, str]) -> TextReader:
        """With ``readings`` of a request, which come before the own ones. Raises BadInput for one
        that cannot be said, or Busy."""
        if not readings:
            return self
        with self._turns.turn(sum(map(len, readings.values()))):
            return TextReader(self._dictionary.under(readings), self._turns)

    def warm(self, stale: Stale = never) -> None:
        """Loads what the first text would wait for, a second's work, until ``stale`` says so."""
        for language, text in _FIRST_TEXTS.items():
            if not stale():
                list(self.read(text, language))

    def read(
        self, text: str, language: str, spoken: Collection[str] = tuple(LANGUAGES)
    ) -> Iterator[Piece]:
        """Each piece when it is asked for. The work before the first does not grow with the
        text; none comes of a text in which there is nothing to say.

        One part of one text is read at a time, a few milliseconds' work, live ones first: a crowd
        of readers would keep Python's lock from those who make frames. Raises Busy, and Cancelled
        in the thread of a job that nobody wants any more.

        ``language`` may be AUTO. ``spoken``: the languages that there is a voice for; words of
        others are said in the nearest letters.
        """
        parts = self._parts(text, language, spoken)
        index, characters = 0, _ENOUGH_FIRST
        while True:
            with self._turns.turn(min(len(text), characters)):
                part = next(parts, None)
            if part is None:
                return
            for piece in part:
                yield replace(piece, index=index)
                index += 1
            characters = _ENOUGH

    def _parts(self, text: str, language: str, spoken: Collection[str]) -> Iterator[list[Piece]]:
        usual = language_of(text, spoken) if language == AUTO else language
        before, noise, first = None, Noise(), True
        for part in _parts(text):
            cleaned = clean(self._dictionary.before_cleaning(part))
            cleaned, marked = take(unmixed(self._dictionary.after_cleaning(cleaned)))
            ones: Iterable[Part]
            if noise.begins(cleaned.text):
                ones = [foreign_runs.Part(usual, plain(cleaned, usual), joined=False)]
            else:
                runs: list[tuple[str, SpanText]] = [(language, cleaned)]
                if language == AUTO:
                    runs = by_language(cleaned, spoken, usual, before)
                before = runs[-1][0] if runs else before
                ones = chain.from_iterable(
                    foreign_runs.parts(run, name, spoken) for name, run in runs
                )
            found: list[Piece] = []
            for one in ones:
                found += _pieces(text, one, marked, first=first and not found)
            first = first and not found
            yield found


def _pieces(text: str, part: Part, marked: Stresses, first: bool) -> Iterator[Piece]:
    """Numbered from nought."""
    language, written = part.language, part.text
    if language == "kk":
        written = kazakh_run.in_cyrillic(written, is_kazakh)
    said, found = take(nearest(LANGUAGES[language](written), language))
    known = {**marked, **found}
    if part.joined:
        said = said.strip()
        said = said.append(",") if said else said
    cut = pieces(said, language, first=first)
    if part.joined and cut:  # the comma has kept a full stop away; nobody makes a pause here
        cut[-1] = cut[-1].part(0, len(cut[-1].text.removesuffix(",")))
    for number, piece in enumerate(cut):
        start, end = written_range(text, piece)
        yield Piece(
            number,
            language,
            piece.text,
            text[start:end].strip(),
            read_words(text, piece),
            tuple(stresses(piece, language, known)),
            part.joined and number == len(cut) - 1,
            start,
        )


def _parts(text: str) -> Iterator[SpanText]:
    # There may be a mebibyte of spaces around a text.
    before, stop = len(text) - len(text.lstrip()), len(text.rstrip())
    whole = without_html(SpanText.written(text[before:stop], before))
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
