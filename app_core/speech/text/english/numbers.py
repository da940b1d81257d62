"""Numbers as words: amounts, ordinals, years, fractions, digits one by one."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

_GROUPS = (
    r"(?:\d{1,3}(?:,\d{3}){1,5}+(?![\d])"
    r"|\d{1,3}(?: \d{3}){1,5}+(?!\d)|\d{1,3}(?:['’]\d{3}){1,5}+(?!\d)"
    r"|\d{1,3}(?:\.\d{3}){2,5}+(?!\d)|\d++)"
)
NUMBER = rf"(?:−?(?:{_GROUPS}(?:\.\d++|,\d{{1,2}}(?![\d,]))?|\.\d++)(?!\d))"
"""A regular expression, without groups, for a number of any form; a minus sign is U+2212."""
START = r"(?<![^\W_])(?<!\d[.,:/])(?<!−)"
"""Where a number may begin."""
DASH = r" ?[-–—] ?"
_GROUP_SIGN = re.compile(r"(?<=\d)[, '’](?=\d{3}(?!\d))|(?<=\d)\.(?=\d{3}(?:\.\d{3})+(?!\d))")
_DOTTED = re.compile(r"−?\d{1,3}(?:\.\d{3}){2,}$")
FRACTIONS = {
    "½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5),
    "⅗": (3, 5), "⅘": (4, 5), "⅙": (1, 6), "⅚": (5, 6), "⅐": (1, 7), "⅛": (1, 8), "⅜": (3, 8),
    "⅝": (5, 8), "⅞": (7, 8), "⅑": (1, 9), "⅒": (1, 10),
}  # fmt: skip
_DIGITS = "zero one two three four five six seven eight nine".split()
_MOST_DIGITS = 15
"""Of a number that is said as one; a longer one is a code."""


@lru_cache(maxsize=1)
def _num2words() -> Callable[..., str]:
    from num2words import num2words

    return cast("Callable[..., str]", num2words)


@lru_cache(maxsize=512)
def cardinal(number: int) -> str:
    """``1500``: one thousand five hundred."""
    return _num2words()(number).replace(",", "")


@lru_cache(maxsize=256)
def ordinal(number: int) -> str:
    """``22``: twenty-second."""
    return _num2words()(number, to="ordinal").replace(",", "")


def digits(text: str) -> str:
    """Each by itself; what is no digit is passed over."""
    return " ".join(_DIGITS[int(char)] for char in text if char.isdecimal())


def spelled_groups(text: str) -> str:
    """Digit by digit, with a short pause where ``text`` has a space, a dash or a bracket."""
    return ", ".join(digits(group) for group in re.findall(r"\d+", text))


def amount(text: str) -> str:
    """A number as NUMBER matches it: ``−1,234.50`` is minus one thousand ... point five zero."""
    sign = "minus " if text.startswith("−") else ""
    whole, fraction = _parts(text.lstrip("−"))
    if len(whole) > 1 and whole[0] == "0" or len(whole) > _MOST_DIGITS:
        said = digits(whole)
    else:
        said = cardinal(int(whole or "0"))
    return f"{sign}{said} point {digits(fraction)}" if fraction else sign + said


def _parts(text: str) -> tuple[str, str]:
    """Digits before and after the decimal sign."""
    if _DOTTED.match(text):
        return text.replace(".", ""), ""
    whole, _, fraction = _GROUP_SIGN.sub("", text).replace(",", ".").partition(".")
    return whole, fraction


def parts(text: str) -> tuple[str, str]:
    """Digits of a number before and after its decimal sign, without a minus."""
    return _parts(text.lstrip("−"))


def is_one(text: str) -> bool:
    return _parts(text) in (("1", ""),)


def year(number: int) -> str:
    """``1999``: nineteen ninety-nine; ``2005``: two thousand and five; ``2026``: twenty
    twenty-six."""
    century, rest = divmod(number, 100)
    if not 10 <= century < 100 or century % 10 == 0 and rest < 10:
        return cardinal(number)
    if not rest:
        return f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {'oh ' if rest < 10 else ''}{cardinal(rest)}"


def fraction(above: int, below: int, mixed: bool = False) -> str:
    """``3/4``: three quarters. ``mixed``: after a whole number, where 1/2 is "a half"."""
    if below == 1:
        return cardinal(above)
    name = {2: "half", 4: "quarter"}.get(below) or ordinal(below)
    if above != 1:
        name = "halves" if below == 2 else name + "s"
    return f"{'a' if mixed and above == 1 else cardinal(above)} {name}"


def plural(word: str) -> str:
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x", "ch", "sh")) else "s")
