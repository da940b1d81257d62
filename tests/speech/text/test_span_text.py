"""Every character of what is said knows the written range that it comes from."""

from __future__ import annotations

import re
import sys

import pytest

from app_core.speech.text.cleaning import clean
from app_core.speech.text.piece import read_words
from app_core.speech.text.reading import TextReader
from app_core.speech.text.span_text import SpanText

TEXT = "в 5 ч. 10 000 тг, т.е. $5 млн"


def origin(said: SpanText, words: str) -> str:
    at = said.text.index(words)
    start, end = said.span(at, at + len(words))
    return TEXT[start:end]


def test_what_is_put_in_stands_for_all_of_what_it_replaces() -> None:
    said = SpanText.written(TEXT)
    said = said.sub(re.compile(r"(\d+) ч\."), "пять часов")
    said = said.sub(re.compile(r"10 000 тг"), "десять тысяч тенге")
    said = said.sub(re.compile(r"т\.е\."), lambda _: "то есть")
    said = said.sub(re.compile(r"\$5 млн"), "пять миллионов долларов")
    assert said.text == "в пять часов десять тысяч тенге, то есть пять миллионов долларов"
    assert origin(said, "в") == "в"
    assert origin(said, "часов") == "5 ч."
    assert origin(said, "тысяч") == "10 000 тг"
    assert origin(said, "есть") == "т.е."
    assert origin(said, "долларов") == "$5 млн"
    assert said.sub(re.compile("часов"), lambda _: None) is said


def test_words_that_stay_keep_their_own_ranges() -> None:
    said = SpanText.written("5 мая и 6 июня").sub(re.compile(r"5 мая"), "пятого мая")
    assert said.span(0, 6) == (0, 1)
    assert said.span(7, 10) == (2, 5)
    half = SpanText.written("3-й дом").sub(re.compile("3-й"), "третий")
    assert half.span(0, 6) == (0, 3)


def test_what_stands_in_brackets_keeps_its_own_ranges() -> None:
    said = SpanText.written("да [раз два](x) и *три*").unwrap(
        re.compile(r"\[(.*?)\]\(.\)|\*(.*?)\*")
    )
    assert said.text == "да раз два и три"
    assert (said.span(3, 6), said.span(7, 10), said.span(13, 16)) == ((4, 7), (8, 11), (19, 22))
    assert said.unwrap(re.compile("(no)")) is said


def test_what_a_tool_without_ranges_made_is_followed() -> None:
    written = SpanText.written("Цена 25 кг - 300 тг. Всё.", start=100)
    said = written.follow("Цена двадцать пять килограммов - триста тенге. Всё.")
    assert said.span(said.text.index("пять"), said.text.index("пять") + 4) == (105, 107 + 3)
    assert said.span(said.text.index("тенге"), said.text.index("тенге") + 5) == (113, 119)
    assert said.span(len(said) - 4, len(said)) == (121, 125)
    assert written.follow(written.text) is written


@pytest.mark.parametrize(
    ("before", "after"), [("один два", "один и два"), ("два", "раз два"), ("два", "два три")]
)
def test_what_stands_for_nothing_belongs_to_its_neighbours(before: str, after: str) -> None:
    said = SpanText.written(before).follow(after)
    assert said.text == after
    start, end = said.span(0, len(said))
    assert (start, end) == (0, len(before))


def test_parts_and_joins() -> None:
    said = SpanText.written("  раз\nдва ").strip()
    lines = said.split("\n")
    assert [line.text for line in lines] == ["раз", "два"]
    assert lines[1].span(0, 3) == (6, 9)
    joined = SpanText.joined(reversed(lines))
    assert (joined.text, joined.span(0, 3), joined.span(3, 6)) == ("двараз", (6, 9), (2, 5))
    assert lines[0].append(".").span(3, 4) == (4, 5)
    table = SpanText.written("aбc").translate({ord("б"): "bb", ord("c"): ""})
    assert (table.text, table.span(1, 3)) == ("abb", (1, 2))
    with pytest.raises(ValueError):
        SpanText("ab", [0], [1])


def test_words_that_are_said_as_one_are_one() -> None:
    said = SpanText.written(TEXT).sub(re.compile(r"10 000 тг"), "десять тысяч тенге")
    said = said.sub(re.compile(r"\$5 млн"), "пять миллионов долларов")
    words = read_words(TEXT, said)
    assert [(word.written, word.said) for word in words] == [
        ("в", "в"),
        ("5", "5"),
        ("ч.", "ч."),
        ("10 000 тг,", "десять тысяч тенге,"),
        ("т.е.", "т.е."),
        ("$5 млн", "пять миллионов долларов"),
    ]
    assert [TEXT[word.start : word.end] for word in words] == [word.written for word in words]
    assert [said.text[w.said_start :].startswith(w.said) for w in words] == [True] * 6


def test_words_that_change_places_are_one() -> None:
    text = "стоит € 20 всего"
    written = SpanText.written(text)
    said = SpanText.joined(
        [written.part(0, 6), written.part(8, 10), written.part(5, 7), written.part(10, 16)]
    )
    assert said.text == "стоит 20 € всего"
    said = said.sub(re.compile("€"), "евро")
    assert [(w.written, w.said) for w in read_words(text, said)] == [
        ("стоит", "стоит"),
        ("€ 20", "20 евро"),
        ("всего", "всего"),
    ]


def test_marks_at_the_edges_are_whole() -> None:
    text = "**Да**, нет. _Или_ **ещё** AT&amp;T"
    words = [word.written for piece in TextReader().read(text, "ru") for word in piece.words]
    assert words == ["**Да**,", "нет.", "_Или_", "**ещё**", "AT&amp;T"]
    assert clean(SpanText.written("да &amp; нет")).span(3, 4) == (3, 8)
    glued = [
        word.written for piece in TextReader().read("раз.**Два**", "ru") for word in piece.words
    ]
    assert glued == ["раз.", "**Два**"]


def test_the_words_of_one_number_are_looked_for_once() -> None:
    """Each word of what is read as one stands for all of what was written: many tokens."""
    text = "007 " * 150
    said = SpanText("ноль " * 150, [0] * 750, [len(text) - 1] * 750)
    lines = 0

    def seen(*_: object) -> object:
        nonlocal lines
        lines += 1
        return seen

    sys.settrace(seen)
    try:
        (word,) = read_words(text, said)
    finally:
        sys.settrace(None)
    assert word.written == text.strip()
    assert lines < 20_000
