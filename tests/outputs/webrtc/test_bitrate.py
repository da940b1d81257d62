from __future__ import annotations

import math

import pytest

from app_core.outputs.live.video_rates import LEAST_BITS_S
from app_core.outputs.webrtc.bitrate import REMB_PAUSE_S, SIGNS_S, BitrateControl

FLOOR, CEILING = 150_000, 1_200_000
START = 720_000


class Line:
    """A control and the clock that it looks at."""

    def __init__(self, sent: int = 0) -> None:
        self.now, self.sent = 50.0, sent
        self.control = BitrateControl(FLOOR, CEILING, lambda: self.now, lambda: self.sent)

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
    assert line.report(1.0, times=10) == LEAST_BITS_S


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


def test_a_line_that_loses_nothing_any_more_is_filled_faster() -> None:
    line = Line()
    low = line.report(0.9, times=20)
    assert line.report(0.0, times=5) == pytest.approx(low * 1.05**5, abs=2)
    fast = line.report(0.0, times=2)
    assert fast == pytest.approx(low * 1.05**5 * 1.2**2, abs=2)
    line.report(0.05)
    assert line.report(0.0) == pytest.approx(fast * 1.05, abs=2)


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


def test_an_estimate_that_falls_below_what_is_sent_counts_at_once() -> None:
    line = Line(sent=500_000)
    line.control.remb(900_000)
    line.control.remb(450_000)
    assert line.control.limit == 405_000
    line.control.remb(400_000)
    assert line.control.limit == 405_000, "it has yet to hear of the fall"
    line.now += REMB_PAUSE_S
    line.control.remb(100_000)
    assert line.control.limit == 405_000 / 2, "not more than half at once"


def test_an_estimate_above_what_is_sent_says_nothing() -> None:
    """The receiver cannot know more than it is sent: of an idle face it thinks little."""
    line = Line(sent=100_000)
    line.control.remb(150_000)
    assert line.control.limit == START
    assert line.report(0.0) == START * 1.05


def test_an_estimate_that_was_low_before_says_nothing() -> None:
    line = Line(sent=500_000)
    for told in (50_000, 52_000, 51_000):
        line.now += REMB_PAUSE_S
        line.control.remb(told)
    assert line.control.limit == START
    line.report(0.03)
    line.now += REMB_PAUSE_S
    line.control.remb(53_000)
    assert line.control.limit == 0.85 * 500_000


def test_after_an_estimate_it_rises_again() -> None:
    line = Line(sent=500_000)
    line.control.remb(900_000)
    line.control.remb(450_000)
    line.sent = 200_000
    line.now += REMB_PAUSE_S
    line.control.remb(300_000)
    assert line.report(0.0) == 405_000 * 1.05


def test_an_estimate_alone_does_not_bring_it_below_the_floor() -> None:
    """A receiver of packets that come unevenly, because the server is busy, thinks so too."""
    line = Line(sent=500_000)
    for told in (900_000, *range(90_000, 1_000, -10_000)):
        line.control.remb(told)
        line.now += REMB_PAUSE_S
    assert line.control.limit == FLOOR


@pytest.mark.parametrize(("lost", "round_trip_s"), [(0.03, 0.05), (0.0, 0.2)])
def test_an_estimate_beside_a_loss_or_a_slower_line_does(lost: float, round_trip_s: float) -> None:
    line = Line(sent=500_000)
    line.report(0.0)
    for told in (900_000, 90_000, 80_000, 70_000, 60_000, 50_000):
        line.report(lost, round_trip_s=round_trip_s)
        line.control.remb(told)
    assert line.control.limit == 45_000
    line.now += SIGNS_S + 0.1
    line.control.remb(40_000)
    assert line.control.limit == 45_000, "the sign is old"


def test_a_longer_way_is_no_full_line_for_long() -> None:
    line = Line(sent=500_000)
    line.report(0.0, times=3)
    line.report(0.0, times=12, round_trip_s=0.3)
    line.now += SIGNS_S
    line.report(0.0, round_trip_s=0.3)
    for told in (900_000, 25_000):
        line.control.remb(told)
    assert line.control.limit > FLOOR


def test_what_the_line_carried_is_reached_fast() -> None:
    line = Line(sent=600_000)
    line.report(0.0)
    line.sent = 30_000
    low = line.report(0.9, times=9)
    assert line.report(0.0, times=12) > 500_000 > 10 * low


def test_it_comes_back_from_the_bottom() -> None:
    line = Line(sent=500_000)
    line.report(0.9, times=20)
    low = line.control.limit
    line.sent = low
    for _ in range(40):
        line.control.remb(1.5 * line.sent)
        line.sent = line.report(0.0)
    assert (low, line.control.limit) == (LEAST_BITS_S, CEILING)


@pytest.mark.parametrize("lost", [math.nan, -0.1, 1.5, math.inf])
def test_a_loss_that_cannot_be_is_ignored(lost: float) -> None:
    assert Line().report(lost) == START


@pytest.mark.parametrize("told", [math.nan, math.inf, 0.0, -5.0])
def test_an_estimate_that_cannot_be_is_ignored(told: float) -> None:
    line = Line(sent=500_000)
    line.control.remb(900_000)
    line.control.remb(told)
    assert line.control.limit == START
    line.control.remb(450_000)
    line.now += REMB_PAUSE_S
    line.control.remb(told)
    assert line.control.limit == 405_000


@pytest.mark.parametrize("trip", [math.nan, -1.0, math.inf, 1e9])
def test_a_round_trip_that_cannot_be_holds_nothing_up(trip: float) -> None:
    line = Line()
    assert line.report(0.2, round_trip_s=trip) == START * 0.9
    assert line.report(0.2, round_trip_s=trip) == START * 0.9 * 0.9
