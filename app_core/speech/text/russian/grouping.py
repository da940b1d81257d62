"""Digits of one number that are written apart: ``10 000``, ``1'500'000``."""

from __future__ import annotations

import re

from app_core.speech.text.span_text import SpanText

_SPACED = re.compile(
    r"(?<![\w.,])(?<!\d[ -])\d{1,3}(?:[ \u00a0\u202f\u2009'’]\d{3})+(?![\d])(?!-\d)"
)
_MARKED = re.compile(
    r"(?<![\w.,])\d{1,3}(?:,\d{3}){2,}(?!\d)|(?<![\w.,])\d{1,3}(?:\.\d{3}){2,}(?!\d)"
)
_COMMA = re.compile(
    r"(?<![\w.,])[1-9]\d{0,2}[,]\d{3}(?=\.\d\d(?!\d))|(?<![\w.,])[1-9]\d{0,2}[.,]\d?00(?![\d%])"
)
_GAPS = re.compile(r"\D")


def grouped(text: SpanText) -> SpanText:
    """Numbers without gaps or thousands marks. ``1,500`` is thousands, ``1,250`` has a fraction."""
    text = text.sub(_SPACED, lambda match: _GAPS.sub("", match.group()))
    text = text.sub(_MARKED, lambda match: _GAPS.sub("", match.group()))
    return text.sub(_COMMA, _thousands)


def _thousands(match: re.Match[str]) -> str | None:
    last = re.split("[.,]", match.group())[-1]
    return _GAPS.sub("", match.group()) if len(last) == 3 else None
