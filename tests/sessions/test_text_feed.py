"""Where a text that comes in pieces may be cut."""

from __future__ import annotations

import threading

import pytest

from app_core.sessions.text_feed import (
    GIVEN_UP_S,
    LONGEST,
    PAUSED_S,
    SETTLED_S,
    SILENT_S,
    TextFeed,
)


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def clauses(feed: TextFeed, *, hungry: bool = True) -> list[str]:
    found = []
    while (clause := feed.take(0, hungry=hungry)) is not None:
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
        ("I can help you. Let", ["I can help you. "]),
        ("Да, я тут. Ты", ["Да, я тут. "]),
        ("Come to me. «Да", ["Come to me. "]),
        ("He met Mr. Brown", []),
        ("ул. Абая и пр. Достык", []),
        ("А. С. Пушкин", []),
        ("т.е. Она", []),
        ("etc. and", []),
    ],
)
def test_what_is_whole_before_more_comes(text: str, whole: list[str]) -> None:
    feed = TextFeed(Time())
    feed.add(text)
    assert clauses(feed) == whole


def test_later_clauses_end_at_a_comma_only_where_there_is_little_left_to_say() -> None:
    text = "Hello my dear friend, and then, after a long while, he said"
    feed = TextFeed(Time())
    feed.add(text)
    assert clauses(feed) == ["Hello my dear friend, ", "and then, after a long while, "]
    feed = TextFeed(Time())
    feed.add(text)
    feed.take(0)
    assert clauses(feed, hungry=False) == []


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


@pytest.mark.parametrize(
    ("text", "after_s", "whole"),
    [
        ("I am fine.", SETTLED_S, ["I am fine."]),
        ("Hello there, my friend, ", SETTLED_S, ["Hello there, my friend, "]),
        ("Yes: ", SETTLED_S, ["Yes: "]),
        ("It costs 3.", SETTLED_S, []),
        ("It costs 3.", PAUSED_S, ["It costs 3."]),
        ("hello the", PAUSED_S, ["hello "]),
        ("hello the", GIVEN_UP_S, ["hello the"]),
        ("it is 10 000", PAUSED_S, ["it is "]),
    ],
)
def test_what_is_whole_after_a_pause(text: str, after_s: float, whole: list[str]) -> None:
    time = Time()
    feed = TextFeed(time)
    feed.add(text)
    assert clauses(feed) == []
    time.now += after_s
    assert clauses(feed) == whole


def test_a_text_without_marks_goes_out_all_the_same() -> None:
    feed = TextFeed(Time())
    feed.add("word " * 100)
    assert all(len(clause) <= LONGEST for clause in clauses(feed))
    assert feed.pending <= LONGEST
    feed = TextFeed(Time())
    feed.add("w" * 500)
    assert [len(clause) for clause in clauses(feed)] == [LONGEST, LONGEST]
    feed = TextFeed(Time())
    feed.add("w" * (LONGEST - 3) + " 10 000 " + "w" * 100)
    assert clauses(feed) == ["w" * (LONGEST - 3) + " "]


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
