"""Roman numerals, also in the Cyrillic letters that look like them, as ordinals."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.kazakh.harmony import ENDING, is_ending, ordinal, with_written
from app_core.speech.text.kazakh.numbers import whole

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_LETTER = "[IVXLCDMІХСМ]"
_LATIN = str.maketrans("ІХСМ", "IXCM")
_NUMERAL = re.compile(r"(?=.)(C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})")
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_NOUN = (
    r"(?=(?:, ?| және | мен )[IVXІХ]{1,5}(?!\w)"
    r"| ?(?:ғасыр|ғғ?\.|тоқсан|топ|тоб|тарау|бөлім|орын|орн|дәреже|кезең|том|класс|курс|сынып"
    r"|сыныб|санат|бап|баб|кезек|деңгей|жарты|[Дд]үниежүз|съез|сайлау|шақыру|шақырыл|халықаралық"
    r"|[Рр]еспублика|форум|конференц|[Оо]лимпиад|құрылтай|тур|раунд|семестр|тапсырма|нұсқа|тип"
    r"|мыңжылдық|патша|король|ханшайым))"
)
_ROMAN = re.compile(
    rf"(?:(?<![\w.°])|(?<=\d)(?P<after>[-–]))(?P<first>{_LETTER}{{1,9}})"
    rf"(?: ?[-–—] ?(?P<second>{_LETTER}{{1,9}}))?"
    rf"(?![\w])(?P<hyphen>[-–](?=[а-яәғқңөұүһі]))?(?P<ending>(?<=[-–]){ENDING})?"
)
_BEFORE_NOUN = re.compile(_NOUN, re.IGNORECASE)
_OPERATOR = re.compile(r" ?[=≈+·×*/²³<>]")
"""What makes a letter of a formula of a numeral."""
_AFTER_NAME = re.compile(
    r"(?:[А-ЯӘҒҚҢӨҰҮҺІ][а-яёәғқңөұүһі]{1,19}[а-хц-ъьэюяёәғқңөұүһ]|[Тт]арау|[Бб]өлім|[Тт]ом) $"
)


def romans(text: SpanText) -> SpanText:
    """``XXI ғасыр``, ``ІІ орын``, ``Николай II``, ``XV–XVIII ғғ.``"""
    return text.sub(_ROMAN, _said)


def _said(match: re.Match[str]) -> str | None:
    numerals = [part for part in (match["first"], match["second"]) if part]
    values = [_value(numeral.translate(_LATIN)) for numeral in numerals]
    if not all(values):
        return None
    before_noun = _BEFORE_NOUN.match(match.string, match.end()) is not None
    if _OPERATOR.match(match.string, match.end()):
        return None
    sure = any(len(part) > 1 for part in numerals)
    sure = sure and not set("".join(numerals).translate(_LATIN)) & set("LCDM")
    if not before_noun and not sure:
        named = _AFTER_NAME.search(match.string[max(0, match.start() - 24) : match.start()])
        if not named or match["first"] not in ("I", "V", "X", "І") or match["second"]:
            return None
    if match["after"]:
        return " " + " ".join(ordinal(whole(str(value))) for value in values)
    said = " ".join(ordinal(whole(str(value))) for value in values)
    if match["ending"] and not is_ending(match["ending"]):
        return f"{said} {match['ending']}"
    if match["ending"] and not re.match(r"(?:[ыі]?н)?ш[ыі]", match["ending"]):
        return with_written(said, match["ending"])  # "Елизавета II-нің"
    return said + " " if match["hyphen"] and not match["ending"] else said


def _value(numeral: str) -> int:
    """0 where it is no Roman numeral below 400."""
    if not _NUMERAL.fullmatch(numeral):
        return 0
    values = [_VALUES[letter] for letter in numeral]
    following = [*values[1:], 0]
    return sum(-a if a < b else a for a, b in zip(values, following, strict=True))
