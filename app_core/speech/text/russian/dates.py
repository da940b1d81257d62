"""Days and months."""

from __future__ import annotations

import re

from app_core.speech.text.russian.grammar.government import before_word, governed
from app_core.speech.text.russian.grammar.numbers import ordinal
from app_core.speech.text.russian.years import opens_sentence
from app_core.speech.text.span_text import SpanText

MONTHS = "января февраля марта апреля мая июня июля августа сентября октября ноября декабря".split()
_SHORT = {"янв": 1, "фев": 2, "февр": 2, "мар": 3, "апр": 4, "июн": 6, "июл": 7, "авг": 8}
_SHORT |= {"сен": 9, "сент": 9, "окт": 10, "ноя": 11, "нояб": 11, "дек": 12}
_DAY, _MONTH = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])"
_FULL = re.compile(
    rf"(?<![\w.,/-])(?P<day>{_DAY})(?P<mark>[./-])(?P<month>{_MONTH})(?P=mark)"
    rf"(?P<year>\d{{4}}|\d{{2}})(?![\w/-]|\.\d)"
    r"(?! ?(?:мес|дн|нед|лет|кг|мг|г(?!\.)|[мс]м|шт|[ГТ]Б)(?!\w))"
    r"(?: ?(?P<word>года|год|г\.?)(?!\w))?"
)
_ISO = re.compile(
    rf"(?<![\w.,/-])(?P<year>[12]\d{{3}})-(?P<month>{_MONTH})-(?P<day>{_DAY})(?![\w-])T?"
)
_DAY_MONTH = re.compile(
    r"(?<![\w.,/-])(?P<day>0[1-9]|[12]\d|3[01])\.(?P<month>0[1-9]|1[0-2])(?![\w/])(?![.,]\d)"
    r"(?! ?(?:%|₸|₽|\$|€|°|(?:тг|тенге|руб|млн|млрд|тыс|кг|км|м|см|мм|г|л|га|т)(?!\w)))"
)
_NAMES = "|".join([*MONTHS, *(f"{name}\\.?" for name in _SHORT)])
_NAMED = re.compile(
    rf"(?<![\w.,:/])(?:(?P<first>{_DAY})(?:-?(?:го|е|му|ое|ого))?(?: (?P<name>(?i:{_NAMES})))?"
    rf"(?P<link> ?[-–—] ?| по | до | на | и | или |, ?))?"
    rf"(?P<day>{_DAY})(?:-?(?P<ending>го|ого|е|ое|му|ому|м|ым|ом))? (?P<month>(?i:{_NAMES}))(?!\w)"
)
_TWO_STYLES = re.compile(rf"(?<![\w.,/])({_DAY}) ?\(({_DAY})\)(?= (?i:{_NAMES})(?!\w))")
_QUOTED = re.compile(rf"[«\"“]({_DAY})[»\"”](?= (?:{_NAMES})(?!\w))")
_ENDINGS = {"го": "gent", "ого": "gent", "е": "nomn", "ое": "nomn", "му": "datv", "ому": "datv"}
_ENDINGS |= {"м": "loct", "ом": "loct", "ым": "ablt"}
_NOMINATIVE_AFTER = frozenset("сегодня завтра вчера послезавтра это дата".split())
_CONGRATULATED = re.compile(r"(?:поздрав|праздник|наступающ)[^.!?]{0,40}$")


def dates(text: SpanText) -> SpanText:
    """``25.11.2026``, ``2026-11-25``, ``25.11``, ``1-5 мая``, ``5-го мая``."""
    text = text.sub(_QUOTED, lambda match: match[1])
    text = text.sub(_TWO_STYLES, _two_styles).sub(_ISO, _full).sub(_FULL, _full)
    text = text.sub(_PERIOD, _period).sub(_DAY_MONTH, _day_month)
    return text.sub(_NAMED, _named).sub(_OF_MONTH, _of_month)


_OF_MONTH = re.compile(
    rf"(?<![\w.,/-])(?P<first>{_DAY})(?P<link> ?[-–—] ?| по | до )(?P<last>{_DAY})(?:-?е|-?го)?"
    r"(?= числ(?:о|а)(?!\w))"
)


