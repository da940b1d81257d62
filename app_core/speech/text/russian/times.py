"""Hours and minutes, scores and ratios."""

from __future__ import annotations

import re

from app_core.speech.text.russian.grammar.government import before_word, case_of_amount
from app_core.speech.text.russian.grammar.noun import Noun
from app_core.speech.text.russian.grammar.numbers import cardinal
from app_core.speech.text.span_text import SpanText

_CLOCK = r"(?:[01]?\d|2[0-4])[:][0-5]\d"
_POINT = r"(?:[01]?\d|2[0-3])\.[0-5]\d"
_HOURS = r"(?: ?(?:часов|часа|час|ч)(?!\w)(?:\.(?= ?[а-яё,;)]))?)?"
_RANGE = re.compile(
    rf"(?<![\w.,:])(?P<from>{_CLOCK}|{_POINT}) ?[-–—] ?(?P<to>{_CLOCK}|{_POINT})"
    rf"(?![\w:]|\.\d){_HOURS}"
)
_TIME = re.compile(rf"(?<![\w.,:])(?P<time>{_CLOCK})(?::(?P<second>[0-5]\d))?(?![\w:]){_HOURS}")
_TIME_WITH_POINT = re.compile(
    rf"(?<=[ (])(?P<time>{_POINT})(?![\w:%]|[.,]\d)(?P<hours>{_HOURS})"
    r"(?! ?(?:₸|%|°|(?:тг|тенге|руб|кг|км|м|см|г|л|га|млн|млрд|тыс)(?!\w)))"
)
_RATIO = re.compile(r"(?<![\w.,:])(\d++)(?: : |:)(\d++(?: \d{3})*)(?![\w:]| ?=)")
_RATIO_WORDS = re.compile(r"(?:масштаб|соотношени|пропорци|отношени)\w*(?: [\w-]+)? ?[—–-]? ?$")
_HOUR = Noun("час")


def times(text: SpanText) -> SpanText:
    """``9:00``, ``14:30``, ``с 10.30``, ``3:2``, ``1:10 000``."""
    text = text.sub(_RANGE, _range).sub(_TIME, _time).sub(_TIME_WITH_POINT, _with_point)
    return text.sub(_RATIO, _ratio)


def clock(written: str, case: str) -> str:
    """A time of day of the form ``9:00`` or ``9.00``."""
    hours, minutes = (int(part) for part in re.split("[.:]", written))
    said = cardinal(hours, case)
    if minutes == 0:
        return f"{said} {_HOUR.after(hours, case)}"
    zero = "ноль " if minutes < 10 else ""
    return f"{said} {zero}{cardinal(minutes, case)}"


def _range(match: re.Match[str]) -> str | None:
    both = match["from"] + match["to"]
    preposition = before_word(match.string, match.start())
    if ":" not in both and not ("." in both and preposition in ("", "с", "со", "в")):
        return None
    if ":" not in both and re.search(r"\.(?:[0-5][1-9])", both) and not preposition:
        return None
    opening = "" if preposition in ("с", "со") else "с "
    return f"{opening}{clock(match['from'], 'gent')} до {clock(match['to'], 'gent')}"


def _time(match: re.Match[str]) -> str:
    said = clock(match["time"], case_of_amount(match.string, match.start()))
    if match["second"]:
        said += f" {'ноль ' if match['second'][0] == '0' else ''}{cardinal(int(match['second']))}"
    return said


def _with_point(match: re.Match[str]) -> str | None:
    preposition = before_word(match.string, match.start())
    after_time = match.string[: match.start()].endswith(("час до ", "часов до ", "часа до "))
    sure = match["hours"] or preposition in ("в", "во", "к") or after_time
    two_digits = len(match["time"].partition(".")[0]) == 2 or match["time"].endswith("0")
    if not sure and not (preposition in ("с", "со", "до", "после") and two_digits):
        return None
    return clock(match["time"], case_of_amount(match.string, match.start()))


def _ratio(match: re.Match[str]) -> str:
    first, second = int(match[1]), int(match[2].replace(" ", ""))
    before = match.string[max(0, match.start() - 40) : match.start()].lower()
    if second >= 100 or _RATIO_WORDS.search(before):
        return f"{cardinal(first)} к {cardinal(second, 'datv')}"
    return f"{cardinal(first)} {cardinal(second)}"
