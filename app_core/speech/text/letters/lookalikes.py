"""Letters of one alphabet typed for those of another that look the same."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_LATIN = "aceopxyiABCEHKMOPTXIhəƏ"
_CYRILLIC = "асеорхуіАВСЕНКМОРТХІһәӘ"
_TO_CYRILLIC = dict(zip(_LATIN, _CYRILLIC, strict=True))
_TO_LATIN = dict(zip(_CYRILLIC, _LATIN, strict=True))
_WORD = re.compile(r"[^\W\d_]+")


def _is_latin(char: str) -> bool:
    return char < "\u0300" or "\u1e00" <= char < "\u1f00"


def unmixed(text: SpanText) -> SpanText:
    """A word that is of one alphabet but for letters that look alike is of that alphabet."""
    return text.sub(_WORD, lambda match: _unmixed(match.group()))


@lru_cache(maxsize=4096)
def _unmixed(word: str) -> str | None:
    letters = [char for char in word if char.isalpha()]  # ² and ½ are of no alphabet
    latin = [char for char in letters if _is_latin(char)]
    cyrillic = [char for char in letters if not _is_latin(char)]
    if not latin or not cyrillic:
        return None
    if all(char in _TO_CYRILLIC for char in latin):
        return "".join(_TO_CYRILLIC.get(char, char) for char in word)
    if all(char in _TO_LATIN for char in cyrillic):
        return "".join(_TO_LATIN.get(char, char) for char in word)
    return None
