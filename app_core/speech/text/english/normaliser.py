"""How English is read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_SYMBOLS = {"&": "and", "№": "number"}
_SYMBOL = re.compile("[" + "".join(_SYMBOLS) + "]")


def normalise(text: SpanText) -> SpanText:
    """Words in place of signs."""
    return text.sub(_SYMBOL, lambda match: f" {_SYMBOLS[match.group()]} ")
