"""How Russian is read: the steps, each of which leaves less to say for the next."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from app_core.speech.text.russian.abbreviations import abbreviations
from app_core.speech.text.russian.addresses import addresses, clauses
from app_core.speech.text.russian.amounts.portions import portions
from app_core.speech.text.russian.amounts.quantities import quantities
from app_core.speech.text.russian.counting import counting
from app_core.speech.text.russian.dates import dates
from app_core.speech.text.russian.days import days
from app_core.speech.text.russian.equations import equations
from app_core.speech.text.russian.formulas import arithmetic, fractions, remains
from app_core.speech.text.russian.grammar.morphology import is_name, is_place
from app_core.speech.text.russian.grammar.numbers import cardinal, groups
from app_core.speech.text.russian.grouping import grouped
from app_core.speech.text.russian.homes import letters_after, rooms
from app_core.speech.text.russian.identifiers import identifiers, models
from app_core.speech.text.russian.letters import letters
from app_core.speech.text.russian.roman import roman
from app_core.speech.text.russian.suffixes import suffixes
from app_core.speech.text.russian.times import times
from app_core.speech.text.russian.web import web
from app_core.speech.text.russian.years import years
from app_core.speech.text.sentences import with_capitals

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.speech.text.span_text import SpanText

_STEPS: tuple[Callable[[SpanText], SpanText], ...] = (
    web,
    equations,
    dates,
    clauses,
    identifiers,
    days,
    times,
    years,
    grouped,
    rooms,
    suffixes,
    roman,
    fractions,
    portions,
    quantities,
    abbreviations,
    addresses,
    letters_after,
    models,
    arithmetic,
    counting,
    letters,
)
_DIGITS = re.compile(r"[\d⁰¹²³⁴-⁹₀-₉]+")
_JOINED = re.compile(r"(?<!\w)(?:(?P<with>[Сс]) (?=ст[оа]|втор)|(?P<in>[ВвКк]) (?=втор))")
_ABOUT_ONE = re.compile(r"(?<!\w)([Оо]) (?=од[ин])")
_AFTER_YEAR = re.compile(r"(?<=\d{4} г\.) (?=([А-ЯЁ][а-яё]+))")
_FIRST_LETTER = re.compile(r"(?<=[.!?…] )[а-яё]")
"""Of a sentence, which begins with a number or initials as they were written."""
_SPACES = re.compile(r" {2,}")
_BESIDE_MARK = re.compile(r" +(?=[,.!?;:…)»])|(?<=[(«]) +")


def normalise(text: SpanText) -> SpanText:
    """Words in place of numbers, signs and abbreviations."""
    written = text
    text = text.sub(_AFTER_YEAR, _new_sentence)
    for step in _STEPS:
        text = step(text)
    text = text.sub(_DIGITS, _left_over)
    text = text.sub(_JOINED, lambda match: f"{match.group().rstrip()}о ")
    text = text.sub(_ABOUT_ONE, lambda match: f"{match[1]}б ")
    text = remains(text).sub(_SPACES, " ").sub(_BESIDE_MARK, "").strip()
    return with_capitals(text, written, _FIRST_LETTER)


def _new_sentence(match: re.Match[str]) -> str | None:
    """``в 2024 г. Цена``, but not ``в 2024 г. Алматы`` nor ``в 1465 г. Керей``."""
    return None if is_place(match[1].lower()) or is_name(match[1].lower()) else "\n"


def _left_over(match: re.Match[str]) -> str:
    digits = unicodedata.normalize("NFKC", match.group())
    plain = digits[0] != "0" and len(digits) <= 6
    return f" {cardinal(int(digits)) if plain else groups(digits, (3,) * 12)} "
