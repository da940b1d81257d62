"""The point of an abbreviation, which may close the sentence too."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re


def closes_sentence(match: re.Match[str]) -> bool:
    """Whether ``match`` ends in a point after which nothing, a new line or a capital comes."""
    if not match.group().endswith("."):
        return False
    following = match.string[match.end() : match.end() + 2]
    return following[:1] in ("", "\n") or following[0] == " " and following[1:].isupper()
