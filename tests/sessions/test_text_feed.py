"""Where a text that comes in pieces may be cut."""

from __future__ import annotations

import threading

import pytest

from app_core.sessions.text_feed import LONGEST, SETTLED_S, SILENT_S, TextFeed


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def clauses(feed: TextFeed) -> list[str]:
    found = []
    while (clause := feed.take(0)) is not None:
        assert feed.text[clause.start :].startswith(clause.text)
        found.append(clause.text)
    return found


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("Hello", []),
        ("Hello my dear friend, ", []),
        ("Hello my dear friend, and", ["Hello my dear friend, "]),
        ("Well, and", []),  # two words are not worth a breath of their own
        ("How are you? I", ["How are you? "]),
        ("It costs 3.", []),
        ("It costs 3. 14", []),  # a full stop after a short word may be an abbreviation
        ("She arrived. Then", ["She arrived. "]),
        ("ул. Абая", []),
        ("Қалайсыз? Мен", ["Қалайсыз? "]),
        ("One!\nTwo", ["One!\n"]),
        ("«Да!» Он", ["«Да!» "]),
        ("Wait… what", ["Wait… "]),
        ("First one here! Second one here! Third", ["First one here! Second one here! "]),
    ],
)
def test_what_is_whole_before_more_comes(text: str, whole: list[str]) -> None:
    feed = TextFeed(Time())
    feed.add(text)
    assert clauses(feed) == whole


def test_only_the_first_clause_ends_at_a_comma() -> None:
    feed = TextFeed(Time())
    feed.add("Hello my dear friend, and then, after a long while, he said")
    assert clauses(feed) == ["Hello my dear friend, "]


def test_pieces_and_their_places_make_the_whole() -> None:
    text = "Hello there, my old friend! How are you? I am fine. Thank you very much, and goodbye."
    feed, found = TextFeed(Time()), []
    for letter in text:
        feed.add(letter)
        while (clause := feed.take(0)) is not None:
            found.append(clause)
    feed.end()
    while (clause := feed.take(0)) is not None:
        found.append(clause)
    assert "".join(clause.text for clause in found) == text
    assert [clause.start for clause in found] == [
        sum(len(before.text) for before in found[:n]) for n in range(len(found))
    ]
    assert len(found) > 3
    assert feed.over


def test_a_sentence_at_the_end_is_whole_after_a_moment() -> None:
    time = Time()
    feed = TextFeed(time)
    feed.add("It costs 3.")
    assert clauses(feed) == []
    time.now += SETTLED_S
    assert clauses(feed) == ["It costs 3."]


def test_a_text_without_marks_goes_out_all_the_same() -> None:
    feed = TextFeed(Time())
    feed.add("word " * 100)
    assert all(len(clause) <= LONGEST for clause in clauses(feed))
    assert feed.pending <= LONGEST
    feed = TextFeed(Time())
    feed.add("w" * 500)
    assert [len(clause) for clause in clauses(feed)] == [LONGEST, LONGEST]


def test_silence_ends_it() -> None:
    time = Time()
    feed = TextFeed(time)
    feed.add("and so")
    time.now += SILENT_S + 1
    assert clauses(feed) == ["and so"]
    assert feed.over
    feed.add("too late")
    assert feed.text == "and so"


def test_a_reader_wakes_as_soon_as_a_clause_is_whole() -> None:
    feed, found = TextFeed(), []
    reader = threading.Thread(target=lambda: found.append(feed.take(20)))
    reader.start()
    feed.add("How are you? Fine")
    reader.join(10)
    assert [clause and clause.text for clause in found] == ["How are you? "]
