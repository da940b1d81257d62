"""Numbers that stand alone, or with another one: ranges, fractions, ordinals."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.english.numbers import (
    DASH,
    FRACTIONS,
    NUMBER,
    START,
    amount,
    cardinal,
    digits,
    fraction,
    ordinal,
    year,
)  # fmt: skip

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_FRACTION_SIGN = re.compile(rf"(?:(?<![\w.])(\d{{1,9}}) ?)?([{''.join(FRACTIONS)}])")
_MIXED = re.compile(r"(?<![\w.,/])(\d{1,4})[ -](\d{1,2})/(\d{1,3})(?![\w/]|[.,]\d)")
_FRACTION = re.compile(r"(?<![\w.,/])(\d{1,4})/(\d{1,4})(?![\w/]|[.,]\d)(?:(?:th|rd|nd)s?)?")
_AROUND = re.compile(r"(?<![\w.,/])24/7(?:/365)?(?!\w)")
_ORDINAL = re.compile(
    r"(?<![\w.])(\d{1,3}(?:,\d{3})+|\d{1,12})(st|nd|rd|th|ST|ND|RD|TH)(s?)(?![\w])"
)
_ORDINALS = re.compile(
    rf"(?<![\w.])(\d{{1,4}})(?:st|nd|rd|th)?{DASH}(?=\d{{1,4}}(?:st|nd|rd|th)(?!\w))"
)
_RANGE = re.compile(rf"{START}({NUMBER}){DASH}(?=[+−]?({NUMBER})(?![\w]|-\d))")
_HEAPS = re.compile(r"(?<![\w.,])(1,?00|1,?000|1,?000,?000)'?s(?= of\b)")
_RECORD = re.compile(r"(?<![\w.,-])(\d{1,3})[-–](\d{1,2})[-–](\d{1,2})(?![\w-]|[.,]\d| ?[=+×])")
_TIMES = re.compile(rf"{START}({NUMBER}) ?[xX](?![\w]| ?[-+=−×÷²³<>]| (?:squared|cubed|to the)\b)")
_RANGE_OF_TIMES = re.compile(r"(?<=\d)[-–](?=\d{1,4}(?:\.\d)?[xX](?!\w))")
_SCORE = re.compile(r"(?<![\w.,/])(\d{1,2}\.\d{1,2})/(\d{1,3}(?:\.\d{1,2})?)(?![\w/]|[.,]\d)")
_LIST_ITEM = re.compile(r"(?:(?<=\n)|^)(\d{1,3})[.)] +(?=\S)")
_PLUS = re.compile(rf"(?<![\w)²³])\+ ?(?={NUMBER})")
_SINGLE = re.compile(rf"(?<![^\W_])({NUMBER})")
_REST = re.compile(r"\d+")
_GLUED = re.compile(r"(?<=\d)(?=[^\W\d_])|(?<=[^\W\d_])(?=\d)")
_STEP = re.compile(
    r"(?<=\b[Ss]tep )(\d{1,3})/(\d{1,3})(?![\w/]|[.,]\d)"
    r"|(?<=\b(?:[Pp]age|[Pp]art) )(\d{1,3})/(\d{1,3})(?![\w/]|[.,]\d)"
    r"|(?<=\b(?:[Ss]lide|[Ll]evel) )(\d{1,3})/(\d{1,3})(?![\w/]|[.,]\d)"
)
_EVENTS = {
    (9, 11): "nine eleven",
    (50, 50): "fifty fifty",
    (80, 20): "eighty twenty",
    (20, 20): "twenty twenty",
}


def quantities(text: SpanText) -> SpanText:
    """``5-7``: five to seven; ``3/4``: three quarters; ``1½``: one and a half; ``22nd``:
    twenty-second."""
    text = text.sub(_LIST_ITEM, lambda match: f"{cardinal(int(match[1]))}, ")
    text = text.sub(_RECORD, lambda match: " to ".join(map(amount, match.groups())))
    text = text.sub(_HEAPS, lambda match: cardinal(10 ** match[1].count("0"))[4:] + "s")
    text = text.sub(_RANGE_OF_TIMES, " to ").sub(_TIMES, lambda match: f"{amount(match[1])} times")
    text = text.sub(_SCORE, lambda match: f"{amount(match[1])} out of {amount(match[2])}")
    text = text.sub(_STEP, _step).sub(_AROUND, "twenty-four seven")
    text = text.sub(_FRACTION_SIGN, lambda m: _mixed(m[1], *FRACTIONS[m[2]]))
    text = text.sub(_MIXED, _mixed_match).sub(_FRACTION, _fraction_match)
    text = text.sub(_ORDINALS, lambda match: f"{ordinal(int(match[1]))} to ")
    text = text.sub(_ORDINAL, _ordinal).sub(_RANGE, lambda match: f"{amount(match[1])} to ")
    text = text.sub(_PLUS, "plus ")
    return text.sub(_SINGLE, _single)


def _single(match: re.Match[str]) -> str | None:
    if not match.string[match.end() : match.end() + 1].isalpha():
        return amount(match[1])
    return None if match[1].isdecimal() else amount(match[1]) + " "


def remains(text: SpanText) -> SpanText:
    """Digits that no other rule knew, so that none is lost."""
    text = text.sub(_GLUED, " ")
    return text.sub(_REST, lambda m: amount(m.group()) if len(m.group()) < 7 else digits(m.group()))


def _mixed(whole: str | None, above: int, below: int) -> str:
    if whole is None:
        return fraction(above, below)
    return f"{amount(whole)} and {fraction(above, below, mixed=True)}"


def _mixed_match(match: re.Match[str]) -> str | None:
    above, below = int(match[2]), int(match[3])
    return _mixed(match[1], above, below) if 0 < above < below <= 100 else None


def _fraction_match(match: re.Match[str]) -> str:
    above, below = int(match[1]), int(match[2])
    if (above, below) in _EVENTS:
        return _EVENTS[above, below]
    if 1900 <= below < 2100:
        return f"{cardinal(above)} slash {year(below)}"
    if (
        0 < above < below
        and below <= 9
        or above == 1
        and 1 < below <= 1000
        or match.group()[-1] in "hds"
    ):
        return fraction(above, below)
    if 0 < above <= below:
        return f"{cardinal(above)} out of {cardinal(below)}"
    return f"{cardinal(above)} slash {cardinal(below)}"


def _step(match: re.Match[str]) -> str:
    done, of = (int(part) for part in match.groups() if part)
    return f"{cardinal(done)} of {cardinal(of)}"


def _ordinal(match: re.Match[str]) -> str:
    return ordinal(int(match[1].replace(",", ""))) + match[3]
