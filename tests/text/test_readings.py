"""Every line of the tables is read as people read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from app_core.speech.text.cleaning import clean
from app_core.speech.text.reading import LANGUAGES
from app_core.speech.text.span_text import SpanText

TABLES = sorted(Path(__file__).parent.glob("*.txt"))


def lines(table: Path) -> list[tuple[str, str, list[str]]]:
    """(language, written, readings) of each line."""
    found = []
    for line in table.read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            written, *readings = (part.strip() for part in line.split("|"))
            found.append((table.stem, written.replace("\\n", "\n"), readings))
    return found


def letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower())).replace("ё", "е")


@pytest.mark.parametrize(
    ("language", "written", "readings"), [line for table in TABLES for line in lines(table)]
)
def test_a_line_is_read_as_people_read_it(language: str, written: str, readings: list[str]) -> None:
    said = LANGUAGES[language](clean(SpanText.written(written))).text
    assert readings
    assert letters(said) in map(letters, readings), said
