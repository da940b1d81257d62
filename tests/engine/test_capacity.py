from __future__ import annotations

import pytest

from app_core.cores import Cores, Usage
from app_core.engine import capacity as module
from app_core.engine.capacity import WINDOW_S, Capacity


class Clock:
    """Time, this process's share of it, and the machine's, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = self.own = self.busy = 0.0
        self.throttled = 0
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(module.time, "process_time", lambda: self.own)
        monkeypatch.setattr(Cores, "usage", lambda _: Usage(self.busy, self.throttled))

    def run(self, seconds: float, own: float = 0.0, others: float = 0.0) -> None:
        self.now += seconds
        self.own += own
        self.busy += own + others


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def fill(capacity: Capacity, most: int = 100) -> int:
    for count in range(most):
        if not capacity.admit(f"job-{count}", 512, 512, 25):
            return count
    return most


def test_the_sum_of_live_renders_stays_under_the_share(clock: Clock) -> None:
    capacity = Capacity(share=0.8, cores=2)
    capacity.calibrate(4.0, 512, 512)
    assert fill(capacity) == 16
    capacity.release("job-3")
    assert capacity.admit("again", 512, 512, 25)
    assert not capacity.admit("more", 512, 512, 25)


def test_bigger_and_faster_pictures_need_more(clock: Clock) -> None:
    capacity = Capacity(share=1.0, cores=1)
    capacity.calibrate(4.0, 512, 512)
    assert capacity.admit("small", 512, 512, 25)
    assert not capacity.admit("tall", 1080, 1920, 50)
    assert not capacity.admit("tall too", 1080, 1920, 40)
    assert capacity.admit("slow", 720, 720, 10)


def test_the_first_is_always_welcome(clock: Clock) -> None:
    capacity = Capacity(share=0.5, cores=1)
    capacity.calibrate(500.0, 512, 512)
    assert fill(capacity) == 1


def test_cost_follows_what_was_really_spent(clock: Clock) -> None:
    capacity = Capacity(share=0.8, cores=2)
    capacity.calibrate(2.0, 512, 512)
    assert capacity.admit("one", 512, 512, 25)
    for _ in range(30):
        for _ in range(200):
            capacity.delivered(512, 512, slack_s=0.03)
        clock.run(1.0, own=200 * 0.008)
        capacity.snapshot()
    assert capacity.snapshot().frame_ms == pytest.approx(8.0, rel=0.2)
    capacity.release("one")
    assert fill(capacity) in (8, 9)


def test_one_costly_moment_is_not_the_rule(clock: Clock) -> None:
    capacity = Capacity(share=0.8, cores=2)
    capacity.calibrate(2.0, 512, 512)
    capacity.delivered(512, 512, slack_s=0.03)
    clock.run(1.0, own=0.5)
    assert capacity.snapshot().frame_ms < 4.5


def test_other_programs_leave_less_room(clock: Clock) -> None:
    capacity = Capacity(share=1.0, cores=2)
    capacity.calibrate(4.0, 512, 512)
    for _ in range(10):
        clock.run(1.0, others=1.0)
        capacity.snapshot()
    assert fill(capacity) == 10


def test_nobody_is_added_while_frames_are_late(clock: Clock) -> None:
    capacity = Capacity(share=1.0, cores=100)
    capacity.admit("one", 512, 512, 25)
    for _ in range(100):
        capacity.delivered(512, 512, slack_s=-0.05)
    assert not capacity.admit("two", 512, 512, 25)
    for _ in range(500):
        capacity.delivered(512, 512, slack_s=0.03)
    assert capacity.admit("two", 512, 512, 25)


def test_file_renders_wait_while_live_ones_are_just_in_time(clock: Clock) -> None:
    capacity = Capacity(share=1.0, cores=1)
    clock.run(10.0)
    assert not capacity.tight
    capacity.delivered(512, 512, slack_s=0.001)
    assert capacity.tight
    clock.run(1.0)
    assert not capacity.tight


def test_a_group_that_was_stopped_at_its_quota_is_tight_while_somebody_watches(
    clock: Clock,
) -> None:
    capacity = Capacity(share=1.0, cores=1)
    clock.throttled += 5
    clock.run(1.0)
    capacity.snapshot()
    assert not capacity.tight, "a film alone may use all of its quota"
    capacity.admit("one", 512, 512, 25)
    clock.throttled += 5
    clock.run(1.0)
    capacity.snapshot()
    assert capacity.tight
    clock.run(WINDOW_S + 0.1)
    capacity.snapshot()
    assert not capacity.tight
