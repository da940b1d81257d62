"""The quick way to the matches of a pattern finds what the plain one finds."""

from __future__ import annotations

import re
from importlib import import_module
from pkgutil import walk_packages

import pytest

from app_core.speech import text as readings
from app_core.speech.text.matching import matches
from tests.text.tables import languages, lines

PATTERNS = {
    value.pattern: value
    for module in walk_packages(readings.__path__, readings.__name__ + ".")
    for value in vars(import_module(module.name)).values()
    if isinstance(value, re.Pattern)
}


@pytest.mark.parametrize("language", languages())
def test_every_pattern_of_the_readings_matches_as_before(language: str) -> None:
    written = [line.written for line in lines(language)]
    texts = ["\n".join(written[at : at + 20]) for at in range(0, len(written), 100)]
    for pattern in PATTERNS.values():
        for text in texts:
            found = [(match.span(), match.groups()) for match in matches(pattern, text)]
            assert found == [(m.span(), m.groups()) for m in pattern.finditer(text)], pattern


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?<!a)(?:5|bc)?d",
        r"(?=5)",
        r"(?<=x)",
        r"(5)(?(1)a|b)",
        r"(?i)Ab",
        r"(?i:aB)5?",
        r"(?:x|(?i:ab))",
        r"[^a]b",
        r"(?>5+)-",
        r"5{2,}+",
        r"\d|\Z",
        r"(?:%|(?<=\d))",
        r"[%-/]x*",
        r"^%",
    ],
)
def test_patterns_of_every_form(pattern: str) -> None:
    compiled = re.compile(pattern, re.MULTILINE)
    for text in ("", "5", "%", "xd5d 55-5ab bcd\n%-x/xx .AB ab cb", "5555 5 5%" * 20):
        found = [match.span() for match in matches(compiled, text)]
        assert found == [match.span() for match in compiled.finditer(text)]
