"""Text in pieces that a model can say at once."""

from __future__ import annotations

import re

_SENTENCE = re.compile(r"(?<=[.!?…。！？])\s+")
_KAZAKH = set("әғқңөұүһі")
_CYRILLIC = re.compile("[\u0400-\u04ff]")


def cut(text: str, limit: int) -> list[str]:
    """Sentences of at most ``limit`` characters; a longer one is cut between words, a longer word
    within."""
    pieces: list[str] = []
    for sentence in _SENTENCE.split(" ".join(text.split())):
        while len(sentence) > limit:
            at = sentence.rfind(" ", 0, limit + 1)
            at = at if at > 0 else limit
            pieces.append(sentence[:at].strip())
            sentence = sentence[at:].strip()
        if sentence:
            pieces.append(sentence)
    return [piece for piece in pieces if any(letter.isalnum() for letter in piece)]


def guess(text: str) -> str:
    """kk, ru or en, by its letters."""
    if _KAZAKH & set(text.lower()):
        return "kk"
    return "ru" if _CYRILLIC.search(text) else "en"
