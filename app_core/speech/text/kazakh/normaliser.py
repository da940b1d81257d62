"""How Kazakh is read: the steps, in their order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.kazakh.abbreviations import abbreviations, joined_abbreviations
from app_core.speech.text.kazakh.acronyms import acronyms
from app_core.speech.text.kazakh.codes import codes
from app_core.speech.text.kazakh.counting import numbers, ordinals_by_noun
from app_core.speech.text.kazakh.dates import dates
from app_core.speech.text.kazakh.formulas import formulas
from app_core.speech.text.kazakh.money import money
from app_core.speech.text.kazakh.roman import romans
from app_core.speech.text.kazakh.shortenings import shortenings
from app_core.speech.text.kazakh.signs import ratios, signs
from app_core.speech.text.kazakh.times import times
from app_core.speech.text.kazakh.units import units
from app_core.speech.text.kazakh.web import addresses

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_STEPS = (
    addresses,
    codes,
    shortenings,
    joined_abbreviations,
    romans,
    dates,
    times,
    ordinals_by_noun,
    formulas,
    ratios,
    money,
    units,
    numbers,
    abbreviations,
    acronyms,
    signs,
)
_SAME = {
    **dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True)),
    "\u2010": "-",
    "\u2011": "-",
    "\u2212": "−",
    "\u02bc": "’",
}
_SAME_TABLE = {ord(char): same for char, same in _SAME.items()}
_NUMBER_WORDS = (
    "нөл бір екі үш төрт бес алты жеті сегіз тоғыз он жиырма отыз қырық елу алпыс жетпіс сексен"
    " тоқсан жүз мың минус плюс"
).split()
_LOUD = re.compile(
    r"(?<=[\d%°₸$€₽]-)[А-ЯӘҒҚҢӨҰҮҺІ]{2,20}(?![\w])"
    r"|(?<=\d )(?:КГ|КМ|СМ|ММ|МЛ|ТГ|МЫҢ|МЛН|МЛРД|САҒ|МИН|ТЕҢГЕ|СЫНЫП|ҚАБАТ)(?![\w])"
)
"""``50%-ҒА``, ``5 КГ``."""
_AT_A_BEGINNING = re.compile(
    rf"(?:^|(?<=[.!?…] )|(?<=\n))(?:{'|'.join(_NUMBER_WORDS)}|нөмір|жарты|сағат|секунд|минут"
    r"|килограм|литр|[а-я]+(?:ына|іне) (?=бір|екі|үш|он|жүз|мың))[а-яёәғқңөұүһі]*"
)
"""As a writer would have begun a sentence if the number had stood there in words."""
_SPACES = re.compile(r"[^\S\n]{2,}")
_BESIDE_MARK = re.compile(r"[^\S\n]+(?=[.,!?;:…)»](?:\s|$))|(?<=[(«])[^\S\n]+")


def normalise(text: SpanText) -> SpanText:
    """Words in place of numbers, signs and abbreviations; Latin words stay."""
    text = text.translate(_SAME_TABLE).sub(_LOUD, lambda match: match.group().lower())
    for step in _STEPS:
        text = step(text)
    text = text.sub(_SPACES, " ").sub(_BESIDE_MARK, "").strip()
    return text.sub(_AT_A_BEGINNING, lambda match: match.group().capitalize())
