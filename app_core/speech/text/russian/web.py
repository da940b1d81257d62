"""Addresses on the web and of mail."""

from __future__ import annotations

import re

from app_core.speech.text.russian.grammar.numbers import cardinal
from app_core.speech.text.span_text import SpanText

_ZONES = {
    "kz": "кей зет",
    "қаз": "каз",
    "ru": "ру",
    "рф": "рф",
    "com": "ком",
    "org": "орг",
    "net": "нет",
    "gov": "гов",
    "edu": "эду",
    "info": "инфо",
    "io": "ай о",
    "me": "ми",
    "app": "апп",
    "uk": "ю кей",
    "eu": "е у",
    "kg": "кей джи",
    "uz": "ю зет",
    "by": "бай",
    "ua": "ю эй",
    "ai": "эй ай",
    "tv": "ти ви",
    "dev": "дев",
    "online": "онлайн",
    "store": "стор",
    "shop": "шоп",
    "asia": "азия",
    "su": "су",
    "de": "дэ е",
    "pro": "про",
    "md": "эм дэ",
    "pdf": "пэ дэ эф",
}
_ZONE = "|".join(sorted(_ZONES, key=len, reverse=True))
_MAIL = re.compile(r"(?<![\w.+-])([\w.+-]{1,64})@([\w-]{1,63}(?:\.[\w-]{1,63}){1,4})(?!\w)")
_HOST = re.compile(
    rf"(?<![\w@.-])(?P<host>(?:[A-Za-z0-9][\w-]{{0,62}}\.){{1,4}}(?:{_ZONE}))(?P<path>/[\w./%?=&#-]{{0,200}}[\w/])?(?![\w@]|\.\w)"
)
_NICK = re.compile(r"(?<![\w@])@(\w(?:[\w.]{0,62}\w)?)")
_SIGNS = {
    ".": " точка ",
    "-": " дефис ",
    "/": " слэш ",
    "+": " плюс ",
    "_": " нижнее подчёркивание ",
}
_PART = re.compile(r"[.\-/+_]|[^\W\d_]+|\d+")


def web(text: SpanText) -> SpanText:
    text = text.sub(_MAIL, lambda match: f"{_said(match[1])} собака {_said(match[2])}")
    return text.sub(_NICK, lambda match: f"собака {_said(match[1])}").sub(_HOST, _host)


def _host(match: re.Match[str]) -> str:
    host = match["host"].removeprefix("www.")
    path = (match["path"] or "").partition("?")[0].rstrip("/")
    return _said(host) + (_said(path) if path else "")


def _said(written: str) -> str:
    parts = _PART.findall(written)
    said = []
    for number, part in enumerate(parts):
        if part in _SIGNS:
            said.append(_SIGNS[part].strip())
        elif part.isdecimal():
            said.append(
                cardinal(int(part)) if part[0] != "0" else " ".join(cardinal(int(c)) for c in part)
            )
        elif number and parts[number - 1] == "." and part.lower() in _ZONES:
            said.append(_ZONES[part.lower()])
        else:
            said.append(part)
    return (" " if written.startswith("/") else "") + " ".join(said)
