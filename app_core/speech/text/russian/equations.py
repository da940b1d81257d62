"""Equations of school: ``E = mc²``, ``F = ma``, ``x₁ = −2``; letters are said by their names."""

from __future__ import annotations

import re

from app_core.speech.text.russian.amounts import units
from app_core.speech.text.russian.grammar.numbers import cardinal, ordinal
from app_core.speech.text.russian.letters import LATIN
from app_core.speech.text.span_text import SpanText

VARIABLES = {name.lower(): said for name, said in LATIN.items()} | {"g": "же"}
"""Letters as they are called in lessons."""
GREEKS = dict(
    pair.split(":")
    for pair in "α:альфа β:бета γ:гамма δ:дельта Δ:дельта ε:эпсилон θ:тета λ:лямбда μ:мю ρ:ро"
    " σ:сигма Σ:сигма φ:фи ω:омега Ω:омега η:эта ν:ню τ:тау π:пи".split()
)
_LETTER = f"[A-Za-z{''.join(GREEKS)}]"
_INDEX, _RAISED = "[0-9₀-₉]", "[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]"
_LETTERS = rf"(?:{_LETTER}{_INDEX}{{0,2}}{_RAISED}{{0,3}}){{0,5}}+"
_TERM = (
    rf"[-−–+±√(]{{0,3}}(?=[\w½¼√]|{_LETTER})(?:\d{{1,9}}(?:[.,]\d{{1,6}})?|[½¼])?"
    rf"{_RAISED}{{0,3}}{_LETTERS}(?![A-Za-z])\){{0,2}}{_RAISED}{{0,3}}"
)
_EQUATION = re.compile(
    rf"(?<![\w.,'’])\(?(?:\d{{0,3}}(?:{_LETTER}{_INDEX}{{0,2}}{_RAISED}?){{1,2}}+"
    rf"(?: ?[-−–+·⋅×/] ?{_TERM}){{0,6}}+)\)?{_RAISED}?"
    rf"(?: ?[=≈≠≤≥<>] ?{_TERM}(?: ?[-−–+·⋅×*/÷:] ?{_TERM}){{0,12}}+){{1,4}}+(?![A-Za-z])"
)
_TOKEN = re.compile(
    rf"\d++(?:[.,]\d++)?[A-Za-z]{{2}}(?![\w])|\d++(?:[.,]\d++)?|{_LETTER}|[₀-₉]++|{_RAISED}++|."
)
_FUNCTION = re.compile(r"sin|cos|tg|ctg|log|lg|ln|lim")
_ELEMENTS = re.compile(r"Na|Ca|Fe|Cl|Cu|Al|Mg|Zn|Ag|Si|Mn|Ba|Br|[HON]2(?!\w)|[HON]₂")
FUNCTIONS = {"sin": "синус", "cos": "косинус", "tg": "тангенс", "ctg": "котангенс"}
FUNCTIONS |= {"log": "логарифм", "lg": "десятичный логарифм", "ln": "натуральный логарифм"}
_FUNCTION_OF = re.compile(
    rf"(?<!\w)(?:(sin|cos|tg|ctg|lg|ln) (?={_LETTER}(?!\w))|(sin|cos|ctg) ?(?=\d))"
)
_ASKED = re.compile(
    r"(?:(?<=[Нн]айти )|(?<=[Нн]айдите )|(?<=[Нн]айти: )|(?<=[Оо]пределите ))"
    r"[A-Za-z](?![\w'’-]|\.\w)"
)
_SIGNS = {
    "=": "равно",
    "≈": "примерно равно",
    "≠": "не равно",
    "≤": "меньше или равно",
    "≥": "больше или равно",
    "<": "меньше",
    ">": "больше",
    "+": "плюс",
    "±": "плюс-минус",
    "-": "минус",
    "−": "минус",
    "–": "минус",
    "·": "умножить на",
    "⋅": "умножить на",
    "×": "умножить на",
    "*": "умножить на",
    "/": "разделить на",
    "÷": "разделить на",
    ":": "разделить на",
    "√": "корень из",
    "½": "одна вторая",
    "¼": "одна четвёртая",
}
_DIGITS = "₀₁₂₃₄₅₆₇₈₉"
_RAISED_DIGITS = "⁰¹²³⁴⁵⁶⁷⁸⁹"


def equations(text: SpanText) -> SpanText:
    """Words in place of the letters and signs of equations; their numbers stay numbers."""
    text = text.sub(_FUNCTION_OF, lambda match: f"{FUNCTIONS[match[1] or match[2]]} ")
    if "=" in text.text:
        text = text.sub(_ASKED, lambda match: VARIABLES[match.group().lower()])
    return text.sub(_EQUATION, _equation) if re.search("[=≈≠≤≥<>]", text.text) else text


def power(sign: str) -> str:
    """``²`` and its like."""
    if sign in ("²", "³"):
        return {"²": "в квадрате", "³": "в кубе"}[sign]
    digits = "".join(str(_RAISED_DIGITS.index(char)) for char in sign.lstrip("⁻") if char != "⁻")
    minus = "минус " if sign[0] == "⁻" else ""
    return f"в {minus}{ordinal(int(digits or 0), 'loct', 'femn')} степени"


def _equation(match: re.Match[str]) -> str | None:
    written = match.group()
    if _FUNCTION.search(written) or _ELEMENTS.search(written) or re.search(r"[=<>]{2}", written):
        return None
    said: list[str] = []
    for token in _TOKEN.findall(written):
        first = token[0]
        if first.isdecimal() or (first in "()" and first != " "):
            if token[-2:].isalpha() and units.unit(token.lstrip("0123456789.,")) is None:
                said += [token[:-2], *(VARIABLES[char.lower()] for char in token[-2:])]
            else:
                said.append(token)
        elif first in _DIGITS:
            said.append(cardinal(int("".join(str(_DIGITS.index(char)) for char in token))))
        elif first in "⁰¹²³⁴⁵⁶⁷⁸⁹⁻":
            said.append(power(token))
        elif first != " ":
            said.append(_SIGNS.get(first) or GREEKS.get(first) or VARIABLES[first.lower()])
    return " ".join(said).replace("( ", "(").replace(" )", ")")
