"""Numbers in words, with case and gender."""

from __future__ import annotations

import re
from functools import lru_cache

_CASES = {"nomn": "n", "gent": "g", "datv": "d", "accs": "a", "ablt": "i", "loct": "p"}
_GENDERS = {"masc": "m", "femn": "f", "neut": "n"}
_MOST_DIGITS = 15
"""A longer one is no amount: its digits are said."""
_ACCUSATIVE = re.compile(r"\b(?:одна|тысяча)\b")
_POWERS = {1: "десятая", 2: "сотая", 3: "тысячная", 4: "десятитысячная", 5: "стотысячная"}
_POWERS[6] = "миллионная"
_FEMININE_ADJECTIVE = {"nomn": "ая", "gent": "ой", "datv": "ой", "accs": "ую", "ablt": "ой"}
_FEMININE_ADJECTIVE["loct"] = "ой"
_PLURAL_ADJECTIVE = {"nomn": "ых", "gent": "ых", "datv": "ым", "accs": "ых", "ablt": "ыми"}
_PLURAL_ADJECTIVE["loct"] = "ых"


@lru_cache(maxsize=4096)
def cardinal(number: int, case: str = "nomn", gender: str = "masc") -> str:
    """``number`` of 0 or more. The accusative is that of things, not of living beings."""
    if len(str(number)) > _MOST_DIGITS:
        return digits(str(number))
    from num2words import num2words

    if number > 1000 and number % 1000:
        # num2words gives the gender to the millions too
        return f"{cardinal(number - number % 1000, case)} {cardinal(number % 1000, case, gender)}"
    if number >= 1000:
        gender = "masc"
    asked = "n" if case == "accs" else _CASES[case]
    words = num2words(number, lang="ru", case=asked, gender=_GENDERS.get(gender, "m"))
    if case == "accs":
        words = _ACCUSATIVE.sub(lambda match: match.group()[:-1] + "у", words)
    return str(words)


@lru_cache(maxsize=4096)
def ordinal(number: int, case: str = "nomn", gender: str = "masc", plural: bool = False) -> str:
    """The accusative is that of things."""
    if len(str(number)) > _MOST_DIGITS:
        return digits(str(number))
    from num2words import num2words

    if case == "accs" and (plural or gender != "femn"):
        case = "nomn"
    words = num2words(
        number,
        lang="ru",
        to="ordinal",
        case=_CASES[case],
        gender=_GENDERS.get(gender, "m"),
        plural=plural,
    )
    return str(words)


def decimal(whole: int, fraction: str, case: str = "nomn") -> str:
    """``fraction``: the digits after the comma. ``3,14``: три целых четырнадцать сотых."""
    power = len(fraction)
    if power not in _POWERS:
        return f"{cardinal(whole, case)} запятая {digits(fraction)}"
    part = int(fraction)
    return " ".join(
        (
            cardinal(whole, case, "femn"),
            _counted_feminine("целая", whole, case),
            cardinal(part, case, "femn"),
            _counted_feminine(_POWERS[power], part, case),
        )
    )


def _counted_feminine(adjective: str, number: int, case: str) -> str:
    one = number % 10 == 1 and number % 100 != 11
    return adjective[:-2] + (_FEMININE_ADJECTIVE if one else _PLURAL_ADJECTIVE)[case]


def half(whole: int, case: str = "nomn", gender: str = "masc") -> str:
    """``whole`` and a half: полтора, два с половиной."""
    if whole == 1:
        direct = "полторы" if gender == "femn" else "полтора"
        return direct if case in ("nomn", "accs") else "полутора"
    return f"{cardinal(whole, case, gender)} с половиной"


def digits(text: str) -> str:
    """Each digit by itself."""
    return " ".join(cardinal(int(char)) for char in text if char.isdecimal())


def group(text: str) -> str:
    """A group of at most three digits as in phone numbers: leading zeros are said."""
    zeros = len(text) - len(text.lstrip("0"))
    if zeros == len(text):
        return digits(text)
    return " ".join(["ноль"] * zeros + [cardinal(int(text))])


def groups(text: str, sizes: tuple[int, ...]) -> str:
    """Digits in groups of ``sizes``; what is left over in groups of two."""
    said, at = [], 0
    for size in sizes:
        if at < len(text):
            said.append(group(text[at : at + size]))
            at += size
    while at < len(text):
        said.append(group(text[at : at + 2]))
        at += 2
    return ", ".join(said)


def is_one(number: int) -> bool:
    return number % 10 == 1 and number % 100 != 11


def is_few(number: int) -> bool:
    return number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14)
