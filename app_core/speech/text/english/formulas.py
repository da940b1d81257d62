"""Signs of formulas and the like as words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.english.numbers import NUMBER, START, cardinal, ordinal

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "Δ": "delta", "ε": "epsilon",
    "θ": "theta",
    "λ": "lambda", "μ": "mu", "π": "pi", "ρ": "rho", "σ": "sigma", "Σ": "sigma", "τ": "tau",
    "φ": "phi",
    "ω": "omega", "Ω": "omega", "∞": "infinity",
}  # fmt: skip
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ", "0123456789+-n")
_NEGATIVE = re.compile(
    r"(?<![\w.,:;)\]%°−–-])(?<![\w)%°] )[-–](?=\.?\d)|(?<=[=<>≤≥≈≠×÷(,;:/] )[-–](?=\.?\d)"
    r"|(?<=(?:[^\d\W]|[:;,(]) )[-–](?=\.?\d)"
)
_NOT_OPERAND = re.compile(
    r"\b(?:is|are|was|be|at|of|by|if|to|for|with|that|a|the|and|or|only"
    r"|not|cost|costs|than|takes|lasts|weighs|in|from|about|under) $"
)
_TIGHT_TIMES = re.compile(r"(?<=[\w)²³])×(?=[\w(])")
_BEFORE_SIGN = re.compile(r"(?<![\w)])[-–](?=[$€£₸₽¥]\d)")
_OPERAND_BEFORE = r"(?<=[\w)²³⁰-⁹°%])"
_MINUS = re.compile(
    rf"{_OPERAND_BEFORE} [-–−] (?=[\w(√−]{{1,20}}[^=\n.!?]{{0,60}}=)|(?<=[a-z\d)]) ?− ?(?=[\w(√])"
)
_TIGHT_MINUS = re.compile(
    r"(?<=\d)-(?=\d+(?:[+×÷*/=]|-\d+\s?=|\s?=))|(?<=(?<![\w])[a-z])-(?=\d|[a-z](?!\w))(?=[^\n]{1,10}=)|(?<=[)\d²³])-(?=[a-z](?![\w'’]))"
)
_DIMENSIONS = re.compile(
    rf"{START}({NUMBER}) ?× ?({NUMBER})(?: ?× ?({NUMBER}))?(?![\w]? ?[=+×÷]|[⁻⁰¹²³⁴-⁹])"
)
_POWER = re.compile(r"([⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹ⁿ]+)")
_SIMPLE = {
    "=": "equals", "×": "times", "÷": "divided by", "±": "plus or minus", "√": "square root of",
    "≠": "is not equal to", "§": "section ", "&": "and", "@": "at", "%": "percent",
    "‰": "per mille",
    "°": "degrees", "+": "plus", "−": "minus", "#": "number", "№": "number", "•": ",", "·": " ",
    "′": "", "″": "", "¢": "cents",
}  # fmt: skip
_COMPARE = {"<": ("is less than", "less than"), ">": ("is greater than", "more than"),
            "≤": ("is less than or equal to", "at most"),
            "≥": ("is greater than or equal to", "at least"),
            "≈": ("is approximately", "approximately")}  # fmt: skip
_COMPARISON = re.compile(rf"({_OPERAND_BEFORE} ?)?([<>≤≥≈]) ?")
_DIVIDED = re.compile(
    r"(?<=[\d)]) ?/ ?(?=[\d(]+[^\n]{0,12}=)|(?<=(?<![\w])[a-z])/(?=[a-z](?!\w))"
    r"|(?<=\w) / (?=\d{1,6} ?[A-Za-z]{0,3} =)"
    r"|(?<=\))/(?=[a-z](?!\w))|(?<== [A-Za-z])/(?=[A-Za-z](?!\w))"
)
_APART = re.compile(r"(?<=\w) / (?=\w)")
_PLUS_AFTER = re.compile(r"(?<=[\w)])\+(?![\w(\d])")
_SIGN = re.compile("[" + re.escape("".join(_SIMPLE) + "".join(_GREEK)) + "]")
_FUNCTION = re.compile(r"(?<!\w)(sin|cos|tan|cot)(?= ?\d| [a-zα-ω](?!\w)|\()")
_FUNCTIONS = {"sin": "sine", "cos": "cosine", "tan": "tangent", "cot": "cotangent"}
_ASKED = re.compile(r"(?:[Ww]hat(?:'s|’s| is)|[Cc]alculate|[Mm]ultiply) $")
_POWER_OF_TEN = re.compile(r"(?<=\d) ?[·⋅] ?(?=10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹])")
_SLASH = re.compile(r" ?[/\\] ?")
_LEFT = re.compile(r"[^\w\s.,!?…:;—–\-'’‘‚‹›\"()«»“”„‟\u0301]|_")


def negatives(text: SpanText) -> SpanText:
    """A minus sign in place of the hyphen or dash before a number that is below zero."""
    text = text.sub(_TIGHT_TIMES, " × ").sub(_POWER_OF_TEN, " × ")
    text = text.sub(_FUNCTION, lambda match: f"{_FUNCTIONS[match[1]]} ")
    return text.sub(_BEFORE_SIGN, "−").sub(_NEGATIVE, "−")


def formulas(text: SpanText) -> SpanText:
    """``5 × 3 = 15``: five times three equals fifteen; ``x²``: x squared; ``<5``: less than 5."""
    text = text.sub(_MINUS, " minus ").sub(_TIGHT_MINUS, " minus ")
    text = text.sub(_DIMENSIONS, _dimensions)
    text = text.sub(_DIVIDED, " divided by ").sub(_APART, _divided).sub(_POWER, _power)
    return text.sub(_COMPARISON, _comparison)


def signs(text: SpanText) -> SpanText:
    """What is left of signs, as words or as spaces."""
    text = text.sub(_PLUS_AFTER, " plus ")
    text = text.sub(
        _SIGN, lambda match: f" {_SIMPLE.get(match.group()) or _GREEK.get(match.group(), '')} "
    )
    return text.sub(_SLASH, " ").sub(_LEFT, " ")


def _divided(match: re.Match[str]) -> str | None:
    """Between measures, where something is reckoned."""
    return (
        " divided by " if "=" in match.string[max(0, match.start() - 60) : match.start()] else None
    )


def _dimensions(match: re.Match[str]) -> str | None:
    """``4 × 4`` is four by four where nothing is reckoned."""
    around = match.string[max(0, match.start() - 12) : match.end() + 16]
    before = match.string[max(0, match.start() - 12) : match.start()]
    if _ASKED.search(before) or re.search(r"[=+÷]", around):
        return None
    return " by ".join(part for part in match.groups() if part)


def _power(match: re.Match[str]) -> str:
    raised = match[1].translate(_RAISED)
    if raised in ("2", "3"):
        return " squared" if raised == "2" else " cubed"
    if raised == "n" or raised.endswith("n"):
        return " to the power of n"
    sign = "minus " if raised.startswith("-") else ""
    number = int(raised.lstrip("+-")[:6])
    return (
        f" to the power of {sign}{cardinal(number)}"
        if sign or number < 4
        else f" to the {ordinal(number)} power"
    )


def _before_amount(match: re.Match[str]) -> bool:
    """``takes ~25 min``: the sign is written to the number alone, after a word."""
    text = match.string
    tight = match.group().startswith(" ") and not match.group().endswith(" ")
    return tight and text[match.start() - 2 : match.start()].isalpha()


def _comparison(match: re.Match[str]) -> str:
    with_left, alone = _COMPARE[match[2]]
    before = match.string[max(0, match.start() - 8) : match.start(2)]
    if match[1] is None or _NOT_OPERAND.search(before) or _before_amount(match):
        return f"{match[1] or ''}{alone} "
    return f" {with_left} "
