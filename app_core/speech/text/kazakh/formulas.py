"""Formulas and sums: ``5 + 3 = 8``, ``E = mc²``, with the names that letters have at school."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_NOT_CYRILLIC = "[^\n!?а-яәғқңөұүһі]"
_FORMULA = re.compile(
    rf"(?<![\w])[\d(a-zA-ZΑ-Ωα-ωхук√]{_NOT_CYRILLIC}{{0,60}}[=≈≠≤≥][^\n!?]{{0,12}}{_NOT_CYRILLIC}{{0,40}}"
)
_LONG_SUM = re.compile(r"(?<![\w.,:/])\d{1,9}(?: ?[+×÷·*:−-] ?\d{1,9}){2,20}(?![\w])")
_BINARY = {
    "+": "қосу", "-": "алу", "−": "алу", "–": "алу", "*": "көбейту", "×": "көбейту",
    "·": "көбейту", "⋅": "көбейту", "x": "көбейту", "х": "көбейту", "/": "бөлу", ":": "бөлу",
    "÷": "бөлу",
}  # fmt: skip
_UNIT_LETTER = "а-тф-цч-яәғқңөұүһіА-ТФ-ЦЧ-ЯӘҒҚҢӨҰҮҺІ"
_FUNCTION = re.compile(r"(?<!\w)(sin|cos|tg|ctg)(?= ?\d{1,3}°| [xyα-ω](?!\w))")
_FUNCTIONS = {"sin": "синус", "cos": "косинус", "tg": "тангенс", "ctg": "котангенс"}
_NEXT = "(?=[\\d(√A-Za-zΑ-Ωα-ω]|[ху](?![а-я]))"
_OPERATOR = (
    r"(?<=[\w)²³])(?:"
    rf"(?<![{_UNIT_LETTER}])(?<!\d [a-z])(?<!\d [a-z]{{2}}) ?[+−–*×·⋅/:÷] ?{_NEXT}"
    r"| [+−–*×·⋅/÷] (?=[\d(])"
    r"|(?<![а-яәғқңөұүһі]{2}) - " + _NEXT + r"|(?<=\d)-(?=\d)|(?<=\d) ?[xх] ?(?=\d)"
    r"|(?<![^\W\d_][A-Za-z])(?<![а-яәғқңөұүһі])-(?=[\d(]|[A-Za-z](?![A-Za-z])))"
)
_LETTERS = (
    r"(?<![^\W\d_²³⁴-⁹])(?<![^\W\d_]['’.])(?<![^\W\d_]{2}-)"
    r"(?P<letters>[A-Za-zΑ-Ωα-ω]{1,5}|[хуХУ])(?:(?![^\W\d_]|['’.]\w|-[^\W\d_]{2})|(?=[²³]))"
)
_PART = re.compile(rf"(?P<operator>{_OPERATOR})|{_LETTERS}")
_NO_PRODUCT = re.compile(
    r"[A-Za-z]*[aeiou][a-z]{2,}|[a-z][aeiouy][a-z]+|[A-Z]{3,}"
    r"|(?:sin|cos|tg|ctg|tan|log|ln|lg|lim|max|min|is|if|or|to|do|in|be|by|on|NaN)"
)
"""Functions, words and abbreviations."""
NAMES = {
    **dict(
        part.split(":")
        for part in (
            "a:а b:бэ c:цэ d:дэ e:е f:эф g:гэ h:аш i:и j:йот k:ка l:эль m:эм n:эн o:о p:пэ q:ку"
            " r:эр s:эс t:тэ u:у v:вэ w:дубль-вэ x:икс y:игрек z:зет х:икс у:игрек"
            " α:альфа β:бета γ:гамма δ:дельта ε:эпсилон ζ:дзета η:эта θ:тэта ι:йота κ:каппа"
            " λ:лямбда μ:мю ν:ню ξ:кси ο:омикрон π:пи ρ:ро σ:сигма ς:сигма τ:тау υ:ипсилон φ:фи"
            " χ:хи ψ:пси ω:омега"
        ).split()
    )
}
_ROOTS = re.compile(r"(?<=[xхX])1,2(?= ?=)")
"""Of a quadratic equation; as long as what it stands for."""
_UNDER, _OVER = re.compile(r"(?<![\d/])\d$"), re.compile(r"(?:[2-9]|10|100)(?!\d)")


def formulas(text: SpanText) -> SpanText:
    """Operators and letters, in what has a sign of equality or at least two operators."""
    text = text.sub(_FUNCTION, lambda match: f"{_FUNCTIONS[match[1]]} ")
    inside = bytearray(len(text))
    for pattern in (_FORMULA, _LONG_SUM):
        for match in pattern.finditer(text.text):
            if pattern is _FORMULA or set(match.group()) & set("+×÷*"):
                inside[match.start() : match.end()] = b"\1" * len(match.group())
    if not any(inside):
        return text
    text = text.sub(_ROOTS, "1 2")
    return text.sub(_PART, lambda match: _said(match) if inside[match.start()] else None)


def name(letter: str) -> str:
    """As large as the letter."""
    said = NAMES[letter.lower()]
    return said.capitalize() if letter.isupper() else said


def _said(match: re.Match[str]) -> str | None:
    around = (
        match.string[max(0, match.start() - 3) : match.start()],
        match.string[match.end() :][:4],
    )
    if match["operator"]:
        sign = match.group().strip()
        return None if sign == "/" and _proper(*around) else f" {_BINARY[sign]} "
    word = match["letters"]
    unit = around[0][-1:] == " " and around[0].rstrip()[-1:].isdecimal()
    if unit or _NO_PRODUCT.fullmatch(word):
        return None
    said = " ".join(name(letter) for letter in word)
    return f"{' ' * around[0][-1:].isdecimal()}{said}{' ' * _digit(around[1][:1])}"


def _digit(char: str) -> bool:
    return char.isdecimal() and char not in "²³"


def _proper(above: str, below: str) -> bool:
    """Whether a stroke between the two belongs to a fraction: ``3/5``."""
    numerator, denominator = _UNDER.search(above), _OVER.match(below)
    return bool(numerator and denominator and int(numerator[0]) < int(denominator[0]))
