"""What people and language models write beside words: markup, links, emoji, control characters."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_NEW_LINES = re.compile(r"\r\n?")
_COMPOSED = re.compile(r"[^\W\d_][\u0300-\u036f]+")
_SPACES = re.compile(r"[^\S\n]+")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\((?:[^()\s]|\([^()\s]*\))*\)")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_URL = re.compile(r"https?://(?:www\.)?([^\s/?#<>()]+)(?:[/?#][^\s<>()]*[^\s<>().,;:!?])?/?")
_BULLET = re.compile(
    r"^[ \t]*(?:[-*+•‣▪–—]+|#+|>+|[\u2600-\u2bff\U0001f000-\U0001faff]\ufe0f?)[ \t]+", re.MULTILINE
)
_ARROW = re.compile(r" ?(?:<?[-=]{1,9}>|[←-⇿]) ?")
_GLUED = re.compile(r"(?<=[а-яёәғқңөұүһі])([.!?…]+)(?=[А-ЯЁӘҒҚҢӨҰҮҺІ])")
_MARKS = re.compile(r"([!?])[!?]*\1+")
_DOTS = re.compile(r"\.{2,}|…+\.*")
_AROUND_LINE = re.compile(r" *\n *")


def clean(text: SpanText) -> SpanText:
    """``text`` without what a voice would spell out. A web address becomes its host. Lines stay
    lines; other runs of spaces become one space.
    """
    text = text.sub(_NEW_LINES, "\n")
    text = text.sub(_COMPOSED, lambda match: unicodedata.normalize("NFC", match.group()))
    text = text.sub(_SPACES, " ")
    text = text.sub(_URL, lambda match: match[1]).sub(_TAG, " ").sub(_LINK, lambda match: match[1])
    text = text.sub(_BULLET, "\n").sub(_ARROW, ", ")
    text = text.translate({ord(char): _sayable(char) for char in set(text.text)})
    text = text.sub(_GLUED, lambda match: match[1] + " ")
    text = text.sub(_MARKS, lambda match: match[1]).sub(_DOTS, "…")
    return text.sub(_SPACES, " ").sub(_AROUND_LINE, "\n").strip()


def _sayable(char: str) -> str:
    if char in "\n№°%&§":
        return char
    kind = unicodedata.category(char)
    if kind[0] == "C":
        return ""
    if kind in ("So", "Sk") or 0xFE00 <= ord(char) <= 0xFE0F or char == "\u20e3":
        return " "
    return " " if char in "*_#`|~\\^{}[]<>" else char
