"""Feet and inches, which are written as marks: ``5'11"`` is five foot eleven."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.english.numbers import NUMBER, START, amount, is_one
from app_core.speech.text.english.units import NO_NOUN, attributive

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_HEIGHT = re.compile(r"(?<![\w.])(\d{1,2})['’′] ?(\d{1,2}(?:\.5)?)(?:[\"”″]|''|’’)?(?!\w)")
_HEIGHT_IN_WORDS = re.compile(
    rf"{START}(\d{{1,3}}) ?(?:ft|feet)\.? (\d{{1,2}}(?:\.5)?) ?in(?:\.(?= [a-z])|(?![\w.])| ?(?=$))"
    r"(?! (?:the|a|an|this|that|its|my|our|one|[12]\d{3}|nineteen|twenty)\b)"
)
_SIZE = re.compile(
    rf"{START}({NUMBER})[\"”″] ?[×xXхХ] ?({NUMBER})[\"”″](?: ?[×xXхХ] ?({NUMBER})[\"”″])?"
)
_INCHES = re.compile(rf"{START}({NUMBER})(?:[″]|[\"”](?=[\s,.;:)!?-]|$)|[- ]?in\.(?= [a-z]))")
_FEET = re.compile(rf"{START}({NUMBER})[′]")


def inches(text: SpanText) -> SpanText:
    """``9" × 13"``: nine by thirteen inches; ``6′``: six feet."""
    text = (
        text.sub(_HEIGHT_IN_WORDS, _height_in_words)
        .sub(_HEIGHT, _height)
        .sub(_SIZE, _size)
        .sub(_INCHES, _inches)
    )
    return text.sub(_FEET, _feet)


def _height(match: re.Match[str]) -> str:
    return f"{amount(match[1])} foot {amount(match[2])}"


def _height_in_words(match: re.Match[str]) -> str:
    inch = "inch" if is_one(match[2]) else "inches"
    return f"{amount(match[1])} {'foot' if is_one(match[1]) else 'feet'} {amount(match[2])} {inch}"


def _size(match: re.Match[str]) -> str:
    following = match.string[match.end() : match.end() + 2]
    single = following[:1] == " " and following[1:].islower()
    sides = " by ".join(amount(side) for side in match.groups() if side)
    return f"{sides} {'inch' if single else 'inches'}"


def _inches(match: re.Match[str]) -> str | None:
    if match.group()[-1] in '"”':
        before = match.string[max(0, match.start() - 200) : match.start()]
        if (before.count('"') + before.count("“") + before.count("”")) % 2:
            return None  # it closes a quotation
    single = (
        is_one(match[1])
        or attributive(match)
        or match.string[match.end() :].startswith(" ")
        and (
            match.string[match.end() + 1 : match.end() + 2].islower()
            and not NO_NOUN.match(match.string, match.end())
        )
    )
    return f"{amount(match[1])} {'inch' if single else 'inches'}"


def _feet(match: re.Match[str]) -> str:
    return f"{amount(match[1])} {'foot' if is_one(match[1]) else 'feet'}"
