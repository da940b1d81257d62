"""What is written is said as the tables tell."""

from __future__ import annotations

import pytest

from tests.text.tables import Line, compared, languages, lines

ALL = [line for language in languages() for line in lines(language)]


@pytest.mark.parametrize("line", ALL, ids=lambda line: f"{line.language}-{line.written}")
def test_a_line_is_read_as_people_read_it(line: Line) -> None:
    said = line.said()
    assert line.is_right(said), f"{line.written!r} is read {said!r}"


@pytest.mark.parametrize("line", ALL, ids=lambda line: f"{line.language}-{line.written}")
def test_no_digit_and_no_sign_is_left_to_the_voice(line: Line) -> None:
    left = [char for char in line.said() if char.isdigit() or char in "%₸₽$€£°№=+<>²³½@&"]
    assert not left


@pytest.mark.parametrize("language", languages())
def test_a_table_says_each_thing_once(language: str) -> None:
    written = [line.written for line in lines(language)]
    assert len(written) == len(set(written)) and len(written) >= 80
    assert all(line.readings and all(map(compared, line.readings)) for line in lines(language))
