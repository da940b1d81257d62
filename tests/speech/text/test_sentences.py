from __future__ import annotations

import re

import pytest

from app_core.speech.text import sentences
from app_core.speech.text.cleaning import clean
from app_core.speech.text.sentences import LONGEST, LONGEST_FIRST, ends_sentence
from app_core.speech.text.span_text import SpanText


def pieces(text: str, language: str) -> list[str]:
    """Of what is left of a text."""
    cut = sentences.pieces(clean(SpanText.written(text)), language)
    return [piece.text for piece in cut]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ru", "Он жил на ул. Абая, д. 5, т. е. рядом, и т. д. и т. п."),
        ("ru", "А. С. Пушкин родился 26.05.1799 в 10.30, и было 3,14 или 3.14."),
        ("ru", "Он приехал в г. Алматы."),
        ("ru", "«Куда ты?» — спросил он."),
        ("ru", "Она ушла… и вернулась."),
        ("ru", "Это стоит 5 тыс. Тенге."),
        ("kk", "Қ. Сәтбаев — ғалым."),
        ("kk", "Бұл 1995 ж. болды, алма, алмұрт т. б. жемістер."),
        ("en", "Mr. Smith met Dr. J. R. R. Tolkien in the U.S. Army base, e.g. there."),
        ("en", '"Really?" she said at 10:30 p.m. and left.'),
        ("en", "Version 2.0.1 of example.com is No. 5."),
    ],
)
def test_one_sentence_stays_whole(language: str, text: str) -> None:
    assert pieces(text, language) == [text]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("ru", "В 2020 г. Там он остался.", ["В 2020 г.", "Там он остался."]),
        ("ru", "Чай и т. д. Потом сон.", ["Чай и т. д.", "Потом сон."]),
        ("ru", "Да! Нет?! Ну… Ладно.", ["Да!", "Нет?!", "Ну…", "Ладно."]),
        ("ru", "«Да!» Она ушла.", ["«Да!»", "Она ушла."]),
        ("ru", "Раз.Два.", ["Раз.", "Два."]),
        ("kk", "Сәлем! Қалың қалай?", ["Сәлем!", "Қалың қалай?"]),
        ("en", "It is I. (He left.) So what?", ["It is I.", "(He left.)", "So what?"]),
        ("en", "We met at 5 p.m. Then we left.", ["We met at 5 p.m.", "Then we left."]),
        ("en", "# Title\n- first\n* second\n1. Go\n2. Rest", None),
        ("en", "A line that is\nwrapped here.\n\nAnd another", None),
    ],
)
def test_sentences_are_cut(language: str, text: str, expected: list[str] | None) -> None:
    if expected is None:
        lists = {
            "#": ["Title.", "first.", "second.", "1, Go.", "2, Rest."],
            "A": ["A line that is wrapped here.", "And another."],
        }
        expected = lists[text[0]]
    assert pieces(text, language) == expected


@pytest.mark.parametrize("text", ["", "   \n\t ", "!!! 😀", "😀👍🏽🇰🇿", "---\n***\n…", "\x00\x07"])
def test_nothing_to_say(text: str) -> None:
    assert pieces(text, "ru") == []


LONG = (
    "Сегодня утром, когда солнце только вставало над широкой степью, мы вышли из дома и пошли "
    "к реке, где нас ждали друзья с лодкой, вёслами, сетями и большим котлом для ухи, которую "
    "варили здесь каждое лето, много лет подряд, и никогда не уставали от этого."
)


def test_a_long_sentence_is_cut_at_clauses_and_starts_short() -> None:
    found = pieces(LONG + " " + LONG, "ru")
    assert " ".join(found) == LONG + " " + LONG
    assert all(len(piece) <= LONGEST for piece in found)
    assert 3 <= len(found[0].split()) and len(found[0]) < 80
    assert all(piece[-1] in ",." for piece in found)
    assert [ends_sentence(piece) for piece in found].count(True) == 2


def test_words_survive_without_any_mark() -> None:
    text = "слово " * 200
    found = pieces(text, "ru")
    assert " ".join(found) == text.strip() + "."
    assert all(len(piece) <= LONGEST for piece in found)
    assert all(set(piece.rstrip(".").split()) == {"слово"} for piece in found)


def test_what_is_one_written_word_stays_in_one_piece() -> None:
    """Where it is said in many words."""
    text = SpanText.written("слово " * 30 + "123 и ещё много слов")
    said = text.sub(re.compile(r"\d+"), "сто двадцать три целых и пять тысячных, или около того")
    found = sentences.pieces(said, "ru", first=False)
    assert [piece.text.startswith("сто") for piece in found] == [False, True]


def test_only_an_endless_word_is_cut_inside() -> None:
    found = pieces("x" * 500 + " tail", "en")
    assert "".join(found).replace(" ", "") == "x" * 500 + "tail."
    assert all(len(piece) <= LONGEST for piece in found)


@pytest.mark.parametrize("language", ["ru", "kk", "en"])
@pytest.mark.parametrize(
    ("unit", "spoken"),
    [
        (".!", False),
        ("…", False),
        ('."', False),
        ('!"»', False),
        ("?!?", False),
        ("А. ", True),
        ("а. ", True),
        ("1. ", True),
        ("т. д. ", True),
        ("a, b, ", True),
        ("— ", False),
        ("[a](", True),
        ("<a", True),
        ("http://a/...,", True),
    ],
)
def test_long_runs_are_looked_at_once(unit: str, spoken: bool, language: str) -> None:
    """Each of these took minutes when a run was looked at again from each of its marks."""
    text = unit * (100_000 // len(unit))
    found = pieces(text, language)
    assert bool(found) == spoken
    assert all(len(piece) <= LONGEST for piece in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Да.!? Нет.", ["Да.!?", "Нет."]),
        ('Он сказал: "Да..." Потом ушёл.', ['Он сказал: "Да…"', "Потом ушёл."]),
        ('Так."? И вот.', ['Так."?', "И вот."]),
        ("Пришёл А. С. Пушкин. И т. д. и т. п. Всё.", None),
        ("1. Один.", ["1, Один."]),
    ],
)
def test_runs_of_marks_end_a_sentence_once(text: str, expected: list[str] | None) -> None:
    found = pieces(text, "ru")
    assert "".join(found).replace(" ", "") == text.replace(" ", "").replace("...", "…").replace(
        "1.", "1,"
    )
    if expected is not None:
        assert found == expected


def test_a_sentence_without_an_end_begins_with_a_short_piece() -> None:
    """It is cut between two words in any case: its beginning need not wait for more."""
    cut = sentences.pieces(SpanText.written("слово за словом без конца и края " * 30), "ru")
    assert 40 < len(cut[0].text) <= LONGEST_FIRST
    assert all(len(piece.text) <= LONGEST for piece in cut)
    assert (
        len(
            sentences.pieces(
                SpanText.written("слово за словом без конца и края " * 6 + "да."), "ru"
            )
        )
        == 1
    )
