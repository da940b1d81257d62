"""Phones, identity and card numbers, account numbers: said by groups or digit by digit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.kazakh.numbers import paired, spelled, whole

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_PHONE = re.compile(
    r"(?<![\w.,])(?<!\d[ -])\+?(?:\d{1,3}[ -–]?(?:\(\d{2,5}\)|\d{3,4})(?:[ \-–]?\d{1,4}){2,5}"
    r"|\d{10,12})(?![\d])(?![.,]\d)"
)
_TELEPHONE = re.compile(r"(?<![\w.])(?P<t>[Тт])\.:? ?(?=\+?[78] ?[-(\d]|\(7\d)")
_LOCAL = re.compile(r"(?<![\w.,:/-])\d{2,3}[-–]\d{2}[-–]\d{2}(?![\d]|[-–.]\d)")
_SHORT_PHONE = re.compile(
    r"((?:[Тт]ел\.?|[Тт]елефон[а-я]*|[Оо]рталы(?:қ|ғы)|[Нн]өмірі):? ?)"
    r"(\d{4})(?![\d \-.,]\d|\d)"
)
_IDENTITY = re.compile(r"(?<![\w.,])\d{6} ?\d{6}(?![\d])(?![.,]\d)(?! ?(?:₸|тг|теңге|\d))")
_POSTCODE = re.compile(r"(?<![\w.,])0\d{5}(?![\w])(?![.,]\d)")
_CARD = re.compile(r"(?<![\w.,])\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}(?![\d])(?![.,]\d)")
_ACCOUNT = re.compile(r"(?<![\w])KZ\d\d(?: ?[A-Z\d]{4}){4}(?![\w])")
_SECRET = re.compile(
    r"((?:[Пп]арол[а-яі]*|[Кк]оды?|PIN|ПИН|Code):? (?:— )?)"
    r"(\d{4,12}|\d{3} \d{3})(?![\w])"
)
_GROUP = re.compile(r"\d+")
_PLATE = re.compile(r"(?<![\w])(\d{3}) ?([A-Z]{2,3}) ?(\d{2})(?![\w])")
_LETTERS_OR_DIGITS = re.compile(r"[A-Z]+|\d+")


def codes(text: SpanText) -> SpanText:
    text = text.sub(_TELEPHONE, lambda m: "Телефон " if m["t"] == "Т" else "телефон ")
    text = text.sub(_CARD, lambda match: paired(_digits(match.group())))
    text = text.sub(_ACCOUNT, _account).sub(_PHONE, _phone)
    text = text.sub(_IDENTITY, lambda match: _by_three(_digits(match.group())))
    text = text.sub(_POSTCODE, lambda match: _by_three(match.group()))
    text = text.sub(_LOCAL, lambda match: _groups(match.group()))
    text = text.sub(_SHORT_PHONE, lambda match: match[1] + paired(match[2]))
    text = text.sub(_SECRET, _secret)
    return text.sub(_PLATE, lambda m: f"{whole(m[1])} {m[2]} {whole(m[3])}")


def _phone(match: re.Match[str]) -> str | None:
    written = match.group()
    digits = _digits(written)
    if written[0] == "+":
        if not 10 <= len(digits) <= 13:
            return None
    elif len(digits) != 11 or digits[0] not in "78":
        return None
    first = _GROUP.findall(written)[0]
    if len(digits) == 11 and len(first) == 4:  # "8776 555 12 12"
        written = written.replace(first, f"{first[0]} {first[1:]}", 1)
    plus = "плюс " if written[0] == "+" else ""
    if len(digits) == 11 and max(map(len, _GROUP.findall(written))) > 5:
        cuts = (0, 1, 4, 7, 9, 11)
        groups = [digits[a:b] for a, b in zip(cuts, cuts[1:], strict=False)]
        return plus + _groups(" ".join(groups))
    return plus + _groups(written)


def _secret(match: re.Match[str]) -> str:
    return match[1] + (_groups(match[2]) if " " in match[2] else spelled(match[2]))


def _groups(written: str) -> str:
    """Groups of up to three digits as numbers, longer ones by pairs, with a pause after each:
    without it 705 123 is heard as 700 523."""
    return ", ".join(
        whole(group) if len(group) < 4 else paired(group) for group in _GROUP.findall(written)
    )


def _by_three(digits: str) -> str:
    return ", ".join(whole(digits[at : at + 3]) for at in range(0, len(digits), 3))


def _account(match: re.Match[str]) -> str:
    parts = _LETTERS_OR_DIGITS.findall(match.group())
    return " ".join(paired(part) if part.isdecimal() else part for part in parts)


def _digits(written: str) -> str:
    return "".join(filter(str.isdigit, written))
