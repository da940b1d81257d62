"""What nobody reads aloud: pages of digits and signs. They are said digit by digit, at little cost.

A lesson's whole table of sums is read as such; what is as dense and goes on is a dump or an attack.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_RAISED = "²³¹¼-¾⁰-₉⅐-↋①-⓿"
_EVENT = re.compile(rf"\d+|[{_RAISED}]|[^\w\s.,:;!?'\"()«»“”–—-]")
"""A number, or a sign that is no punctuation."""
_JOINT = re.compile(
    r"(?<=[^\W\d_])\d|\d(?=[^\W\d_])|\w(?=[^\w\s.,;:!?)»”\"'’-])|[^\w\s(«“\"'-](?=\w)"
    r"|[a-zA-Z](?=[а-яёА-ЯЁ])|[а-яёА-ЯЁ](?=[a-zA-Z])"
)
"""Letters, digits, signs or alphabets that meet without a space."""
_SILENT = re.compile(rf"[\d{_RAISED}]+|[^\w\s,;'-]+")
_MOST = 900
"""Events and joints of one text that is read as people say it, however dense they are."""
_DENSE = 0.6
"""Of them a character; prices one after the other have less than 0.4."""
_DIGITS = {
    "ru": "ноль один два три четыре пять шесть семь восемь девять",
    "kk": "нөл бір екі үш төрт бес алты жеті сегіз тоғыз",
    "en": "zero one two three four five six seven eight nine",
}


class Noise:
    """Of one text, part by part."""

    def __init__(self) -> None:
        self._events = 0

    def begins(self, part: str) -> bool:
        """Whether ``part``, the next of the text, is to be said plainly."""
        events = len(_EVENT.findall(part)) + len(_JOINT.findall(part))
        self._events += events
        return self._events > _MOST and events > _DENSE * len(part)


def plain(text: SpanText, language: str) -> SpanText:
    """Digits as words, one by one, and no signs nor points. Letters and commas stay."""
    words = _DIGITS[language].split()

    def said(match: re.Match[str]) -> str:
        return "".join(f" {words[int(d)]} " if d.isdecimal() else " " for d in match.group())

    return text.sub(_SILENT, said)
