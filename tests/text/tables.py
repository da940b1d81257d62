"""The tables of readings: what is written, and how it may be read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from app_core.speech.text.cleaning import clean
from app_core.speech.text.reading import LANGUAGES
from app_core.speech.text.span_text import SpanText

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Line:
    language: str
    kind: str
    written: str
    readings: tuple[str, ...]

    def spans(self) -> SpanText:
        """By the steps of its language alone."""
        return _read(self.written, self.language)

    def said(self) -> str:
        return self.spans().text

    def is_right(self, said: str) -> bool:
        return compared(said) in map(compared, self.readings)


@cache
def _read(written: str, language: str) -> SpanText:
    return LANGUAGES[language](clean(SpanText.written(written)))


def compared(reading: str) -> str:
    """The letters and digits: ё is е; case, spaces, marks and stress do not count."""
    letters = re.sub(r"[\W_]+", "", reading.lower().replace("\u0301", ""))
    return letters.replace("ё", "е")


@cache
def lines(language: str) -> tuple[Line, ...]:
    """The table of ``language``: ``written | reading | reading``, ``## kind``, ``# comment``."""
    found, kind = [], ""
    for row in (FOLDER / f"{language}.txt").read_text(encoding="utf-8").splitlines():
        if row.startswith("## "):
            kind = row[3:]
        elif row.strip() and not row.startswith("# "):
            written, *readings = (part.strip() for part in row.split("|"))
            found.append(Line(language, kind, written.replace("\\n", "\n"), tuple(readings)))
    return tuple(found)


def languages() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.txt"))
