"""Live pictures and a reader whose line is full, on a clock that stands until it is slept on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app_core.audio import AudioBuffer
from app_core.channel import Channel
from app_core.engine.capacity import Capacity
from app_core.errors import Cancelled
from app_core.job import Job
from app_core.metrics import Metrics
from app_core.pipeline import playout
from app_core.request import MjpegRequest
from app_core.types import Mouth
from tests.fakes import GreyPlate

FPS = 25
TOTAL = 100


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class PlainComposer:
    """A frame is its number; each takes ``cost_s`` to compose."""

    width = height = 128

    def __init__(self, clock: Clock, cost_s: float = 0.005) -> None:
        self._clock, self._cost_s = clock, cost_s
        self.composed: list[int] = []

    def frame(self, mouth: Mouth) -> int:
        self._clock.sleep(self._cost_s)
        self.composed.append(mouth.index)
        return mouth.index


class NotingCapacity(Capacity):
    def __init__(self) -> None:
        super().__init__(0.75, 64)
        self.slacks: list[float | None] = []

    def delivered(self, width: int, height: int, slack_s: float | None = None) -> None:
        self.slacks.append(slack_s)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(playout, "time", found)
    return found


class Stage:
    """A job whose mouths are all drawn, and what plays it."""

    def __init__(self, clock: Clock, pace: str = "realtime", cost_s: float = 0.005) -> None:
        self.clock = clock
        request = MjpegRequest(text="x", pace=pace)
        self.job = Job(request, AudioBuffer(8000), Channel(TOTAL), live=request.live)
        picture = GreyPlate().picture(0)
        for index in range(TOTAL):
            self.job.mouths.put(Mouth(index, picture, None))
        self.job.mouths.close()
        self.composer = PlainComposer(clock, cost_s)
        self.capacity = NotingCapacity()

    def play(
        self,
        full: Callable[[], bool],
        gone: Callable[[], bool] = lambda: False,
        taking_s: float = 0.0,
    ) -> list[int]:
        shown = []
        frames: Any = playout.Playout(
            self.job,
            self.composer,  # type: ignore[arg-type]
            self.capacity,
            lambda frame: frame,
            gone,
            Metrics(),
            full,
        )
        for index in frames:
            self.clock.sleep(taking_s)
            shown.append(index)
        return shown


def test_a_reader_with_room_gets_every_picture(clock: Clock) -> None:
    stage = Stage(clock)
    assert stage.play(lambda: False) == list(range(TOTAL))
    assert stage.job.frames_dropped == 0


def test_a_full_line_drops_pictures_and_stays_near_now(clock: Clock) -> None:
    stage = Stage(clock)
    began, sent_s = clock.now, [-1.0]

    def full() -> bool:
        """A picture takes the line a tenth of a second."""
        return clock.now - sent_s[0] < 0.1

    behind = []
    frames: Any = playout.Playout(
        stage.job,
        stage.composer,  # type: ignore[arg-type]
        stage.capacity,
        lambda frame: frame,
        lambda: False,
        Metrics(),
        full,
    )
    shown = []
    for index in frames:
        sent_s[0] = clock.now
        behind.append((clock.now - began) * FPS - index)
        shown.append(index)
    assert 35 <= len(shown) <= 45, "ten pictures a second"
    assert shown[-1] == TOTAL - 1, "the last picture is the last one"
    assert max(behind) <= 2.5, "frames behind the clock"
    assert stage.job.frames_done == len(shown)
    assert stage.job.frames_dropped == TOTAL - len(shown)
    assert stage.composer.composed == shown, "none is composed in vain"


def test_the_last_picture_waits_for_room(clock: Clock) -> None:
    stage = Stage(clock)
    until = clock.now + TOTAL / FPS + 3.0
    shown = stage.play(lambda: 1001.0 < clock.now < until)
    assert shown[-1] == TOTAL - 1
    assert clock.now >= until
    assert len(shown) < TOTAL / 2


def test_a_slow_line_is_not_the_servers_lateness(clock: Clock) -> None:
    stage = Stage(clock)
    stage.play(lambda: int(clock.now * 10) % 3 != 0)
    assert stage.job.frames_dropped > TOTAL / 3
    assert len(stage.capacity.slacks) == stage.job.frames_done
    assert all(slack is not None and slack >= 0 for slack in stage.capacity.slacks)


def test_a_slow_server_is_late_also_on_a_slow_line(clock: Clock) -> None:
    stage = Stage(clock, cost_s=0.1)
    stage.play(lambda: int(clock.now * 10) % 3 != 0)
    late = [slack for slack in stage.capacity.slacks if slack is not None and slack < -0.04]
    assert len(late) > stage.job.frames_done / 2


def test_the_servers_own_lateness_counts(clock: Clock) -> None:
    stage = Stage(clock, cost_s=0.06)
    stage.play(lambda: False)
    known = [slack for slack in stage.capacity.slacks if slack is not None]
    assert len(known) == len(stage.capacity.slacks)
    assert min(known) < -0.01


def test_a_file_waits_for_nobody(clock: Clock) -> None:
    stage = Stage(clock, pace="asap")
    assert stage.play(lambda: True) == list(range(TOTAL))


def test_one_who_leaves_while_the_line_is_full_is_noticed(clock: Clock) -> None:
    stage = Stage(clock)
    began = clock.now
    with pytest.raises(Cancelled):
        stage.play(lambda: clock.now > began + 1, lambda: clock.now > began + 1.05)
    assert clock.now < began + 1.2