def _of_month(match: re.Match[str]) -> str:
    """``с 1 по 25 число``, ``1–2 числа``"""
    link = match["link"].strip()
    case = {"по": "accs", "до": "gent"}.get(link, "gent")
    first, last = ordinal(int(match["first"]), "gent", "neut"), int(match["last"])
    joint = f" {link} " if link.isalpha() else " — "
    return f"{first}{joint}{ordinal(last, case, 'neut')}"


def _case(text: str, at: int) -> str:
    before = before_word(text, at)
    if before in ("на", "по", "через"):
        return "accs"
    if before in ("к", "ко"):
        return "datv"
    if before in ("перед", "между"):
        return "ablt"
    if before in ("о", "об"):
        return "loct"
    if before in ("с", "со") and _CONGRATULATED.search(text[max(0, at - 60) : at].lower()):
        return "ablt"
    return "nomn" if before in _NOMINATIVE_AFTER else "gent"


def _two_styles(match: re.Match[str]) -> str:
    """``5 (17) марта``"""
    case = _case(match.string, match.start())
    first, second = (ordinal(int(day), case, "neut") for day in match.groups())
    return f"{first} ({second})"


_POINTED = r"(?:0[1-9]|[12]\d|3[01])\.(?:0[1-9]|1[0-2])"
_PERIOD = re.compile(rf"(?<![\w.,/-])({_POINTED}) ?[-–—] ?({_POINTED})(?![\w/]|[.,]\d)")


def _period(match: re.Match[str]) -> str:
    """``30.10–08.11``"""
    opening = "" if before_word(match.string, match.start()) in ("с", "со") else "с "
    said = []
    for written, case in ((match[1], "gent"), (match[2], "accs")):
        day, month = (int(part) for part in written.split("."))
        said.append(f"{ordinal(day, case, 'neut')} {MONTHS[month - 1]}")
    return f"{opening}{said[0]} по {said[1]}"


def _full(match: re.Match[str]) -> str:
    day = ordinal(int(match["day"]), _case(match.string, match.start()), "neut")
    year = ordinal(int(match["year"]), "gent")
    tail = "." if match.groupdict().get("word") == "г." and _at_end(match) else ""
    return f"{day} {MONTHS[int(match['month']) - 1]} {year} года{tail}"


def _at_end(match: re.Match[str]) -> bool:
    rest = match.string[match.end() : match.end() + 3].strip()
    return not rest or (rest[0].isupper() and not opens_sentence(match.string, match.start()))


def _day_month(match: re.Match[str]) -> str | None:
    before = before_word(match.string, match.start())
    if before.isascii() and before.isalpha() or before in ("п", "пункт", "версия", "версии"):
        return None
    if before in ("в", "во") and int(match["month"]) % 5 == 0:
        return None  # an hour and minutes
    day = ordinal(int(match["day"]), _case(match.string, match.start()), "neut")
    return f"{day} {MONTHS[int(match['month']) - 1]}"


def _month(written: str) -> str:
    short = _SHORT.get(written.rstrip(".").lower())
    return MONTHS[short - 1] if short else written


def _named(match: re.Match[str]) -> str:
    text, at = match.string, match.start()
    case = _ENDINGS.get(match["ending"] or "", _case(text, at))
    if case == "nomn" and governed(text, at)[0] == "gent" and before_word(text, at):
        case = "gent"
    month = _month(match["month"])
    if not match["first"]:
        return f"{ordinal(int(match['day']), case, 'neut')} {month}"
    link = match["link"].strip()
    own = f" {_month(match['name'])}" if match["name"] else ""
    preposition = before_word(text, at)
    if link in ("-", "–", "—"):
        opening = "" if preposition in ("с", "со") else "с "
        first = ordinal(int(match["first"]), "gent", "neut")
        second = ordinal(int(match["day"]), "accs", "neut")
        return f"{opening}{first}{own} по {second} {month}"
    cases = {"по": ("gent", "accs"), "на": ("gent", "accs"), "до": ("gent", "gent")}.get(
        link, (case, case)
    )
    first = ordinal(int(match["first"]), cases[0], "neut")
    second = ordinal(int(match["day"]), cases[1], "neut")
    return f"{first}{own}{match['link']}{second} {month}"
