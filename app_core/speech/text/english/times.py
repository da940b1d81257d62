"""Times of day, and scores and ratios, which are written like them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.english.numbers import DASH, cardinal, digits

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_HALF = r"(?: ?([aApP])\.?[mM](?!\w)\.?)"
_CLOCK = r"([01]?\d|2[0-4]):([0-5]\d)"
_TIME = re.compile(rf"(?<![\w:.,]){_CLOCK}(?::([0-5]\d)(?:\.\d+)?)?(?![\d:]){_HALF}?( o['’]clock)?")
_HOUR = re.compile(
    rf"(?<![\w:.,$])(?:(1[0-2]|0?[1-9])({DASH}| to ))?(1[0-2]|0?[1-9])(?:\.([0-5]\d))?{_HALF}"
)
_BETWEEN = re.compile(rf"(?<![\w:.,]){_CLOCK}{_HALF}?({DASH}){_CLOCK}{_HALF}?(?![\w:])")
_HALF_DASH = re.compile(r"(?<=[AP][- ]M) ?[-–—] ?(?=[a-z\d])")
_OCLOCK = re.compile(r"(?<![\w.,:])(\d{1,2}) o['’]clock")
_DOTTED = re.compile(
    r"(?<![\w:.,$€£₸-])([01]?\d|2[0-4])\.(00|15|30|45)( ?[-–—] ?| to | till | until )"
    r"([01]?\d|2[0-4])\.(00|15|30|45)"
    r"(?!\w|[.,:]\d| ?[%°$€£₸₽×]| ?[a-zA-Z]{1,3}\b(?<!on)(?<!and)(?<!or))"
)
_STOPWATCH = re.compile(r"(?<![\w:.,])(\d{1,2}):([0-5]\d)\.(\d{1,3})(?![\w:]|\.\d)")
_RATIO = re.compile(r"(?<![\w:.,])(\d{1,4}):(\d{1,4})(?::(\d{1,4}))?(?![\w:])")
_HALVES = {"a": "A-M", "p": "P-M"}
_NEXT_WORD = re.compile(
    r" (?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|[A-Z]{2,4}\b|on\b|[a-z\d]|[-–—])"
)


def times(text: SpanText) -> SpanText:
    """``9:05``: nine oh five; ``14:00``: fourteen hundred; ``5 p.m.``: five P-M; ``3:2``: three
    to two."""
    text = text.sub(_DOTTED, _dotted).sub(_STOPWATCH, _stopwatch).sub(_BETWEEN, _between)
    text = text.sub(_TIME, _time).sub(_HOUR, _hour)
    text = text.sub(_HALF_DASH, " to ")
    text = text.sub(_OCLOCK, lambda match: f"{cardinal(int(match[1]))} o'clock")
    return text.sub(
        _RATIO, lambda match: " to ".join(cardinal(int(n)) for n in match.groups() if n)
    )


def _said(hours: str, minutes: str, half: str | None, oclock: bool = True) -> str:
    hour, minute = int(hours), int(minutes)
    if minute:
        name = "zero" if not hour else cardinal(hour)
        said = f"{name} {'oh ' if minute < 10 else ''}{cardinal(minute)}"
    elif half:
        said = cardinal(hour)
    elif not hour:
        said = "midnight"
    elif hour > 12:
        said = f"{cardinal(hour)} hundred"
    else:
        said = cardinal(hour) + (" o'clock" if oclock else "")
    return said


def _closed(match: re.Match[str], half: str | None) -> str:
    """``P M``, with a full stop where its point closes the sentence too."""
    if not half:
        return ""
    ends = match.group().endswith(".") and not _NEXT_WORD.match(match.string, match.end())
    following = match.string[match.end() : match.end() + 1]
    return " " + _HALVES[half.lower()] + ("." if ends and following in ("", " ", "\n") else "")


def _time(match: re.Match[str]) -> str:
    hours, minutes, seconds, half, oclock = match.groups()
    if seconds is not None:
        zero = "oh " if 0 < int(minutes) < 10 else ""
        said = f"{cardinal(int(hours))} {zero}{cardinal(int(minutes))}"
        return f"{said} and {cardinal(int(seconds))} seconds" + _closed(match, half)
    return _said(hours, minutes, half or oclock) + _closed(match, half) + (oclock or "")


def _dotted(match: re.Match[str]) -> str | None:
    """``9.00–18.30`` of a shop, but not 3.30–1.15."""
    hours, minutes, _, hours2, minutes2 = match.groups()
    if int(hours) >= int(hours2):
        return None
    return f"{_said(hours, minutes, None)} to {_said(hours2, minutes2, None)}"


def _stopwatch(match: re.Match[str]) -> str:
    """Minutes, seconds and their parts: ``3:12.45``."""
    return f"{_said(match[1], match[2], None)} point {digits(match[3])}"


def _between(match: re.Match[str]) -> str:
    hours, minutes, half, _, hours2, minutes2, half2 = match.groups()
    plain = half or half2
    first = _said(hours, minutes, plain) + (f" {_HALVES[half.lower()]}" if half else "")
    return f"{first} to {_said(hours2, minutes2, plain)}{_closed(match, half2)}"


def _hour(match: re.Match[str]) -> str:
    before, joint, hour, minutes, half = match.groups()
    said = f"{cardinal(int(before))} to " if before else ""
    return said + _said(hour, minutes or "0", half) + _closed(match, half)
