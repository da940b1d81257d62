"""How names of Kazakhstan are stressed in Russian speech, which no dictionary of Russian knows."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path

_LIST = Path(__file__).with_name("names.txt")
_ACUTE = "\u0301"
_CONSONANT_ENDINGS = frozenset(
    ("", *"а у ом е ы ов ам ами ах ым ой ою ых ыми и ью ем ём я ю ей ям ями ях ев".split())
)
_VOWEL_ENDINGS = frozenset(("", *"а ы е у ой ою ам ами ах я и ю ей ею ям ями ях".split()))
_LONGEST_ENDING = 3
_SURNAME = re.compile(
    r"[а-яё]{2,20}?(?:баев|паев|беков|жанов|ханов|галиев|газиев|кулов|динов|муратов)"
    r"(?:а|у|ы|ой|ым|е|ых|ыми|ич|ича|ичу|на|ны|не|ну|ной)?"
)
"""A Kazakh surname in the form of a Russian one keeps the stress on the syllable before -ов."""
_PATRONYMIC = re.compile(r"[а-яё]{2,20}(улы|кызы)")


@lru_cache(maxsize=4096)
def stress_of_name(word: str) -> int | None:
    """The index of the stressed vowel in any case of a name; None for a word that is no name of the
    list, and for a name in small letters."""
    lower, named = word.lower(), word[:1].isupper()
    for length in range(min(_LONGEST_ENDING, len(lower) - 1) + 1):
        stem, ending = lower[: len(lower) - length], lower[len(lower) - length :]
        known = _stems().get(stem)
        if known and ending in known[1] and (named or known[2]):
            return known[0]
    if not named:
        return None
    surname = _SURNAME.fullmatch(lower)
    if surname:
        return _before_ov(lower)
    patronymic = _PATRONYMIC.fullmatch(lower)
    return patronymic.end(1) - 1 if patronymic else None


def _before_ov(surname: str) -> int | None:
    """The vowel before the last ``ов`` or ``ев``."""
    end = max(surname.rfind("ов"), surname.rfind("ев"))
    return next((at for at in range(end - 1, -1, -1) if surname[at] in "аеёиоуыэюя"), None)


@cache
def _stems() -> dict[str, tuple[int, frozenset[str], bool]]:
    """By the letters that stay in every case: the index of the stressed vowel, the endings, and
    whether small letters mean it too."""
    found = {}
    for line in _LIST.read_text(encoding="utf-8").splitlines():
        for word in () if line.startswith("#") else line.split():
            at = word.index(_ACUTE) - 1
            name = word.replace(_ACUTE, "").lower()
            small = word[0].islower()
            if name[-1] in "ая":
                # with the stress on the ending it stays there: Астана́, Астане́
                found[name[:-1]] = (at, _VOWEL_ENDINGS - {""}, small)
            elif name[-1] in "йь":
                found[name] = (at, frozenset(("",)), small)
                found[name[:-1]] = (at, _CONSONANT_ENDINGS - {""}, small)
            elif name[-1] in "оеиуыюэё":
                found[name] = (at, frozenset(("",)), small)
            else:
                found[name] = (at, _CONSONANT_ENDINGS, small)
    return found
