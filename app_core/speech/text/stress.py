"""Where the writer, a dictionary or a list of names puts the stress."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.language import is_russian
from app_core.speech.text.names import stress_of_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app_core.speech.text.span_text import SpanText

ACUTE = "\u0301"
VOWELS = "аеёиоуыэюяәіөұүАЕЁИОУЫЭЮЯӘІӨҰҮ"
_ACUTE = re.compile(ACUTE)
_LETTERS = re.compile(rf"[^\W\d_{ACUTE}](?:[^\W\d_]|{ACUTE})*")
_L = "а-яёәғқңөұүһіА-ЯЁӘҒҚҢӨҰҮҺІ"
_PLUS_VOWEL = re.compile(rf"\+([{VOWELS}])")
_WITH_PLUS = re.compile(rf"(?<![\w+)])[{_L}]*+(?:\+[{VOWELS}][{_L}]*+)++(?![\w+(])")
"""A word with ``+`` before the vowel that is stressed, as Russian speech engines take it."""

Stresses = dict[tuple[int, int], list[tuple[str, int]]]
"""By the written range of a word: the word without its mark, and the index of its vowel."""


def acute(text: str) -> str:
    """``зам+ок`` as ``замо́к``."""
    return _WITH_PLUS.sub(lambda match: _acute(match.group()), text)


def _acute(word: str) -> str:
    return _PLUS_VOWEL.sub(rf"\1{ACUTE}", word)


def _acutes(text: SpanText) -> SpanText:
    """As ``acute``, but for what is a sum, as ``кофе+интернет``. A ``+`` before a word is a mark
    where others are."""
    words = [word.group() for word in _WITH_PLUS.finditer(text.text)]
    if not words:
        return text
    marked = ACUTE in text.text or any(word[0] != "+" and _is_marked(word) for word in words)

    def replacement(match: re.Match[str]) -> str | None:
        word = match.group()
        return _acute(word) if (marked if word[0] == "+" else _is_marked(word)) else None

    return text.sub(_WITH_PLUS, replacement)


def _is_marked(word: str) -> bool:
    return is_russian(word.replace("+", "")) or not all(map(is_russian, word.split("+")))


def take(text: SpanText) -> tuple[SpanText, Stresses]:
    """``text`` without marks of stress, and what they said."""
    text = _acutes(text)
    if ACUTE not in text.text:
        return text, {}
    found: Stresses = {}
    for word in _LETTERS.finditer(text.text):
        at = word.group().find(ACUTE)
        if 0 < at and word.group()[at - 1] in VOWELS:
            plain = word.group().replace(ACUTE, "").lower()
            if sum(letter in VOWELS for letter in plain) > 1:
                found.setdefault(text.span(*word.span()), []).append((plain, at - 1))
    return text.sub(_ACUTE, ""), found


def stresses(said: SpanText, language: str, known: Stresses) -> Iterator[int]:
    """Indices of the vowels in ``said`` that are known to be stressed."""
    for word in _LETTERS.finditer(said.text):
        at = None
        if known:
            lower = word.group().lower()
            marks = known.get(said.span(*word.span()), ())
            at = next((at for plain, at in marks if plain == lower), None)
        if at is None and language == "ru":
            at = stress_of_name(word.group())
        if at is not None:
            yield word.start() + at
