from __future__ import annotations

import pytest

from app_core.outputs.live.quality_ladder import RUNGS, QualityLadder, Rung
from app_core.outputs.live.video_rates import VideoRates

FPS = 25
FLOOR = 100_000
FULL, THREE_QUARTERS, HALF, LAST = RUNGS


class Frames:
    def __init__(self, left_out: int = 1) -> None:
        self.ladder = QualityLadder(FLOOR, FPS)
        self.index = 0
        self._stride = left_out

    def seconds(self, seconds: float, bits_s: int) -> list[int]:
        """Rungs, by number, each once where it begins."""
        met = [RUNGS.index(self.ladder.rung)]
        end = self.index + round(seconds * FPS)
        while self.index + self._stride <= end:
            self.index += self._stride
            at = RUNGS.index(self.ladder.look(self.index, bits_s))
            if at != met[-1]:
                met.append(at)
        return met


def test_rungs_need_ever_less_of_the_floor() -> None:
    needs = [rung.need for rung in RUNGS]
    assert needs[0] == 1
    assert needs == sorted(needs, reverse=True)
    assert needs[-1] == pytest.approx(0.25)


def test_at_the_floor_and_above_pictures_are_whole() -> None:
    assert Frames().seconds(60, FLOOR) == [0]


@pytest.mark.parametrize(("bits_s", "rung"), [(99_000, 1), (60_000, 2), (30_000, 3), (1, 3)])
def test_it_goes_down_to_the_rung_that_fits_after_a_second(bits_s: int, rung: int) -> None:
    frames = Frames()
    assert frames.seconds(1, bits_s) == [0]
    assert frames.seconds(0.04, bits_s) == [0, rung]
    assert frames.seconds(60, bits_s) == [rung]


def test_a_short_lack_changes_nothing() -> None:
    frames = Frames()
    for _ in range(20):
        assert frames.seconds(0.9, 30_000) == [0]
        assert frames.seconds(0.1, FLOOR) == [0]


def test_it_goes_up_by_one_rung_after_several_seconds_of_plenty() -> None:
    frames = Frames()
    frames.seconds(2, 1)
    assert frames.seconds(5, 10 * FLOOR) == [3]
    assert frames.seconds(5, 10 * FLOOR) == [3, 2]
    assert frames.seconds(11, 10 * FLOOR) == [2, 1, 0]


def test_barely_enough_is_not_enough_to_go_up() -> None:
    frames = Frames()
    frames.seconds(2, 90_000)
    assert frames.seconds(60, 129_000) == [1]
    assert frames.seconds(6, 130_000) == [1, 0]


def test_plenty_now_and_then_is_not_enough_to_go_up() -> None:
    frames = Frames()
    frames.seconds(2, 90_000)
    for _ in range(10):
        assert frames.seconds(4, 200_000) == [1]
        assert frames.seconds(0.1, 110_000) == [1]


def test_a_limit_that_swings_about_the_need_does_not_make_it_flap() -> None:
    frames = Frames()
    met = [at for _ in range(30) for limit in (95_000, 125_000) for at in frames.seconds(2, limit)]
    assert met[0] == 0
    assert set(met[2:]) == {1}


def test_frames_that_are_left_out_count_as_time() -> None:
    frames = Frames(left_out=5)
    assert frames.seconds(1.3, 60_000) == [0, 2]


@pytest.mark.parametrize(
    ("rung", "size"),
    [(FULL, (170, 334)), (THREE_QUARTERS, (126, 250)), (HALF, (84, 166)), (LAST, (84, 166))],
)
def test_sides_are_even(rung: Rung, size: tuple[int, int]) -> None:
    assert rung.size(170, 334) == size


def test_larger_and_faster_pictures_take_more_but_less_than_in_proportion() -> None:
    small, large, fast = (
        VideoRates.for_size(*s) for s in ((512, 512, 25), (1024, 1024, 25), (512, 512, 50))
    )
    assert small == VideoRates(100_000, 1_200_000)
    assert 2 * small.ceiling < large.ceiling < 4 * small.ceiling
    assert small.ceiling < fast.ceiling < 2 * small.ceiling


@pytest.mark.parametrize(("floor", "ceiling"), [(0, 5), (-1, 5), (6, 5)])
def test_rates_that_cannot_be_are_refused(floor: int, ceiling: int) -> None:
    with pytest.raises(ValueError, match="bits a second"):
        VideoRates(floor, ceiling)
