"""Each word in letters that the voice of a language knows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.letters import cyrillic, english_spelling, latin_kazakh, latin_words

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_L = "a-zA-ZÀ-ÖØ-öø-ɏəƏẞ"
_LATIN = re.compile(rf"[{_L}]+(?:['’-][{_L}]+)*")
_CYRILLIC = re.compile(r"[Ѐ-ӿ\u0301]+")
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_ABBREVIATION = re.compile(r"([A-Z]{2,5})(s?)")
_CONSONANTS = re.compile(r"[bcdfghjklmnpqrstvwxz]{2,5}")
_JOINTS = re.compile(r"([-])")
_SLASH = re.compile(rf"(?<=[{_L}])/(?=[{_L}])")
"""``UX/UI`` is said without it."""
_APOSTROPHE = re.compile(rf"(?<=[{_L}])['’](?=[Ѐ-ӿ])")
"""Between a foreign word and its Russian or Kazakh ending."""
_FOREIGN = re.compile(rf"[^\W\d_{_L}Ѐ-ӿ]")
_SPACES = re.compile("  +")
_GREEK = dict(
    zip(
        "αβγδεζηθικλμνξοπρστυφχψωΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ",
        (
            "альфа бета гамма дельта эпсилон дзета эта тета йота каппа лямбда мю ню кси омикрон пи"
            " ро сигма тау ипсилон фи хи пси омега"
        ).split()
        * 2,
        strict=True,
    )
)
_GREEK_EN = dict(
    zip(
        "αβγδεζηθικλμνξοπρστυφχψω",
        (
            "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi"
            " rho sigma tau upsilon phi chi psi omega"
        ).split(),
        strict=True,
    )
)


def nearest(text: SpanText, language: str) -> SpanText:
    """``text`` in the letters of ``language``, Russian with marks of stress on Kazakh words.
    Greek letters get their names; letters of other scripts are silent."""
    if text.text.isascii() and language == "en":
        return text
    if _FOREIGN.search(text.text):
        text = text.sub(_FOREIGN, lambda match: _other(match.group(), language)).sub(_SPACES, " ")
    if language == "en":
        return text.sub(_CYRILLIC, lambda match: _in_english(match.group()))
    text = text.sub(_SLASH, " ").sub(_APOSTROPHE, "")
    text = text.sub(_LATIN, lambda match: _latin(match.group(), language))
    if language == "kk" or cyrillic.KAZAKH.isdisjoint(text.text):
        return text
    return text.sub(_CYRILLIC, lambda match: _in_russian(match.group()))


def _other(char: str, language: str) -> str | None:
    name = _GREEK_EN.get(char.lower()) if language == "en" else _GREEK.get(char)
    if name:
        return f" {name} "
    return None if char in "ªº" else " "


def _latin(word: str, language: str) -> str:
    said = _said(word)
    if said is None:
        parts = _JOINTS.split(word)
        said = "".join(part if part == "-" else _part(part, language) for part in parts)
    return said[:1].upper() + said[1:] if word[:1].isupper() else said


def _said(word: str) -> str | None:
    """Of the list, or as its beginning with a plural or possessive s."""
    said = latin_words.known(word)
    if said is None and word[-2:] in ("'s", "’s"):
        said = latin_words.known(word[:-2])
        return said and said + "с"
    return said


def _part(word: str, language: str) -> str:
    """A word without a hyphen."""
    said = _said(word)
    if said is not None:
        return said
    if len(word) == 1:
        return latin_words.letter(word) if word.isascii() else english_spelling.in_cyrillic(word)
    abbreviation = _ABBREVIATION.fullmatch(word)
    if abbreviation:
        whole = latin_words.known(abbreviation[1])
        return (whole or latin_words.letters(abbreviation[1])) + ("с" if abbreviation[2] else "")
    if _CONSONANTS.fullmatch(word.lower()):
        return latin_words.known(word.upper()) or latin_words.letters(word)
    if not latin_kazakh.SPECIAL.isdisjoint(word) or latin_kazakh.is_typed(word.lower()):
        kazakh = latin_kazakh.in_cyrillic(word).lower()
        return kazakh if language == "kk" else cyrillic.in_russian(kazakh)
    humps = _CAMEL.findall(word) if word.isascii() and word.isalpha() else [word]
    if len(humps) > 1 and min(map(len, humps)) > 1 and not word.isupper():
        short = any(_ABBREVIATION.fullmatch(hump) for hump in humps)
        return ("-" if short else "").join(_part(hump, language) for hump in humps)
    return english_spelling.in_cyrillic(word)


def _in_russian(word: str) -> str | None:
    if cyrillic.KAZAKH.isdisjoint(word):
        return None
    return cyrillic.in_russian(word)


def _in_english(word: str) -> str:
    return cyrillic.in_english(word.replace("\u0301", ""))
