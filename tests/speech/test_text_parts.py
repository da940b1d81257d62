"""A text is parted between what is read as one."""

from __future__ import annotations

import pytest

from app_core.speech.text.reading import TextReader
from app_core.speech.text_parts import text_parts


def parted(text: str, most: int, language: str = "ru") -> list[tuple[str, list[str]]]:
    """What is written in each part, and what is said of it."""
    found = text_parts(text, TextReader().read(text, language), most)
    assert [part.start for part in found] == sorted({part.start for part in found})
    return [
        (" ".join(text[part.start : part.end].split()), [piece.said for piece in part.pieces])
        for part in found
    ]


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("раз два три", 2, ["раз два", "три"]),
        ("раз два три", 15, ["раз два три"]),
        ("Да — нет, может быть!", 2, ["Да — нет,", "может быть!"]),
        ("— раз\n\n два …", 1, ["— раз", "два …"]),
        ("Цена 10 000 тенге всего", 2, ["Цена", "10 000", "тенге всего"]),
        ("Было 5 мая утром", 2, ["Было 5", "мая утром"]),
        ("Это 10 000 000 ₸ сразу", 1, ["Это", "10 000 000 ₸", "сразу"]),
        ("В 2024 г. Алматы", 1, ["В", "2024 г.", "Алматы"]),
        ("раз <b> два", 1, ["раз", "<b>", "два"]),
    ],
)
def test_texts_are_cut_at_what_is_read_as_one(text: str, most: int, expected: list[str]) -> None:
    assert [written for written, _ in parted(text, most)] == expected


def test_numbers_and_dates_keep_their_words() -> None:
    assert parted("Цена 10 000 ₸ до 5 мая 2024 г. Ждём.", 2) == [
        ("Цена", ["Цена"]),
        ("10 000 ₸", ["десять тысяч тенге"]),
        ("до 5", ["до пятого"]),
        ("мая", ["мая"]),
        ("2024 г.", ["две тысячи двадцать четвёртого года."]),
        ("Ждём.", ["Ждём."]),
    ]


def test_a_part_may_hold_sentences_and_begin_in_one() -> None:
    assert parted("Раз два. Три четыре пять. Шесть.", 3) == [
        ("Раз два. Три", ["Раз два.", "Три"]),
        ("четыре пять. Шесть.", ["четыре пять.", "Шесть."]),
    ]


def test_pieces_are_numbered_in_each_part() -> None:
    text = "Раз два. Три четыре пять. Шесть."
    found = text_parts(text, TextReader().read(text, "ru"), 3)
    assert [[piece.index for piece in part.pieces] for part in found] == [[0, 1], [0, 1]]


def test_what_is_silent_has_no_pieces() -> None:
    assert parted("раз <b> два", 1)[1] == ("<b>", [])


@pytest.mark.parametrize("most", [1, 2, 3, 7])
@pytest.mark.parametrize("language", ["ru", "kk", "en", "auto"])
def test_all_is_said_once_and_in_order(language: str, most: int) -> None:
    text = (
        "Цена — 10 000 ₸/кг (скидка 5 %)! «Hello, my dear friend», сказал А. С. Пушкин. "
        "- 5 мая\n- 2024 ж. 7 қаңтар т.б.\n\nСм. https://kaspi.kz/a?b=1 и 8 (701) 123-45-67."
    )
    pieces = list(TextReader().read(text, language))
    found = text_parts(text, iter(pieces), most)
    assert [
        token for part in found for token in text[part.start : part.end].split()
    ] == text.split()
    said = [word for part in found for piece in part.pieces for word in piece.words]
    assert [(w.start, w.said) for w in said] == [(w.start, w.said) for p in pieces for w in p.words]
    for part in found:
        for piece in part.pieces:
            assert all(part.start <= word.start < word.end <= part.end for word in piece.words)
        tokens = [t for t in text[part.start : part.end].split() if any(map(str.isalnum, t))]
        several = [w for piece in part.pieces for w in piece.words if " " in w.written]
        assert len(tokens) <= most or several
