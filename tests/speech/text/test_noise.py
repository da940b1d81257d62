"""Pages of digits and signs: what is still read as people say it, and what is not."""

from __future__ import annotations

import random

import pytest

from app_core.speech.text.reading import TextReader
from app_core.speech.text.span_text import SpanText

DIGITS = {"ru": "один два три", "kk": "бір екі үш", "en": "one two three"}


def said(text: str, language: str) -> str:
    return " ".join(piece.said for piece in TextReader().read(text, language))


def test_a_whole_table_of_sums_and_a_long_list_of_prices_are_read() -> None:
    sums = ", ".join(f"{a}×{b}={a * b}" for a in range(2, 10) for b in range(1, 11))
    read = said(sums + ".", "en").lower()
    assert "two times one equals two, two times two equals four" in read
    assert read.rstrip(".").endswith(
        "nine times nine equals eighty-one, nine times ten equals ninety"
    )
    prices = said("1 200 ₸, 5 км, " * 300, "ru").lower()
    assert prices.count("тысяча двести тенге") == 300


@pytest.mark.parametrize("unit", ["x1", "1½", "1/2/", "1.2.", "×5", "+7 ", "#1@2%"])
@pytest.mark.parametrize("language", DIGITS)
def test_a_dump_is_said_digit_by_digit(
    language: str, unit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = [0]
    made = SpanText.__init__

    def counted(self: SpanText, text: str, starts: list[int], ends: list[int]) -> None:
        copied[0] += len(text)
        made(self, text, starts, ends)

    monkeypatch.setattr(SpanText, "__init__", counted)
    text = unit * (5000 // len(unit))
    assert any(map(str.isalpha, said(text, language)))
    assert copied[0] < 110 * len(text), "characters that all steps make anew"


def test_every_digit_of_a_dump_is_said() -> None:
    for language, words in DIGITS.items():
        read = (
            said("x#1|y#2|z#3|" * 400, language).lower().replace(",", " ").replace(".", " ").split()
        )
        assert all(read.count(word) >= 390 for word in words.split())


_SCRAPS = [
    *'0123456789x/-.,: %°$₸IVXaяқ"()@«»\n½²№+×=&#*_|ғ\u0301😀',
    *("г.", "ж.", "т.е.", "17", "км", "млн", "кг", "и", "the", "http://a.b", "а@b.c", "1 000"),
]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("language", [*DIGITS, "auto"])
def test_any_mixture_of_scraps_is_read(language: str, seed: int) -> None:
    chosen = random.Random(seed)
    text = "".join(chosen.choices(_SCRAPS, k=700))
    assert any(map(str.isalpha, said(text, language)))
