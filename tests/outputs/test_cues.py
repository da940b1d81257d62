from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest

from app_core.outputs.cues import LINE, LINGER_S, Cue, cues
from app_core.types import Sentence, Word

WORD_S = 0.3


def marks(text: str, *, pause_s: float = 0.3) -> list[Sentence | Word]:
    """One sentence, each of its words 0.3 s long; a word without letters is not said."""
    found: list[Sentence | Word] = []
    at, begin_s = 0, 0.0
    for token in text.split():
        start = text.index(token, at)
        at = start + len(token)
        if any(map(str.isalnum, token)):
            found.append(Word(token, begin_s, begin_s + WORD_S, start, at))
            begin_s += WORD_S + (pause_s if token.rstrip("»")[-1] in ".!?" else 0.0)
    return [Sentence(0, text, 0.0, begin_s), *found]


def bare(mark: Sentence | Word) -> Sentence | Word:
    """As a reader tells it: what is not said does not belong to a word."""
    if isinstance(mark, Sentence):
        return mark
    text = mark.text.strip("*")
    start = mark.start + mark.text.index(text)
    return replace(mark, text=text, start=start, end=start + len(text))


def lines(found: list[Cue]) -> list[list[str]]:
    return [[" ".join(token.text for token in line) for line in cue.lines] for cue in found]


def test_a_short_sentence_is_one_line() -> None:
    found = cues(marks("Привет, мир!", pause_s=1.0), "Привет, мир!")
    assert lines(found) == [["Привет, мир!"]]
    assert (found[0].start_s, found[0].end_s) == (0.0, pytest.approx(2 * WORD_S + LINGER_S))
    sooner = cues(marks("Привет, мир!", pause_s=0.1), "Привет, мир!")
    assert sooner[0].end_s == pytest.approx(2 * WORD_S + 0.1), "no longer than the sound"


def test_every_sentence_begins_a_cue_which_stays_until_the_next() -> None:
    text = "Первое. Второе? «Третье!» Четвёртое"
    found = cues(marks(text), text)
    assert lines(found) == [["Первое."], ["Второе?"], ["«Третье!»"], ["Четвёртое"]]
    assert all(one.end_s == other.start_s for one, other in pairwise(found))


def test_the_point_of_an_abbreviation_ends_no_cue() -> None:
    text = "Он живёт в г. Алматы, ул. Абая, д. 5."
    found = cues(marks(text, pause_s=0.0), text)
    assert lines(found) == [["Он живёт в г. Алматы, ул. Абая, д. 5."]]


def test_a_long_silence_begins_a_cue() -> None:
    said = [Word("раз", 0.0, 0.5), Word("два", 0.6, 1.0), Word("три", 1.7, 2.0)]
    found = cues([Sentence(0, "раз два три", 0.0, 2.0), *said], "раз два три")
    assert lines(found) == [["раз два"], ["три"]]
    assert found[0].end_s == pytest.approx(1.0 + LINGER_S)


def test_a_long_sentence_is_cut_at_its_clauses() -> None:
    text = (
        "Если завтра утром на улице пойдёт сильный дождь, то мы все вместе останемся дома"
        " и будем читать книги, которые купили летом."
    )
    found = lines(cues(marks(text), text))
    assert found[0][-1].endswith("дождь,")
    assert found[1][0].startswith("то мы")
    assert " ".join(line for cue in found for line in cue) == text


def test_no_line_ends_with_a_short_word_where_another_end_does_as_well() -> None:
    text = "Большой красивый дом у реки стоит очень давно"
    found = lines(cues(marks(text), text))
    assert found == [["Большой красивый дом", "у реки стоит очень давно"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Да — нет", "Да — нет"),
        ("Привет 🙂 всем", "Привет 🙂 всем"),
        ("Раз\n\n— два\n## три", "Раз два три"),
        ("Раз <br/> два", "Раз два"),
        ("**Раз** и *два*", "**Раз** и *два*"),
        ("* Раз ** два **", "Раз ** два"),
        ("Раз\n**два**", "Раз **два**"),
    ],
)
def test_what_is_not_said_is_shown_where_it_stands_in_a_line(text: str, expected: str) -> None:
    said = [bare(mark) for mark in marks(text) if "<" not in mark.text or mark.start_s == 0]
    assert lines(cues(said, text)) == [[expected]]


def test_a_line_without_a_mark_is_a_cue_but_a_wrapped_one_is_not() -> None:
    text = "Заголовок\nЭто текст,\nкоторый переносят"
    said = [*marks("Заголовок"), *marks(text)[1:]]
    del said[1]
    said.insert(2, Sentence(1, "Это текст, который переносят", 0.3, 2.0))
    assert lines(cues(said, text)) == [["Заголовок"], ["Это текст, который переносят"]]


def test_words_of_unknown_places_have_nothing_between_them() -> None:
    said = [Word("Да", 0.0, 0.2), Word("нет", 0.2, 0.4)]
    assert lines(cues([Sentence(0, "Да — нет", 0.0, 0.4), *said], "Да — нет")) == [["Да нет"]]


def test_a_number_in_groups_is_one_token() -> None:
    text = "Цена 10 000 тенге"
    said = [Word("Цена", 0.0, 0.3, 0, 4), Word("10\u00a0000", 0.3, 1.0, 5, 11)]
    found = cues([Sentence(0, text, 0.0, 1.0), *said], text)
    assert [token.text for token in found[0].lines[0]] == ["Цена", "10 000"]


def test_a_voice_that_knows_no_words_has_captions_too() -> None:
    said = [Sentence(0, "Один два.", 0.0, 2.0), Sentence(1, "Три", 2.0, 3.0)]
    found = cues(said, "Один два. Три")
    assert lines(found) == [["Один два."], ["Три"]]
    assert [cue.start_s for cue in found] == [0.0, 2.0]
    assert not any(token.exact for cue in found for line in cue.lines for token in line)


def test_a_word_longer_than_a_line_goes_on_in_the_next() -> None:
    word = "щ" * 200
    found = cues([Sentence(0, word, 0.0, 2.0), Word(word, 0.0, 2.0, 0, 200)], word)
    assert "".join(line for cue in lines(found) for line in cue) == word
    assert found[1].start_s == pytest.approx(2.0 * 2 * LINE / 200)


def test_cues_are_short_in_order_and_say_everything() -> None:
    chance = random.Random(7)
    for _ in range(60):
        text = " ".join(
            "а" * chance.choice([1, 2, 5, 9, 14, 42, 60]) + chance.choice(["", "", ",", ".", "!"])
            for _ in range(chance.randrange(1, 120))
        )
        said = marks(text, pause_s=chance.choice([0.0, 0.3, 1.0]))
        found = cues(said, text)
        assert "".join(line for cue in lines(found) for line in cue).replace(" ", "") == (
            text.replace(" ", "")
        )
        for cue, shown in zip(found, lines(found), strict=True):
            assert 1 <= len(shown) <= 2
            assert all(0 < len(line) <= LINE for line in shown)
            assert cue.start_s < cue.end_s
        assert all(one.end_s <= other.start_s + 1e-9 for one, other in pairwise(found))


def test_what_was_shown_stays_as_more_is_said() -> None:
    text = "Первое длинное предложение, которое говорят. И второе, покороче. Третье?"
    said = marks(text)
    whole = cues(said, text)
    for count in range(len(said)):
        some = cues(said[:count], text)
        assert lines(some)[:-1] == lines(whole)[: max(len(some) - 1, 0)]


def test_nothing_said_is_no_cue() -> None:
    assert cues([], "Привет") == []
