"""Scores, sizes, powers, and signs that stand alone."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from app_core.speech.text.kazakh.formulas import name
from app_core.speech.text.kazakh.harmony import ordinal, with_ending
from app_core.speech.text.kazakh.numbers import NUMBER, number, quantity, whole

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_TIMES = re.compile(r"(?<=[\d)]) ?[·⋅] ?(?=[\d(])")
_DOSE = re.compile(r"(?<=[\w.]) [xх×] (?=\d{1,2} (?:рет|р\.|күн))")
"""``2 таб. х 3 рет``."""
_SIZE = re.compile(
    rf"(?<![\w.,])({NUMBER}) ?[x×х*] ?({NUMBER})(?: ?[x×х*] ?({NUMBER}))?(?![\d])(?! ?=)"
)
_SCORE = re.compile(r"(?<![\w.,:])(\d{1,3})(?: ?:| : )(\d{1,3})(?![\d:])")
_MAP = re.compile(r"(?<![\w.,:])1 ?: ?(\d[\d ]{2,12}\d)(?![\d:])")
_AROUND_THE_CLOCK = re.compile(r"(?<![\w.,/])24/7(?![\w/])")
_PRESSURE = re.compile(r"(?<![\w.,/])(1?\d\d)/(\d\d)(?= ?мм)")
_POWER = {"²": " квадрат", "³": " куб"}
_ALONE = {
    "=": "тең", "≈": "шамамен", "≠": "тең емес", "≤": "кіші немесе тең", "<": "кіші",
    "≥": "үлкен немесе тең", ">": "үлкен", "+": "плюс", "±": "плюс минус", "×": "көбейту",
    "÷": "бөлу", "√": "түбір", "∞": "шексіздік", "π": "пи", "−": "минус", "№": "нөмір",
    "%": "пайыз", "‰": "промилле", "°": "градус", "§": "параграф", "@": "айқұлақ",
    "₸": "теңге", "$": "доллар", "€": "еуро", "₽": "рубль", "£": "фунт", "¥": "иена",
}  # fmt: skip
_SIGN = re.compile("[" + re.escape("".join(_ALONE)) + "]")
_GREEK = re.compile(r"(?<![Α-Ωα-ωά-ώ])[ΔΣΩΦΨΛΓΘΠΞα-ω](?![Α-Ωα-ωά-ώ])")
_GLYPH = re.compile("[½¼¾⅓⅔]")
_LEFT = re.compile(r"[^\w.,!?…:;—–\-'’‘‚‹›\"()«»“”„‟ \n\u0301]|[_¹²³⁰⁴-⁹₀-₉⅐-⅞]")
"""Neither letters nor marks that make pauses."""
_AND_LATIN = re.compile(r"(?<=[A-Za-z])&(?=[A-Za-z])")
_AND = re.compile(r" ?& ?")
_STROKE = re.compile(r"(?<=[^\s]) ?[/⁄] ?(?=[^\s])")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_POWERS = re.compile(
    r"(?<!\d)(\d++)(?:(⁻[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3})|([⁴⁵⁶⁷⁸⁹]|[¹²³⁴⁵⁶⁷⁸⁹][⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2}))"
)
_MEMORY = re.compile(
    r"(?<![\w.,/])(\d{1,4})/(?=\d{1,4} ?(?:ГБ|GB|ТБ|TB|Гб|gb)|(?<=\d\d/)\d{2,4} ?(?:Гц|В|см|кг))"
)
_INCHES = re.compile(r"(?<=\d)[\"″”](?![\w])")
_LETTER_POWER = re.compile("[²³]")


def ratios(text: SpanText) -> SpanText:
    """Scores, scales, sizes, powers: numbers that a sign joins."""
    text = text.sub(_DOSE, " ").sub(_TIMES, " көбейту ")
    text = text.sub(_AROUND_THE_CLOCK, "жиырма төрт жеті")
    text = text.sub(_MAP, lambda match: f"бірге {number(match[1].strip())}")
    text = text.sub(_SCORE, lambda match: f"{whole(match[1])} {whole(match[2])}")
    text = text.sub(_SIZE, _size)
    text = text.sub(_POWERS, _power).sub(_INCHES, _inches)
    text = text.sub(_MEMORY, lambda match: f"{whole(match[1])} ")
    return text.sub(_PRESSURE, lambda match: f"{with_ending(whole(match[1]), 'dative')} {match[2]}")


def signs(text: SpanText) -> SpanText:
    """Those that are left."""
    text = text.sub(_LETTER_POWER, lambda match: _POWER[match.group()])
    text = text.sub(_AND_LATIN, " энд ").sub(_AND, " және ").sub(_STROKE, " ")
    text = text.sub(_GREEK, lambda match: f" {name(match.group())} ")
    text = text.sub(_SIGN, lambda match: f" {_ALONE[match.group()]} ")
    text = text.sub(_GLYPH, lambda match: f" {quantity(match.group())} ")
    return text.sub(_LEFT, lambda match: None if _kept(match.group()) else " ")


def _kept(char: str) -> bool:
    """Vowel signs and accents of other scripts belong to their letters."""
    return unicodedata.category(char)[0] == "M"


def _power(match: re.Match[str]) -> str:
    """``10⁶``: the sixth power of ten."""
    exponent = (match[2] or match[3]).translate(_SUPERSCRIPTS)
    said = ordinal(whole(exponent.lstrip("⁻")))
    minus = "минус " if match[2] else ""
    return f"{with_ending(whole(match[1]), 'genitive')} {minus}{said} дәрежесі"


def _inches(match: re.Match[str]) -> str | None:
    """After a number, where no quotation is open."""
    before = match.string[max(0, match.start() - 80) : match.start()]
    return None if before.count('"') % 2 or "“" in before else " дюйм"


def _size(match: re.Match[str]) -> str:
    *sides, last = (side for side in match.groups() if side)
    return " ".join([*(with_ending(number(side), "dative") for side in sides), last])
