from __future__ import annotations

import math

import pytest

from app_core.outputs.webrtc.bitrate import REMB_S, BitrateControl

FLOOR, CEILING = 150_000, 1_200_000
START = 720_000


class Line:
    """A control and the clock that it looks at."""

    def __init__(self) -> None:
        self.now = 50.0
        self.control = BitrateControl(FLOOR, CEILING, lambda: self.now)

    def report(self, lost: float, times: int = 1, round_trip_s: float | None = 0.05) -> int:
        """One a second."""
        for _ in range(times):
            self.now += 1
            self.control.report(lost, round_trip_s)
        return self.control.limit


def test_it_begins_at_a_share_of_the_ceiling() -> None:
    assert Line().control.limit == START


def test_it_falls_with_the_loss_and_not_below_what_the_smallest_pictures_need() -> None:
    line = Line()
    assert line.report(0.2) == START * 0.9
    assert line.report(0.4) == START * 0.9 * 0.8
    assert line.report(1.0, times=10) == round(FLOOR / 8**0.5 / 2**0.5)


def test_it_rises_by_a_twentieth_a_second_up_to_the_ceiling() -> None:
    line = Line()
    assert line.report(0.0) == START * 1.05
    assert line.report(0.019) == round(START * 1.05**2)
    assert line.report(0.0, times=20) == CEILING


def test_between_little_and_much_loss_it_stays() -> None:
    line = Line()
    assert line.report(0.02) == line.report(0.1) == line.report(0.05, times=9) == START


def test_it_recovers() -> None:
    line = Line()
    low = line.report(0.5, times=3)
    assert line.report(0.0) == round(low * 1.05)
    assert line.report(0.0, times=30) == CEILING


def test_it_rises_once_a_second_however_many_reports_come() -> None:
    line = Line()
    for _ in range(32):
        line.now += 0.125
        line.control.report(0.0, None)
    assert line.control.limit == pytest.approx(START * 1.05**4, abs=1)


def test_one_loss_that_two_reports_tell_of_counts_once() -> None:
    line = Line()
    assert line.report(0.2, round_trip_s=2.0) == START * 0.9
    assert line.report(0.2, round_trip_s=2.0) == START * 0.9
    assert line.report(0.2, times=2, round_trip_s=2.0) == START * 0.9 * 0.9


def test_it_is_below_the_receivers_estimate_at_once() -> None:
    line = Line()
    line.control.remb(300_000)
    assert line.control.limit == 270_000
    line.control.remb(500_000)
    assert line.control.limit == 450_000
    line.control.remb(5_000_000)
    assert line.control.limit == START


def test_an_estimate_that_is_not_repeated_is_forgotten() -> None:
    line = Line()
    line.control.remb(300_000)
    line.now += REMB_S
    assert line.control.limit == 270_000
    line.now += 0.1
    assert line.control.limit == START


def test_without_loss_it_does_not_run_away_above_an_estimate() -> None:
    line = Line()
    for _ in range(30):
        line.control.remb(300_000)
        assert line.report(0.0) == 270_000
    line.now += REMB_S
    assert line.control.limit == START


def test_a_loss_counts_from_the_estimate_that_held_it_down() -> None:
    line = Line()
    line.control.remb(300_000)
    assert line.report(0.2) == 270_000 * 0.9


@pytest.mark.parametrize("lost", [math.nan, -0.1, 1.5, math.inf])
def test_a_loss_that_cannot_be_is_ignored(lost: float) -> None:
    assert Line().report(lost) == START


@pytest.mark.parametrize("told", [math.nan, math.inf, 0.0, -5.0])
def test_an_estimate_that_cannot_be_is_ignored(told: float) -> None:
    line = Line()
    line.control.remb(told)
    assert line.control.limit == START
    line.control.remb(300_000)
    line.control.remb(told)
    assert line.control.limit == 270_000


@pytest.mark.parametrize("trip", [math.nan, -1.0, math.inf, 1e9])
def test_a_round_trip_that_cannot_be_holds_nothing_up(trip: float) -> None:
    line = Line()
    assert line.report(0.2, round_trip_s=trip) == START * 0.9
    assert line.report(0.2, round_trip_s=trip) == START * 0.9 * 0.9


def test_a_tiny_estimate_leaves_what_the_smallest_pictures_need() -> None:
    line = Line()
    line.control.remb(1.0)
    assert line.control.limit == line.report(1.0, times=40)
    assert 0 < line.control.limit < FLOOR / 3
