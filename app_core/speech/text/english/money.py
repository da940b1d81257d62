"""Sums of money: the amount, then the currency."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.english.numbers import DASH, NUMBER, START, amount, is_one, parts
from app_core.speech.text.english.units import attributive, per

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_DOLLAR = ("dollar", "dollars", "cent", "cents")
_CURRENCIES = {
    "$": _DOLLAR, "USD": ("U S dollar", "U S dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"), "£": ("pound", "pounds", "penny", "pence"),
    "₸": ("tenge", "tenge", "tiyn", "tiyn"), "₽": ("ruble", "rubles", "kopeck", "kopecks"),
    "¥": ("yen", "yen", "", ""), "CNY": ("yuan", "yuan", "fen", "fen"),
    "₹": ("rupee", "rupees", "paisa", "paise"), "₴": ("hryvnia", "hryvnias", "kopeck", "kopecks"),
    "₩": ("won", "won", "", ""), "₺": ("lira", "lira", "kurus", "kurus"),
    "₿": ("bitcoin", "bitcoins", "", ""), "₼": ("manat", "manat", "qepik", "qepik"),
    "₾": ("lari", "lari", "tetri", "tetri"), "₪": ("shekel", "shekels", "agora", "agorot"),
    "CHF": ("Swiss franc", "Swiss francs", "centime", "centimes"),
    "UZS": ("som", "som", "tiyin", "tiyin"), "KGS": ("som", "som", "tyiyn", "tyiyn"),
    "AED": ("dirham", "dirhams", "fils", "fils"),
}  # fmt: skip
_SAME = {
    "US$": "$", "A$": "$", "C$": "$", "EUR": "€", "GBP": "£", "KZT": "₸", "RUB": "₽", "JPY": "¥",
    "RMB": "CNY", "INR": "₹", "UAH": "₴", "KRW": "₩", "TRY": "₺", "BTC": "₿", "AZN": "₼",
    "tg": "₸", "tg.": "₸", "TG": "₸", "тг": "₸", "₸.": "₸", "rub": "₽",
}  # fmt: skip
_CURRENCIES["USD"] = _DOLLAR
_SCALES = {
    "k": "thousand", "K": "thousand", "m": "million", "M": "million", "mn": "million",
    "mln": "million", "mil": "million", "b": "billion", "B": "billion", "bn": "billion",
    "bln": "billion", "t": "trillion", "T": "trillion", "tn": "trillion", "trn": "trillion",
}  # fmt: skip
_SIGN = r"(?:US\$|A\$|C\$|[$€£₸₽¥₹₴₩₺₿₼₾₪])"
_CODE = r"(?:USD|EUR|GBP|KZT|RUB|CNY|RMB|JPY|INR|UAH|KRW|TRY|BTC|AZN|CHF|UZS|KGS|AED|tg|TG|тг)"
_SCALE = (
    r"(?: ?(thousand|million|billion|trillion|mln|mil|mn|bln|bn|trn|tn)\b"
    r"|([kKmMbBtT])(?![\w.]\w|\w))?"
)
_AFTER = r"(?: ?/ ?([A-Za-z]{1,6}[²³]?)(?![\w]))?"
_BEFORE_NUMBER = re.compile(
    rf"(?<![\w$])([−+]?)({_SIGN}|{_CODE}(?= ?[\d−])) ?({NUMBER})"
    rf"(?:({DASH})(?:{_SIGN})? ?({NUMBER}))?{_SCALE}{_AFTER}"
)
_AFTER_NUMBER = re.compile(
    rf"{START}(?<![$€£₸₽])(\+?)({NUMBER})(?:({DASH})({NUMBER}))?{_SCALE}"
    rf" ?({_SIGN}(?!\d)|{_CODE}(?!\w)){_AFTER}"
)
_MINOR = re.compile(rf"{START}({NUMBER}) ?(¢|p(?=[\s.,;!?)]|$))(?!\w)")
_SIGN_ALONE = re.compile(_SIGN)


def money(text: SpanText) -> SpanText:
    """``$5.2M``: five point two million dollars; ``$3.50``: three dollars and fifty cents."""
    text = text.sub(_BEFORE_NUMBER, _before).sub(_AFTER_NUMBER, _after)
    text = text.sub(_MINOR, _minor)
    return text.sub(_SIGN_ALONE, lambda match: f" {_names(match.group())[1]} ")


def _names(symbol: str) -> tuple[str, str, str, str]:
    return _CURRENCIES[_SAME.get(symbol, symbol)]


def _before(match: re.Match[str]) -> str:
    sign, symbol, first, dash, second, word, letter, unit = match.groups()
    return _said(match, sign, symbol, first, second if dash else None, word or letter, unit)


def _after(match: re.Match[str]) -> str:
    sign, first, dash, second, word, letter, symbol, unit = match.groups()
    return _said(match, sign, symbol, first, second if dash else None, word or letter, unit)


def _said(
    match: re.Match[str],
    sign: str,
    symbol: str,
    first: str,
    second: str | None,
    scale: str | None,
    unit: str | None,
) -> str:
    one, many, small_one, small_many = _names(symbol)
    prefix = {"−": "minus ", "+": "plus "}.get(sign, "")
    after = per(unit)
    scaled = f" {_SCALES.get(scale, scale)}" if scale else ""
    single = attributive(match)
    whole, cents = parts(first)
    if second is not None:
        words = f"{amount(first)} to {amount(second)}{scaled} {one if single else many}"
    elif len(cents) == 2 and not scaled and small_one:
        words = _with_cents(first, whole, cents, (one, many, small_one, small_many))
    else:
        alone = single or not scaled and is_one(first)
        words = f"{amount(first)}{scaled} {one if alone else many}"
    return prefix + words + after


def _with_cents(first: str, whole: str, cents: str, names: tuple[str, str, str, str]) -> str:
    minus = "minus " if first.startswith("−") else ""
    count = int(cents)
    said = f"{amount(str(count))} {names[2] if count == 1 else names[3]}"
    if not int(whole or "0") and count:
        return minus + said
    main = f"{minus}{amount(whole or '0')} {names[0] if whole == '1' else names[1]}"
    return f"{main} and {said}" if count else main


def _minor(match: re.Match[str]) -> str:
    one, many = ("cent", "cents") if match[2] == "¢" else ("penny", "pence")
    return f"{amount(match[1])} {one if is_one(match[1]) else many}"
