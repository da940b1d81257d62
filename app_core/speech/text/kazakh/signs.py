"""Formulas, scores, sizes, and signs that stand alone."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from app_core.speech.text.kazakh.harmony import ordinal, with_ending
from app_core.speech.text.kazakh.numbers import NUMBER, number, quantity, whole

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_FORMULA = re.compile(
    r"(?<![\w])[\d(a-zA-Zхук√][^\n!?а-яәғқңөұүһі]{0,60}[=≈≠≤≥][^\n!?]{0,12}[^\n!?а-яәғқңөұүһі]{0,40}"
)
_PRODUCT = re.compile(r"(?<![^\W\d_])[A-Za-zΑ-Ωα-ω]{2,5}(?:(?![\w-]|['’]\w)|(?=[²³]))")
_NO_PRODUCT = re.compile(
    r"[A-Za-z]*[aeiou][a-z]{2,}|[a-z][aeiouy][a-z]+|(?:sin|cos|tg|ctg|tan|log|ln|lg|lim|max|min|is|if|or|to|do"
    r"|in|be|by|on|NaN)"
)
"""Functions and English words."""
_BINARY = {
    "+": "қосу", "-": "алу", "−": "алу", "–": "алу", "*": "көбейту", "×": "көбейту",
    "·": "көбейту", "⋅": "көбейту", "x": "көбейту", "х": "көбейту", "/": "бөлу", ":": "бөлу",
    "÷": "бөлу",
}  # fmt: skip
_OPERATOR = re.compile(
    r"(?<=[\w)²³])(?<![а-тф-цч-яәғқңөұүһіА-ТФ-ЦЧ-ЯӘҒҚҢӨҰҮҺІ])(?<!\d [a-z])(?<!\d [a-z]{2})"
    r"(?: ?([+−–*×·⋅/:÷]) ?|( )-( )|(?<=\d)(-)(?=\d)|(?<=\d) ?([xх]) ?(?=\d))(?=[\w(√])"
)
_UNDER, _OVER = re.compile(r"(?<![\d/])\d$"), re.compile(r"(?:[2-9]|10|100)(?!\d)")
_LONG_SUM = re.compile(r"(?<![\w.,:/])\d{1,9}(?: ?[+×÷·*:−-] ?\d{1,9}){2,20}(?![\w])")
_TIMES = re.compile(r"(?<=[\d)]) ?[·⋅] ?(?=[\d(])")
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
_GREEK_NAMES = {
    **dict(
        zip(
            "αβγδεζηθικλμνξοπρστυφχψω",
            "альфа бета гамма дельта эпсилон дзета эта тэта йота каппа лямбда мю ню кси омикрон пи"
            " ро сигма тау ипсилон фи хи пси омега".split(),
            strict=True,
        )
    ),
    "ς": "сигма", "Δ": "дельта", "Σ": "сигма", "Ω": "омега", "Φ": "фи", "Ψ": "пси", "Λ": "лямбда",
    "Γ": "гамма", "Θ": "тэта", "Π": "пи", "Ξ": "кси",
}  # fmt: skip
_GREEK = re.compile(rf"(?<![Α-Ωα-ωά-ώ])[{''.join(_GREEK_NAMES)}](?![Α-Ωα-ωά-ώ])")
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


def formulas(text: SpanText) -> SpanText:
    """Between operands: ``5 + 3 = 8``."""
    text = text.sub(_FORMULA, _formula).sub(_LONG_SUM, _long_sum).sub(_TIMES, " көбейту ")
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
    text = text.sub(_GREEK, lambda match: f" {_GREEK_NAMES[match.group()]} ")
    text = text.sub(_SIGN, lambda match: f" {_ALONE[match.group()]} ")
    text = text.sub(_GLYPH, lambda match: f" {quantity(match.group())} ")
    return text.sub(_LEFT, lambda match: None if _kept(match.group()) else " ")


def _kept(char: str) -> bool:
    """Vowel signs and accents of other scripts belong to their letters."""
    return unicodedata.category(char)[0] == "M"


def _formula(match: re.Match[str]) -> str:
    def operator(found: re.Match[str]) -> str:
        sign = found.group().strip() or "-"
        above, below = match.group()[: found.start()], match.group()[found.end() :]
        if sign == "/" and _proper(above, below):
            return "/"
        return f" {_BINARY.get(sign, sign)} "

    def product(found: re.Match[str]) -> str:
        before = match.group()[: found.start()].rstrip()
        word = found.group()
        unit = match.group()[found.start() - 1 : found.start()] == " " and before[-1:].isdigit()
        if unit or (len(word) > 2 and word.isupper()) or _NO_PRODUCT.fullmatch(word):
            return found.group()
        return " ".join(found.group())

    return _PRODUCT.sub(product, _OPERATOR.sub(operator, match.group()))


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


def _long_sum(match: re.Match[str]) -> str | None:
    """``240 : 8 + 15``, which asks for its result."""
    return _formula(match) if set(match.group()) & set("+×÷*") else None


def _proper(above: str, below: str) -> bool:
    """Whether a stroke between the two belongs to a fraction: ``3/5``."""
    numerator, denominator = _UNDER.search(above), _OVER.match(below)
    return bool(numerator and denominator and int(numerator[0]) < int(denominator[0]))


def _size(match: re.Match[str]) -> str:
    *sides, last = (side for side in match.groups() if side)
    return " ".join([*(with_ending(number(side), "dative") for side in sides), last])
