"""Readings of words that the server's owner or a client knows better."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from app_core.config import ConfigError
from app_core.errors import BadInput
from app_core.speech.text.cleaning import clean
from app_core.speech.text.span_text import SpanText
from app_core.speech.text.stress import ACUTE, acute

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_UNIT = re.compile(r"[^\W_]+|\S")
"""What a word of the dictionary can begin with."""
_Index = dict[str, list[str]]
"""Words by what they begin with, the longest first."""
_NUMBER_BEFORE = re.compile(r"(?:\d[ .,:/–-]?|[$€£₸₽#№+−-]) ?$")
_NUMBER_AFTER = re.compile(r"[ .,:/–-]?\d| ?[%‰°₸₽$€£]|-[^\W\d_]")
"""``10`` is no word in ``10 000``, ``10 %`` and ``10-й``."""
_NAME_GOES_ON = re.compile(r"[.@][^\W_]")
"""``kaspi`` is no word in ``kaspi.kz``."""


class _Entry(NamedTuple):
    word: str
    """In lower case."""
    reading: str
    whole: bool
    """Cleaning takes nothing away from the word."""


class Dictionary:
    """Whole words, in any case; of two that begin at the same place the longer one is meant."""

    def __init__(self, readings: Mapping[str, str]) -> None:
        """A reading may carry marks of stress, ``+`` before a vowel or U+0301 after it. Of words
        that differ in case alone the last one counts."""
        self._know(map(_entry, readings.items()))

    def under(self, readings: Mapping[str, str]) -> Dictionary:
        """Both; where both know a word, the reading of ``readings``. Raises BadInput for one that
        cannot be said, as it is markup or a picture."""
        if not readings:
            return self
        entries = list(map(_entry, readings.items()))
        for word, entry in zip(readings, entries, strict=True):
            if not any(map(str.isalnum, entry.reading)):
                raise BadInput(f"The reading of {word!r} cannot be said", field="dictionary")
        both = Dictionary({})
        both._know([*self._entries, *entries])
        return both

    def _know(self, entries: Iterable[_Entry]) -> None:
        """The later ones come before."""
        known = {entry.word: entry for entry in entries}
        self._entries = tuple(known.values())
        self._readings = {word: entry.reading for word, entry in known.items()}
        self._lost: _Index = defaultdict(list)
        self._kept: _Index = defaultdict(list)
        for word in sorted(known, key=len, reverse=True):
            unit = _UNIT.match(word)
            if unit:
                (self._kept if known[word].whole else self._lost)[unit.group()].append(word)

    def before_cleaning(self, text: SpanText) -> SpanText:
        """The words of which cleaning would take something away, as ``C#``."""
        return self._replaced(text, self._lost)

    def after_cleaning(self, text: SpanText) -> SpanText:
        return self._replaced(text, self._kept)

    def _replaced(self, text: SpanText, index: _Index) -> SpanText:
        if not index:
            return text
        lower, parts, done = _lower(text.text), [], 0
        for unit in _UNIT.finditer(lower):
            start = unit.start()
            for word in index.get(unit.group(), ()) if start >= done else ():
                end = start + len(word)
                if lower.startswith(word, start) and _whole(lower, start, end):
                    parts.append(text.part(done, start))
                    parts.append(text.replaced(start, end, self._readings[word]))
                    done = end
                    break
        return SpanText.joined([*parts, text.part(done, len(text))])


def read_dictionary(path: Path | None) -> Dictionary:
    """Of a file of ``word = reading`` lines, where ``#`` begins a comment. Raises ConfigError that
    names the line."""
    found: dict[str, str] = {}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines() if path else []
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"DICTIONARY={path}: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("# "):
            continue
        word, sign, reading = line.partition(" = ") if " = " in line else line.partition("=")
        if not sign or not word.strip() or not any(map(str.isalnum, reading)):
            raise ConfigError(f"DICTIONARY={path}: line {number} is not word = reading")
        found[word] = reading
    return Dictionary(found)


def reading_of(reading: str) -> str:
    """As it is put into a text: marks of stress are acutes, nothing that a voice would spell."""
    return clean(SpanText.written(acute(reading))).text.replace("\n", " ")


def _entry(item: tuple[str, str]) -> _Entry:
    word = _lower(" ".join(item[0].split()))
    return _Entry(word, reading_of(item[1]), clean(SpanText.written(word)).text == word)


def _whole(text: str, start: int, end: int) -> bool:
    before = text[start - 1] if start else " "
    if text[start].isalnum() and (before.isalnum() or before == "_"):
        return False
    if text[start].isalnum() and before in ".@" and start > 1 and text[start - 2].isalnum():
        return False
    if text[start].isdecimal() and _NUMBER_BEFORE.search(text, max(0, start - 4), start):
        return False
    if text[end - 1].isdecimal() and _NUMBER_AFTER.match(text, end):
        return False
    if not text[end - 1].isalnum():
        return True
    after = text[end : end + 1]
    return not (after.isalnum() or after in ("_", ACUTE) or _NAME_GOES_ON.match(text, end))


def _lower(text: str) -> str:
    """In lower case, as long as it was."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(map(_lower_char, text))


def _lower_char(char: str) -> str:
    lower = char.lower()
    return lower if len(lower) == 1 else char
