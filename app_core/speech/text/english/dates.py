"""Dates and years. Days come before months where both are figures, as in Kazakhstan; a date that
can only be an American one is read as such."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.english.numbers import DASH, cardinal, ordinal, year
from app_core.speech.text.english.points import closes_sentence

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

MONTHS = (
    "January February March April May June July August September October November December".split()
)
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_SHORT = {month[:3]: month for month in MONTHS} | {"Sept": "September"}
_SHORT_DAYS = {day[:3]: day for day in _DAYS} | {
    "Tues": "Tuesday", "Thur": "Thursday", "Thurs": "Thursday", "Weds": "Wednesday",
}  # fmt: skip
_MONTH = rf"(?:{'|'.join(MONTHS)}|(?:{'|'.join(sorted(_SHORT, key=len, reverse=True))})\b\.?)"
_WEEKDAY = rf"(?:{'|'.join(sorted(_SHORT_DAYS, key=len, reverse=True))})"
_DAY = r"(?:3[01]|[12]\d|0?[1-9])"
_YEAR = r"(?:1\d{3}|20\d{2})(?![\d:%]|[.,]\d)"
_ISO = re.compile(r"(?<![\d-])((?:1|2)\d{3})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(?![\d-])T?")
_FIGURES = re.compile(
    r"(?<![\d./-])(\d{1,2})([./-])(\d{1,2})\2((?:1[89]|20)\d{2}|\d{2})(?![\d/]|[.-]\d)"
)
_MONTH_DAY = re.compile(
    rf"\b({_MONTH}) ?({_DAY})(?:st|nd|rd|th)?(?:{DASH}(?:({_MONTH}) )?({_DAY})(?:st|nd|rd|th)?)?"
    rf"(?![\w:%]|[.,]\d)(?:,? ({_YEAR}))?"
)
_DAY_MONTH = re.compile(
    rf"(?<![\w.,:/$])([Tt]he )?({_DAY})(?:st|nd|rd|th)?(?:(?:{DASH}| to | and )({_DAY})(?:st|nd"
    rf"|rd|th)?)?"
    rf"(?: of)?[ -]({_MONTH})(?![\w])(?:[, -] ?({_YEAR}))?"
)
_MONTH_YEAR = re.compile(rf"\b({_MONTH})(?:,? (?:of )?)({_YEAR})")
_EXPIRY = re.compile(
    r"\b(exp\.|[Ee]xpir(?:es|y)(?: date)?|[Vv]alid (?:thru|until|till|to))(:?)"
    r" (0[1-9]|1[0-2])/(2\d|3\d)(?![\w/])"
)
_DAY_SLASH = re.compile(
    r"(?<=\b[OoBb][ny] )([0-3]?\d)/([0-3]?\d)(?![\w/]|[.,]\d)"
    r"|(?<=\b(?:until|since|after) )([0-3]?\d)/([0-3]?\d)(?![\w/]|[.,]\d)"
)
_DAY_POINT = re.compile(
    r"(?<=(?:on|ll|il|om|ce) )([0-3]\d)\.(0[1-9]|1[0-2])"
    r"(?:( to |[-–—])([0-3]\d)\.(0[1-9]|1[0-2]))?"
    r"(?![\w/%°$€₸-]|[.,:]\d"
    r"| (?:[$€£₸₽]|percent|million|billion|tenge|dollars|KZT|USD|[ckm]?[mg]\b|to))"
)
"""After ``on``, ``till``, ``until``, ``from`` and ``since``: ``31.12``."""
_SHORT_MONTH = re.compile(
    rf"\b((?:{'|'.join(m for m in _SHORT if m != 'May')}))\.?({DASH})({_MONTH})"
)
_WEEKDAYS = re.compile(rf"\b({_WEEKDAY})\b\.?({DASH})({_WEEKDAY})\b(?:\.(?= [a-z\d]))?")
_WEEKDAY_PAIR = re.compile(rf"\b({_WEEKDAY})\b\.?( ?[/&] ?)({_WEEKDAY})\b")
_WEEKDAY_BEFORE = re.compile(rf"\b({_WEEKDAY})(?:\.,?|,)?(?= (?:{_MONTH}|\d))")
_WEEKDAY_ALONE = re.compile(
    rf"(?<=\b(?:on|by|On) )({_WEEKDAY})(?:\.(?=\s|$)|(?!\w))"
    rf"|\b({_WEEKDAY})\.(?= (?:at|from|to|and|[a-z]))"
    rf"|\b({_WEEKDAY})(?=:| (?:closed|off|only|morning|afternoon|evening|night)s?\b)"
)
_YEARS = re.compile(rf"(?<![\w.,/$€£₸₽-])({_YEAR})({DASH})(\d{{4}}|\d{{2}})(?![\w%]|[.,:]\d|-\d)")
_SEASON = re.compile(r"(?<![\w.,/])((?:19|20)\d{2})/(\d{2}|(?:19|20)\d{2})(?![\w/])")
_ERA = re.compile(
    r"(?<![\w.,])(\d{1,4}) ?(BCE?|CE|AD|B\.C\.(?:E\.)?"
    r"|C\.E\.|A\.D\.)(?!\w)|\b(AD|A\.D\.) (\d{1,4})(?!\w)"
)
_DECADE = re.compile(r"(?<![\w.,])(?:['’](?=\d0)(\d{2})|(\d{4}|\d0))['’]?s(?!\w)")
_DECADES = re.compile(r"(?<=\d0s) ?[-–—] ?(?=['’]?(?:\d\d)?\d0s\b)")
_CIRCA_POINT = re.compile(r"(?<![\w.])ca?\. ?(?=1\d{3}\b|20\d\d\b)")
_SHORT_YEAR = re.compile(r"(?<![\w])['’](\d{2})(?![\w'’])")
_IN_YEAR = re.compile(
    rf"(?<!\w)(in|since|until|till|during|circa|c\.|ca\.|died|dies|built|published|dated"
    rf"|opened|established|created|invented|written|completed|discovered|released|signed"
    rf"|back to|year|summer|spring|autumn|winter|early|late|class of"
    rf"|born|founded|copyright|est\.|©) ({_YEAR})(?![\w-]| (?:[a-z]+ ){{0,1}}(?:people|men"
    rf"|women|meters|tons))",
    re.IGNORECASE,
)
_OF_YEAR = re.compile(r"(?<=[a-z] of )(1[1-8]\d{2})(?![\w%°-]|[.,:/]\d)")
_LATE_YEAR = re.compile(
    r"(?<![\w.,$€£₸₽/#-])(?<!× )((?:19|20)\d{2})"
    r"(?! ×| ?[$€£₸₽]| ?(?:tg|KZT|USD|EUR|RUB|GBP|k?cal"
    r"|[ckm]?[mg]|m?[lL]|mAh|k?W|V|pcs)\b|[\w%°]|[.,:/]\d|-\d|['’′″\"]\d)"
)
_BRACKETED = re.compile(r"(?<=\()(1\d{3}|20\d{2})(?=[),;])")
_MONTH_ALONE = re.compile(
    r"\b(Jan|Feb|Mar|Apr|Aug|Sept?|Oct|Nov|Dec)\."
    r"|(?<=\b(?:in|by|of) )(Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b"
)
_CIRCA = {"c.": "circa", "ca.": "circa", "est.": "established"}
_VERBS = frozenset(
    "was is has as this its plus across towards always less brings marks sees does goes means"
    " us was besides its starts begins ends remains becomes looks shows".split()
)
_NOUN = re.compile(r" ([a-z]+)(?: ([a-z]+))?")
_PLURALS = frozenset("people men women children tenge euro yen feet students".split())


def figures(text: SpanText) -> SpanText:
    """Dates in figures alone: ``25.11.2026``, ``2026-11-25``."""
    return (
        text.sub(_ISO, _iso)
        .sub(_FIGURES, _figures)
        .sub(_EXPIRY, _expiry)
        .sub(_DAY_SLASH, _day_slash)
        .sub(_DAY_POINT, _day_point)
    )


def dates(text: SpanText) -> SpanText:
    """``May 5, 2026``: May fifth, twenty twenty-six; ``25.11.2026``: the twenty-fifth of November,
    twenty twenty-six; ``1941-1945``: years; ``the 1990s``: decades."""
    text = text.sub(_WEEKDAYS, lambda m: f"{_SHORT_DAYS[m[1]]} to {_SHORT_DAYS[m[3]]}")
    text = text.sub(_WEEKDAY_PAIR, _weekday_pair)
    text = text.sub(_WEEKDAY_BEFORE, lambda m: _SHORT_DAYS[m[1]] + ",")
    text = text.sub(_SHORT_MONTH, lambda m: f"{_month(m[1])} to {_month(m[3])}")
    text = text.sub(_DAY_MONTH, _day_month).sub(_MONTH_DAY, _month_day)
    text = text.sub(_MONTH_YEAR, lambda m: f"{_month(m[1])} {year(int(m[2]))}")
    text = text.sub(_WEEKDAY_ALONE, _weekday_alone).sub(_MONTH_ALONE, _month_alone)
    return years(text)


def years(text: SpanText) -> SpanText:
    text = text.sub(_CIRCA_POINT, "circa ").sub(_DECADES, " to ")
    text = text.sub(_SEASON, _season).sub(_YEARS, _range)
    text = text.sub(_DECADE, _decade).sub(_ERA, _era)
    text = text.sub(
        _SHORT_YEAR,
        lambda m: cardinal(int(m[1])) if m[1][0] != "0" else f"oh {cardinal(int(m[1]))}",
    )
    text = text.sub(_BRACKETED, lambda m: year(int(m[1])))
    text = text.sub(_IN_YEAR, lambda m: f"{_CIRCA.get(m[1], m[1])} {year(int(m[2]))}")
    text = text.sub(_OF_YEAR, _late_year)
    return text.sub(_LATE_YEAR, _late_year)


def _month(name: str) -> str:
    name = name.rstrip(".")
    return _SHORT.get(name, name)


def _iso(match: re.Match[str]) -> str:
    after = " " if match.group().endswith("T") else ""
    return f"{MONTHS[int(match[2]) - 1]} {ordinal(int(match[3]))}, {year(int(match[1]))}{after}"


def _figures(match: re.Match[str]) -> str | None:
    first, second = int(match[1]), int(match[3])
    number = int(match[4]) + (2000 if len(match[4]) == 2 else 0)
    if len(match[4]) == 2 and (match[2] == "-" or len(match[1]) + len(match[3]) < 3):
        return None
    if 1 <= first <= 31 and 1 <= second <= 12:
        the = "" if match.string[: match.start()].endswith("the ") else "the "
        return f"{the}{ordinal(first)} of {MONTHS[second - 1]}, {year(number)}"
    if 1 <= first <= 12 and 1 <= second <= 31:
        return f"{MONTHS[first - 1]} {ordinal(second)}, {year(number)}"
    return None


def _expiry(match: re.Match[str]) -> str:
    """Of a card."""
    word = "expires" if match[1] == "exp." else match[1]
    return f"{word}{match[2]} {MONTHS[int(match[3]) - 1]} {year(2000 + int(match[4]))}"


def _day_slash(match: re.Match[str]) -> str | None:
    first, second = (int(part) for part in match.groups() if part)
    if 1 <= first <= 31 and 1 <= second <= 12:
        return f"the {ordinal(first)} of {MONTHS[second - 1]}"
    return f"{MONTHS[first - 1]} {ordinal(second)}" if 1 <= first <= 12 and second <= 31 else None


def _day_point(match: re.Match[str]) -> str | None:
    before = match.string[max(0, match.start() - 6) : match.start() - 1].rpartition(" ")[2]
    if before.lower() not in ("on", "till", "until", "from", "since"):
        return None
    first, month, _, last, other = match.groups()
    if not (1 <= int(first) <= 31 and 1 <= int(last or 1) <= 31):
        return None
    said = f"the {ordinal(int(first))} of {MONTHS[int(month) - 1]}"
    if last:
        said += f" to the {ordinal(int(last))} of {MONTHS[int(other) - 1]}"
    return said


def _day_month(match: re.Match[str]) -> str:
    article, first, second, month, number = match.groups()
    said = f"{article or 'the '}{ordinal(int(first))}"
    if second:
        joint = "and" if " and " in match.group() else "to"
        said += f" {joint} the {ordinal(int(second))}"
    said += f" of {_month(month)}"
    if number:
        return f"{said}, {year(int(number))}"
    return said + ("." if closes_sentence(match) else "")


def _month_day(match: re.Match[str]) -> str:
    month, first, other, second, number = match.groups()
    said = f"{_month(month)} {ordinal(int(first))}"
    if second:
        said += f" to {_month(other) + ' ' if other else ''}{ordinal(int(second))}"
    return f"{said}, {year(int(number))}" if number else said


def _weekday_pair(match: re.Match[str]) -> str:
    joint = " and " if "&" in match[2] else " "
    return f"{_SHORT_DAYS[match[1]]}{joint}{_SHORT_DAYS[match[3]]}"


def _weekday_alone(match: re.Match[str]) -> str:
    return _SHORT_DAYS[match[1] or match[2] or match[3]] + ("." if closes_sentence(match) else "")


def _month_alone(match: re.Match[str]) -> str:
    return _month(match[1] or match[2]) + ("." if closes_sentence(match) else "")


def _range(match: re.Match[str]) -> str | None:
    first, second = int(match[1]), int(match[3])
    if len(match[3]) == 2:
        return None if second <= first % 100 else f"{year(first)} to {cardinal(second)}"
    return f"{year(first)} to {year(second)}" if first <= second <= 2100 else None


def _season(match: re.Match[str]) -> str:
    rest = int(match[2])
    return f"{year(int(match[1]))} {cardinal(rest) if rest < 100 else year(rest)}"


def _era(match: re.Match[str]) -> str:
    number = int(match[1] or match[4])
    era = (match[2] or match[3]).replace(".", "")
    letters = "-".join(era) if "A" in era else " ".join(era)
    said = year(number) if number > 999 else cardinal(number)
    return f"{letters} {said}" if match[3] else f"{said} {letters}"


def _decade(match: re.Match[str]) -> str | None:
    number = int(match[1] or match[2])
    if number % 10:
        return None
    said = year(number) if number > 999 else cardinal(number)
    return said[:-1] + "ies" if said.endswith("y") else said + "s"


def _late_year(match: re.Match[str]) -> str | None:
    """A bare number of 1900 to 2099 is a year, unless things are counted by it."""
    noun = _NOUN.match(match.string, match.end())
    counted = noun and (
        noun[1] in _PLURALS or noun[1].endswith("s") and noun[1] not in _VERBS and len(noun[1]) > 3
    )
    return None if counted else year(int(match[1]))
