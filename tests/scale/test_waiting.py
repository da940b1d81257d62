"""Against tables of telephone traffic."""

from __future__ import annotations

import pytest

from benchmarks.scale.waiting import MOST_LOAD, erlang_b, erlang_c, stretch


@pytest.mark.parametrize(
    ("servers", "load", "blocked"),
    [(1, 1.0, 0.5), (2, 1.0, 0.2), (10, 5.08, 0.02), (20, 12.0, 0.0098), (100, 84.1, 0.01)],
)
def test_erlang_b(servers: int, load: float, blocked: float) -> None:
    assert erlang_b(servers, load) == pytest.approx(blocked, rel=0.01)


def test_erlang_c_of_one_server_is_its_load() -> None:
    assert erlang_c(1, 0.7) == pytest.approx(0.7)
    assert erlang_c(2, 1.0) == pytest.approx(1 / 3)


def test_one_shared_core_stretches_as_one_over_what_is_left() -> None:
    assert stretch(1, 0.0) == 1.0
    assert stretch(1, 0.5) == pytest.approx(2.0)
    assert stretch(2, 1.0) == pytest.approx(4 / 3)


def test_more_than_there_is_stretches_no_further() -> None:
    assert stretch(2, 5.0) == stretch(2, MOST_LOAD * 2)
