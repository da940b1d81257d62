"""Times of day: ``9:00-де`` is ``сағат тоғызда``, ``14:30`` is ``он төрт отыз``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.kazakh.harmony import ENDING, with_ending, with_written
from app_core.speech.text.kazakh.numbers import whole

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_HOUR, _MINUTE = r"(?:[01]?\d|2[0-4])", r"[0-5]\d"
_TAIL = rf"(?:[-–]?(?P<ending>{ENDING}))?"
_WORD = r"(?P<word>\b[Сс]ағ(?:ат|\.)? )?"
_RANGE = re.compile(
    rf"{_WORD}(?<![\d:.,])(?P<h>{_HOUR})(?P<sep>[:.])(?P<m>{_MINUTE}) ?[-–—−] ?"
    rf"(?P<h2>{_HOUR})(?P=sep)(?P<m2>{_MINUTE})(?![\d:])(?!\.\d){_TAIL}"
)
_TIME = re.compile(
    rf"{_WORD}(?<![\d:.,])(?P<h>{_HOUR}):(?P<m>{_MINUTE})(?::(?P<s>{_MINUTE}))?(?![\d:]){_TAIL}"
)
_WITH_POINT = re.compile(
    rf"(?:(?P<word>\b[Сс]ағ(?:ат|\.)? )(?P<h>{_HOUR})\.(?P<m>{_MINUTE})(?![\d.]\d|\d){_TAIL}"
    rf"|(?<![\d:.,])(?P<h2>{_HOUR})\.(?P<m2>00|30)-(?P<ending2>д[ае]н?|т[ае]н?|[ғгқк][ае]|н[ае]н)"
    r"(?![\w]))"
    r"|(?<![\d:.,])(?P<h3>[01]\d|2[0-3])\.(?P<m3>00|15|30|45)(?= ?[–—-] ?[^\W\d])"
    r"|(?<![\d:.,])(?P<h4>0\d)\.(?P<m4>[0-5]\d)(?![\d.]\d|\d)"
)
_BEFORE = re.compile(r"(?:[:.]\d\d(?:-?[а-яәғқңөұүһі]{2,4})?,? |дейін |және )$")
_BETWEEN = re.compile(r" ?(?:аралығ|ара(?:сы)?нда)")


def times(text: SpanText) -> SpanText:
    return text.sub(_RANGE, _range).sub(_TIME, _time).sub(_WITH_POINT, _with_point)


def _clock(hour: str, minute: str) -> str:
    said = whole(str(int(hour))) if int(hour) else "нөл нөл"
    if minute == "00":
        return said if int(hour) else "нөл нөл нөл нөл"
    return f"{said} {whole(minute)}"


def _range(match: re.Match[str]) -> str | None:
    if match["sep"] == "." and not match["word"] and {match["m"], match["m2"]} - {"00", "30"}:
        return None
    first, second = _clock(match["h"], match["m"]), _clock(match["h2"], match["m2"])
    word = "сағат " if match["word"] else ""
    if _BETWEEN.match(match.string, match.end()):
        return f"{word}{first} {second}"
    first = with_ending(first, "ablative")
    if match["ending"]:
        return f"{word}{first} {with_written(second, match['ending'])}"
    return f"{word}{first} {with_ending(second, 'dative')} дейін"


def _time(match: re.Match[str]) -> str:
    if match["s"]:
        units = zip("hms", ("сағат", "минут", "секунд"), strict=True)
        said = " ".join(f"{whole(str(int(match[name])))} {unit}" for name, unit in units)
        return with_written(said, match["ending"]) if match["ending"] else said
    return _said(match, match["h"], match["m"], match["ending"])


def _with_point(match: re.Match[str]) -> str:
    if match["word"]:
        return _said(match, match["h"], match["m"], match["ending"])
    hour, minute = (
        match["h2"] or match["h3"] or match["h4"],
        match["m2"] or match["m3"] or match["m4"],
    )
    return _said(match, hour, minute, match["ending2"])


def _said(match: re.Match[str], hour: str, minute: str, ending: str | None) -> str:
    said = _clock(hour, minute)
    if ending:
        said = with_written(said, ending)
    before = match.string[max(0, match.start() - 14) : match.start()]
    bare = minute == "00" and int(hour) and not _BEFORE.search(before)
    after = match.string[match.end() : match.end() + 6].strip()
    return f"сағат {said}" if match["word"] or (bare and not after.startswith("сағ")) else said
