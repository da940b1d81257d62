"""The reader's clock, moved by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from prometheus_client import generate_latest

from app_core.audio import AudioBuffer
from app_core.channel import Channel
from app_core.engine.capacity import Capacity
from app_core.job import Job
from app_core.metrics import Metrics
from app_core.pipeline import playout as module
from app_core.pipeline.playout import Playout
from app_core.request import GenerateRequest, MjpegRequest
from app_core.types import Mouth

FPS = 25


class Clock:
    """What happens at which time; whoever sleeps or waits gets there."""

    def __init__(self) -> None:
        self.now = 100.0
        self.events: list[tuple[float, Callable[[], None]]] = []

    def at(self, seconds: float, call: Callable[[], None]) -> None:
        self.events.append((100.0 + seconds, call))

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        while self.events and self.events[0][0] <= self.now:
            self.events.pop(0)[1]()

    def monotonic(self) -> float:
        return self.now


class Waiting(Channel[Mouth]):
    """A channel whose reader waits on the clock of the test."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(1000)
        self._clock = clock

    def get(self, timeout_s: float) -> Mouth:
        if not len(self) and not self.closed:
            self._clock.sleep(0.01)
            raise TimeoutError
        return super().get(0.0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(
        module, "time", SimpleNamespace(monotonic=clock.monotonic, sleep=clock.sleep)
    )
    return clock


class Reading:
    """A job whose mouths a test puts in, and what its reader gets at which time."""

    def __init__(self, clock: Clock, live: bool = True) -> None:
        request = MjpegRequest(text="x", fps=FPS) if live else GenerateRequest(text="x", fps=FPS)
        self.clock, self.metrics = clock, Metrics()
        self.job = Job(request=request, sound=AudioBuffer(8000), mouths=Waiting(clock), live=live)
        composer: Any = SimpleNamespace(frame=lambda mouth: mouth, width=64, height=48)
        self.playout: Playout[Mouth] = Playout(
            self.job,
            composer,
            Capacity(1.0, 4),
            lambda frame: frame,
            bool,
            self.metrics,  # type: ignore[arg-type, return-value]
        )

    def put(self, first: int, last: int) -> None:
        for index in range(first, last):
            self.job.mouths.put(Mouth(index, 0, np.zeros(1)))

    def voice(self, seconds: float, first: int, last: int, late: bool = False) -> None:
        """At that time the voice has said these frames, and they are drawn at once."""

        def said() -> None:
            if late:
                self.job.resumed.append((first, self.clock.now))
            self.put(first, last)

        self.clock.at(seconds, said)

    def frames(self) -> Iterator[tuple[int, float]]:
        for mouth in self.playout:
            yield mouth.index, round(self.clock.now - 100.0, 2)


def counted(metrics: Metrics, name: str) -> float:
    for line in generate_latest(metrics.registry).decode().splitlines():
        if line.startswith(name):
            return float(line.rsplit(" ", 1)[1])
    raise AssertionError(name)


def test_a_late_voice_stops_the_clock_and_nothing_is_dropped(clock: Clock) -> None:
    reading = Reading(clock)
    reading.voice(0.0, 0, 10)
    reading.voice(2.0, 10, 20, late=True)
    reading.voice(2.1, 20, 30)
    clock.at(2.2, reading.job.mouths.close)
    clock.sleep(0.0)
    shown = list(reading.frames())
    assert [index for index, _ in shown] == list(range(30))
    assert reading.job.frames_dropped == 0
    assert shown[9][1] == pytest.approx(9 / FPS, abs=0.02)
    assert shown[10][1] == pytest.approx(2.0, abs=0.02)
    assert shown[29][1] == pytest.approx(2.0 + 19 / FPS, abs=0.02), "and goes on from there"


def test_a_voice_that_is_always_slower_than_it_speaks(clock: Clock) -> None:
    reading = Reading(clock)
    for part in range(6):
        reading.voice(part * 1.0, part * 5, part * 5 + 5, late=part > 0)
    clock.at(6.0, reading.job.mouths.close)
    clock.sleep(0.0)
    shown = list(reading.frames())
    assert [index for index, _ in shown] == list(range(30))
    for part in range(6):
        assert shown[part * 5][1] == pytest.approx(part * 1.0, abs=0.02)


def test_a_voice_in_time_moves_nothing(clock: Clock) -> None:
    """Its lane was dry and late for the engine, but the reader had enough."""
    reading = Reading(clock)
    reading.voice(0.0, 0, 20)
    reading.voice(0.3, 20, 30, late=True)
    clock.at(0.4, reading.job.mouths.close)
    clock.sleep(0.0)
    for index, seconds in reading.frames():
        assert seconds == pytest.approx(index / FPS, abs=0.02)


def test_frames_that_are_late_for_another_reason_are_dropped_and_counted_at_once(
    clock: Clock,
) -> None:
    reading = Reading(clock)
    reading.put(0, 30)
    reading.job.mouths.close()
    frames = reading.frames()
    next(frames)
    clock.sleep(0.5)
    index, _ = next(frames)
    assert index == 12
    assert reading.job.frames_dropped == 11
    assert counted(reading.metrics, "soyle_frames_dropped_total") == 11


@pytest.mark.parametrize("live", [True, False])
def test_whoever_stops_at_the_last_frame_has_taken_it(clock: Clock, live: bool) -> None:
    reading = Reading(clock, live)
    reading.put(0, 10)
    reading.job.mouths.close()
    before = reading.playout._capacity._budget._units
    frames = iter(reading.playout)
    assert len(list(islice(frames, 10))) == reading.job.frames_done == 10
    assert reading.playout._capacity._budget._units == pytest.approx(
        before + 10 * reading.playout._capacity._base_ms(64, 48) / 1000
    )
    frames.close()  # type: ignore[attr-defined]
    kind = "live" if live else "file"
    assert counted(reading.metrics, f'soyle_frames_total{{kind="{kind}"}}') == 10
