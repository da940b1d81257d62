"""How English is read: American, with the dates of Kazakhstan."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.english.abbreviations import abbreviations
from app_core.speech.text.english.acronyms import acronyms, initials
from app_core.speech.text.english.contacts import contacts
from app_core.speech.text.english.dates import dates, figures
from app_core.speech.text.english.formulas import formulas, negatives, signs
from app_core.speech.text.english.inches import inches
from app_core.speech.text.english.money import money
from app_core.speech.text.english.pressure import pressure
from app_core.speech.text.english.quantities import quantities, remains
from app_core.speech.text.english.romans import romans
from app_core.speech.text.english.times import times
from app_core.speech.text.english.units import measures
from app_core.speech.text.sentences import with_capitals

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_STEPS = (
    figures, contacts, initials, negatives, pressure, dates,
    times, money, inches, measures, abbreviations, romans,
    formulas, quantities, acronyms, signs, remains,
)  # fmt: skip
"""What is most particular comes first, so that a later step never sees a part of it."""
_FIRST_LETTER = re.compile(r"(?:(?<=[.!?…] )|(?<=\n)|^)[a-z]")
"""Of a sentence; a number that begins one ends the one before."""
_SPACES = re.compile(r" {2,}| (?=[,.;:!?…](?:\s|$))")


def normalise(text: SpanText) -> SpanText:
    """Words in place of numbers, signs and abbreviations."""
    said = text
    for step in _STEPS:
        said = step(said)
    said = said.sub(_SPACES, lambda match: " " if len(match.group()) > 1 else "")
    return with_capitals(said, text, _FIRST_LETTER)
