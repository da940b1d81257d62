"""Blood pressure: ``BP 120/80`` is one hundred and twenty over eighty."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.english.numbers import amount

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_NAMED = re.compile(
    r"\b(B\.?P\.?|[Pp]ressure)((?: was| is| of)?:? )(\d{2,3})/(\d{2,3})(?!\w|[./]\d)"
)
_MEASURED = re.compile(r"(?<![\w./])(\d{2,3})/(\d{2,3})(?= ?mm ?Hg\b)")
_MERCURY = re.compile(r"(?<=\d) ?mm ?Hg\b\.?(?![A-Za-z])")


def pressure(text: SpanText) -> SpanText:
    text = text.sub(_MEASURED, lambda match: f"{amount(match[1])} over {match[2]}")
    text = text.sub(_MERCURY, " millimeters of mercury")
    return text.sub(_NAMED, _named)


def _named(match: re.Match[str]) -> str:
    return f"{match[1]}{match[2]}{amount(match[3])} over {amount(match[4])}"
