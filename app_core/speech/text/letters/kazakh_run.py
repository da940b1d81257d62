"""Kazakh written in Latin letters within a Kazakh text, in the Cyrillic ones it is read from."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from app_core.speech.text.letters import latin_kazakh, latin_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app_core.speech.text.span_text import SpanText

_L = "a-zA-ZÀ-ÖØ-öø-ɏəƏ"
_WORD = re.compile(rf"(?<![{_L}.@\d])[{_L}]+(?:['’][{_L}]+)*(?![{_L}@\d]|\.[{_L}])")
_RUN = re.compile(rf"[{_L}][^\nЀ-ӿ]*")
_LIKELY_KEPT = 3
"""Letters from which on a word of the list of foreign ones is no Kazakh word that looks like it."""


def in_cyrillic(text: SpanText, is_kazakh: Callable[[Sequence[str]], bool]) -> SpanText:
    """The runs of Latin words that are Kazakh as a whole. Addresses stay as they are."""
    found = [
        match.span()
        for match in _RUN.finditer(text.text)
        if not _is_formula(match.group()) and is_kazakh(_WORD.findall(match.group()))
    ]
    parts: list[SpanText] = []
    done = 0
    for start, end in found:
        run = text.part(start, end)
        replacement = partial(_word, soft_k="q" in run.text.lower())
        parts += (text.part(done, start), run.sub(_WORD, replacement))
        done = end
    return type(text).joined([*parts, text.part(done, len(text))]) if parts else text


def _is_formula(run: str) -> bool:
    """``Q = cmΔt``, in which no letter is of a word."""
    return "=" in run and all(len(word) < _LIKELY_KEPT + 2 for word in _WORD.findall(run))


def _word(match: re.Match[str], soft_k: bool) -> str | None:
    word = match.group()
    typed = latin_kazakh.is_typed(word.lower()) or not latin_kazakh.SPECIAL.isdisjoint(word)
    if not typed and (len(word) >= _LIKELY_KEPT and latin_words.known(word)):
        return None
    if not typed and word.isupper() and len(word) <= latin_words.LONGEST_ABBREVIATION:
        return None
    return latin_kazakh.in_cyrillic(word, soft_k)
