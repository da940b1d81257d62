"""Sums of money: the amount, then the currency, wherever the sign stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.kazakh.harmony import ENDING, with_written
from app_core.speech.text.kazakh.numbers import QUANTITY, SCALE, amount, whole
from app_core.speech.text.kazakh.units import PER, alternatives, asked_for, full_stop, per

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_TENGE, _DOLLAR, _EURO = ("теңге", "тиын"), ("доллар", "цент"), ("еуро", "цент")
_RUBLE, _POUND = ("рубль", "тиын"), ("фунт стерлинг", "пенс")
_CURRENCIES = {
    "₸": _TENGE, "тг": _TENGE, "тнг": _TENGE, "тең": _TENGE, "KZT": _TENGE, "теңге": _TENGE,
    "тенге": _TENGE, "tg": _TENGE,
    "$": _DOLLAR, "US$": _DOLLAR, "USD": _DOLLAR, "долл": _DOLLAR, "доллар": _DOLLAR,
    "АҚШ доллары": ("АҚШ доллары", "цент"), "€": _EURO, "EUR": _EURO, "еуро": _EURO,
    "₽": _RUBLE, "RUB": _RUBLE, "руб": _RUBLE, "рубль": _RUBLE, "£": _POUND, "GBP": _POUND,
    "¥": ("иена", ""), "JPY": ("иена", ""), "CNY": ("юань", ""), "₺": ("лира", ""),
    "TRY": ("лира", ""), "₴": ("гривна", ""), "₿": ("биткоин", ""), "BTC": ("биткоин", ""),
    "₩": ("вон", ""), "KGS": ("сом", ""), "UZS": ("сум", ""), "CHF": ("франк", ""),
    "AED": ("дирхам", ""), "₹": ("рупия", ""), "₾": ("лари", ""), "₼": ("манат", ""),
    "¢": ("цент", ""), "тиын": ("тиын", ""),
}  # fmt: skip
"""As written: the currency and its hundredth."""
_NAMES = {written: written for written in _CURRENCIES}
_BEFORE = re.compile(
    rf"(?P<minus>(?<![\w])[-–−])?(?P<name>US\$|[$€£₽₸¥₺₴₿₹]|(?<![\w])(?:USD|EUR|KZT|RUB)(?= )) ?"
    rf"(?P<amount>{QUANTITY.replace('(?<![^', '(?<![^$€£₽₸¥₺₴₿₹')})"
    rf"(?:{SCALE}|(?P<letter>[kKMBмк])(?![\w])){PER}(?:[-–](?P<ending>{ENDING}))?"
)
_AFTER = re.compile(
    rf"(?P<amount>{QUANTITY}){SCALE} ?(?P<name>{alternatives(_NAMES)})"
    rf"(?:(?<=[$€£₽₸¥₺₴₿₩₹₾₼¢])|(?![\w])){PER}(?P<dot>\.(?![\d]))?"
    rf"(?:(?:[-–'’]|(?<=[$€£₽₸¥]))(?P<ending>{ENDING}))?"
)
_REPEATED = re.compile(r"(?<=\d) ?[-–—] ?[$€£₽₸](?=\d)")
_WITH_HUNDREDTHS = re.compile(r"([-–+−]?[\d '’.,]*?\d)[.,](\d\d)")


def money(text: SpanText) -> SpanText:
    return text.sub(_REPEATED, "–").sub(_BEFORE, _before).sub(_AFTER, _after)


def _before(match: re.Match[str]) -> str:
    said = _sum(match["amount"], match["scale"] or match["letter"], match["name"])
    return _finished(match, ("минус " if match["minus"] else "") + said)


def _after(match: re.Match[str]) -> str:
    said = _sum(match["amount"], match["scale"], match["name"])
    return _finished(match, said) + full_stop(match)


def _finished(match: re.Match[str], said: str) -> str:
    if match["per"]:
        said = f"{per(match['per'])} {said}"
    ending = match["ending"] or asked_for(match)
    return with_written(said, ending) if ending else said


def _sum(written: str, scale: str | None, name: str) -> str:
    currency, hundredth = _CURRENCIES[name]
    parts = _WITH_HUNDREDTHS.fullmatch(written)
    if not parts or scale or not hundredth:
        return f"{amount(written, scale)} {currency}"
    major = parts[1].replace(",", "").replace(".", "")
    if parts[2] == "00":
        return f"{amount(major, None)} {currency}"
    few = f"{whole(str(int(parts[2])))} {hundredth}"
    return few if parts[1] == "0" else f"{amount(major, None)} {currency} {few}"
