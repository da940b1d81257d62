"""Addresses in the net as they are dictated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.kazakh.numbers import whole

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_DOMAINS = {
    "kz": "ка зэт", "ru": "ру", "com": "ком", "org": "орг", "net": "нет", "gov": "гов",
    "edu": "эду", "info": "инфо", "io": "ио", "ai": "эй ай", "me": "ми", "app": "апп",
    "dev": "дев", "uz": "у зэт", "kg": "ка гэ", "қаз": "қаз", "рф": "эр эф", "tv": "ти ви",
    "online": "онлайн", "shop": "шоп", "site": "сайт",
}  # fmt: skip
_HOST = rf"(?:[A-Za-zА-яҚқ0-9-]++\.)+(?:{'|'.join(_DOMAINS)})(?![\w-])"
_EMAIL = re.compile(
    r"(?<![\w.+-])([A-Za-z0-9_.+-]++)@((?:[A-Za-z0-9-]++\.)+[A-Za-z]{2,10})(?![\w-])"
)
_ADDRESS = re.compile(rf"(?<![\w.@-])(?:www\.)?({_HOST})((?:/[\w.~%?=&-]*+)*)", re.IGNORECASE)
_NICK = re.compile(r"(?<![\w@])@([A-Za-z](?:[\w.]*\w)?)")
_SIGN = re.compile(r"[./_+-]|\d++")
_SIGNS = {".": " нүкте ", "/": " слэш ", "_": " астыңғы сызық ", "-": " дефис ", "+": " плюс "}


def addresses(text: SpanText) -> SpanText:
    """E-mail, hosts with their paths, names after ``@``."""
    text = text.sub(_EMAIL, lambda match: f"{_plain(match[1])} айқұлақ {_host(match[2])}")
    text = text.sub(_ADDRESS, lambda match: _host(match[1]) + _plain(match[2].rstrip("/.")))
    return text.sub(_NICK, lambda match: _plain(match[1]))


def _host(host: str) -> str:
    names, _, domain = host.rpartition(".")
    return f"{_plain(names)} нүкте {_DOMAINS.get(domain.lower(), domain)}"


def _plain(part: str) -> str:
    said = _SIGN.sub(lambda match: _SIGNS.get(match.group()) or f" {whole(match.group())} ", part)
    return re.sub(" +", " ", said).rstrip() if part.startswith("/") else " ".join(said.split())
