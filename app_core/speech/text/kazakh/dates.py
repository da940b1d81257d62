"""Dates, years, centuries: days and years are ordinals, the year comes before the day."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.kazakh.harmony import ENDING, ordinal, with_written
from app_core.speech.text.kazakh.numbers import ordinals, whole

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

MONTHS = (
    "қаңтар ақпан наурыз сәуір мамыр маусым шілде тамыз қыркүйек қазан қараша желтоқсан"
).split()
_SHORT = "қаңт? ақп наур? сәу мам маус? шілд? там қырк? қаз қар желт?"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_MONTH = r"(?:0?[1-9]|1[0-2])"
_TAIL = rf"(?:[-–]?(?P<ending>{ENDING}))?"
_FULL = re.compile(
    rf"(?<![\d.,])(?P<d>{_DAY})(?P<sep>[./-])(?P<m>{_MONTH})(?P=sep)(?P<y>(?:1[5-9]|20)\d\d|\d\d)"
    rf"(?![\d])(?: ?(?:ж(?![\w])\.?|г(?![\w])\.?|жыл[ыі]?(?![\w])))?{_TAIL}"
)
_ISO = re.compile(
    rf"(?<![\d.,-])(?P<y>(?:1[5-9]|20)\d\d)(?P<sep>[-./])(?P<m>0[1-9]|1[0-2])(?P=sep)(?P<d>{_DAY})(?![\d])"
    rf"(?:T(?=\d))?{_TAIL}"
)
_MONTH_OF_YEAR = re.compile(
    rf"(?<![\d.,/])(?P<m>0[1-9]|1[0-2])\.(?P<y>(?:19|20)\d\d)(?![\d.]\d|\d)"
    rf"(?: ?(?:ж(?![\w])\.?|жыл[ыі]?(?![\w])))?{_TAIL}"
)
_SHORT_DATE = re.compile(
    r"(?<![\d.,:/-])(?P<d>0[1-9]|[12]\d|3[01])\.(?P<m>0[1-9]|1[0-2])(?![\d.,:]\d|\d)"
    r"(?! ?(?:[%°₸$€₽x×х*]|тг|теңге|доллар|еуро|рубль|м(?:лн|лрд|ың)|кг|км|см|м\b|пайыз|есе))"
    r"(?!-д[ае]н [\d])" + _TAIL
)
_STEMS = "|".join([*MONTHS, "қыркүйег"])
_OF_MONTH = re.compile(
    rf"(?<![\w.,:/])(?P<days>{_DAY}(?: ?[-–—] ?{_DAY})?)(?:[-–]?(?:ш[ыі]|[ыі]?нш[ыі]))? ?[-–]? ?"
    rf"(?=(?P<month>{_STEMS})(?![а-яәғқңөұүһі]*[дтл][ыі][қк]))",
    re.IGNORECASE,
)
_QUOTED_DAY = re.compile(rf"[«\"“](?P<day>{_DAY})[»\"”](?= ?(?:{_STEMS}))", re.IGNORECASE)
_OF_SHORT_MONTH = re.compile(
    rf"(?<![\w.,:/])(?P<day>{_DAY}) (?P<month>{_SHORT.replace(' ', '|')})\."
)
_YEAR = r"[12]\d{3}"
_YEARS = (
    rf"(?<![\w.,:/+])(?P<years>{_YEAR}(?: ?[-–—/] ?(?:{_YEAR}|\d\d))?)(?:[-–]?(?:ш[ыі]|нш[ыі]))?"
)
_BEFORE_YEAR = re.compile(
    rf"{_YEARS}[-–]? ?"
    r"(?=(?:оқу |қаржы |күнтізбелік |бюджет |есепті )?жыл(?!қ|[дт]ы[қғ](?! ?қыркүй)))"
    r"(?!жыл(?:ға|дан)? (?:бұрын|бойы|өт|толды|астам|жуық|аса|бұрынғы|ішінде))",
    re.IGNORECASE,
)
_ROUND = re.compile(r"1000|1500|2000|3000")
_SHORT_YEAR = re.compile(
    rf"(?:{_YEARS}|(?<![\w.,:/+])(?P<early>[1-9]\d\d)) ?"
    r"(?P<word>жж|ж)(?![\w])(?P<dot>\.?)(?P<next> ?[^\s]{1,20})?"
)
_VERB = re.compile(r"\w+(?:[дт][ыі]м?|[ғгқк][ае]н|[ае]д[ыі]|[ыі]п)")
_OF_YEARS = re.compile(r"\w{2,20}[ыі](?:н|на|не|нда|нде|нан|нен|ның|нің|мен)?")
_POSTPOSITIONS = {
    "аралығ": "жылдар", "арасы": "жылдар", "бойынша": "жылдар", "және": "жылдар",
    "дейін": "жылдарға", "арналған": "жылдарға", "бастап": "жылдардан", "бері": "жылдардан",
    "кейін": "жылдардан", "соң": "жылдардан",
}  # fmt: skip
_EARLY_YEAR = re.compile(r"(?<![\w.,:/-])(?P<year>\d{2,3}) (?=жыл(?:ы|ғы)(?![\w]))")
_DECADE = re.compile(r"(?<![\w.,:/-])(?P<decade>[1-9]0(?: ?[-–—] ?[1-9]0)?)[- ](?=жылдар)")
_WHOLE_CENTURY = re.compile(
    r"(?<![\w.,:/-])(?P<century>(?:[5-9]|1\d|2[01])(?: ?[-–—] ?(?:[5-9]|1\d|2[01]))?) "
    r"(?=ғасыр(?!(?:дан астам|ға жуық)? (?:бұрын|бойы|өт)|дан астам|ға жуық|лық))"
)
_CENTURY = re.compile(
    r"(?<![\w.,:/])(?P<number>\d{1,2}(?: ?[-–—] ?\d{1,2})?)[-–]? ?(?P<word>ғғ?)\.(?![\w])"
)
_ON_A_DAY = re.compile(rf" ?{_DAY}[- ](?:{_STEMS})(?:с?[ыі]н)?[дт][ае](?![\w])")
_PLACE = re.compile(r"[^\W\d_a-z]\w+(?:[дт][ае]|[ғгқк][ае]|[ндт][ыі]ң)")
_AFTER = {"бастап": "жылдан", "бері": "жылдан", "кейін": "жылдан", "соң": "жылдан"}
_DIRECTIONS = {"дейін": "ға", "бастап": "дан", "бері": "дан", "кейін": "дан"}
_DIRECTION = re.compile(rf" ({'|'.join(_DIRECTIONS)})(?![\w])")


def dates(text: SpanText) -> SpanText:
    text = text.sub(_FULL, _date).sub(_ISO, _date).sub(_MONTH_OF_YEAR, _date)
    text = text.sub(_SHORT_DATE, lambda m: _ending(_day(m["d"], m["m"]), m["ending"]))
    text = text.sub(_SHORT_YEAR, _short_year)
    text = text.sub(_OF_SHORT_MONTH, _of_short_month)
    text = text.sub(_QUOTED_DAY, lambda match: ordinals(match["day"]))
    text = text.sub(_OF_MONTH, lambda match: _ordinals(match["days"]) + " ")
    text = text.sub(_BEFORE_YEAR, _before_year)
    text = text.sub(_DECADE, lambda match: ordinals(match["decade"]) + " ")
    text = text.sub(_EARLY_YEAR, lambda match: ordinals(match["year"]) + " ")
    text = text.sub(_WHOLE_CENTURY, lambda match: ordinals(match["century"]) + " ")
    return text.sub(_CENTURY, _century)


def _date(match: re.Match[str]) -> str | None:
    year = match["y"]
    if len(year) == 2:
        if match["sep"] != "." or len(match["d"]) + len(match["m"]) < 4:
            return None
        year = ("20" if year < "50" else "19") + year
    month = MONTHS[int(match["m"]) - 1]
    day = ordinal(whole(match["d"].lstrip("0"))) + " " if "d" in match.groupdict() else ""
    said = f"{ordinal(whole(year))} жылғы {day}{month}"
    after = _DIRECTION.match(match.string, match.end())
    ending = match["ending"] or (_DIRECTIONS[after[1]] if after else None)
    return _ending(said, ending) + (" " if match.group().endswith("T") else "")


def _of_short_month(match: re.Match[str]) -> str:
    month = next(at for at, name in enumerate(MONTHS) if name.startswith(match["month"]))
    return _day(match["day"], str(month + 1))


def _day(day: str, month: str) -> str:
    return f"{ordinal(whole(day.lstrip('0')))} {MONTHS[int(month) - 1]}"


def _ending(said: str, ending: str | None) -> str:
    return with_written(said, ending) if ending else said


def _ordinals(written: str) -> str:
    return " ".join(ordinal(whole(part.lstrip("0") or "0")) for part in re.findall(r"\d+", written))


def _before_year(match: re.Match[str]) -> str | None:
    following = match.string[match.end() : match.end() + 12]
    bare = re.match(r"жыл(?![\w])|жылда(?![\w])", following)
    if bare and _ROUND.fullmatch(match["years"]):
        return None
    return _ordinals(match["years"]) + " "


def _short_year(match: re.Match[str]) -> str:
    """``жыл``, or in the form that the word after it asks for."""
    said, after = _ordinals(match["years"] or match["early"]), match["next"] or ""
    if match["word"] == "жж":
        return f"{said} {_years(match, after.strip())}{_full_stop(match)}{after}"
    word = after.strip().rstrip(".,;:!?)")
    if word in _AFTER:
        return f"{said} {_AFTER[word]}{after}"
    if word.startswith("дейін"):
        return f"{said} жылға{after}"
    if word[:1].isdecimal():
        year = "жылы" if _ON_A_DAY.match(match.string, match.start("next")) else "жылғы"
        return f"{said} {year}{after}"
    if not word or not (word[0].islower() or _PLACE.fullmatch(word)):
        return f"{said} жыл{_full_stop(match)}{after}"
    return f"{said} жылы{after}"


def _years(match: re.Match[str], following: str) -> str:
    """``жылдары``, or in the form that ``following`` asks for."""
    word = following.rstrip(".,;:!?)»")
    if not word:
        named = match.string[max(0, match.start() - 2) : match.start()].strip(" —–")
        return "жылдары" if named.isalpha() else "жылдар"
    for postposition, form in _POSTPOSITIONS.items():
        if word.startswith(postposition):
            return form
    if not word[0].islower() or _VERB.fullmatch(word):
        return "жылдары"
    if _OF_YEARS.fullmatch(word):
        return "жылдардың"
    last = word != following or match.end() == len(match.string)
    return "жылдардағы" if last else "жылдары"


def _full_stop(match: re.Match[str]) -> str:
    """The point of an abbreviation that ends a sentence too."""
    word = (match["next"] or "").strip()
    return "." if match["dot"] and (not word or word[0].isupper()) else ""


def _century(match: re.Match[str]) -> str:
    return _ordinals(match["number"]) + (" ғасырлар" if match["word"] == "ғғ" else " ғасыр")
