from __future__ import annotations

import pytest

from app_core.cores import Cores, Usage
from app_core.engine import core_budget as module
from app_core.engine.capacity import Capacity
from app_core.engine.core_budget import WINDOW_S
from app_core.errors import TooMany


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


def test_a_margin_is_kept_of_the_cores(clock: Clock) -> None:
    capacity = Capacity(share=0.8, cores=2)
    capacity.calibrate(4.0, 512, 512)
    taken = 0
    while capacity.admit(f"session-{taken}", 512, 512, 25, margin=1.25):
        taken += 1
    assert taken == 12


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


def test_two_late_frames_of_one_stream_keep_nobody_out(clock: Clock) -> None:
    capacity = Capacity(share=1.0, cores=100)
    capacity.admit("one", 512, 512, 25)
    for index in range(100):
        capacity.delivered(512, 512, slack_s=-0.05 if index in (40, 60) else 0.03)
    assert capacity.admit("two", 512, 512, 25)
    capacity.delivered(512, 512, slack_s=-0.05)
    assert not capacity.admit("three", 512, 512, 25)


def test_frames_that_were_late_are_forgotten_in_time(clock: Clock) -> None:
    """One slow stream would keep everybody out for twenty seconds after a hitch."""
    capacity = Capacity(share=1.0, cores=100)
    capacity.admit("one", 512, 512, 25)
    for _ in range(10):
        capacity.delivered(512, 512, slack_s=-0.05)
    assert not capacity.admit("two", 512, 512, 25)
    assert capacity.snapshot().late == 1.0
    for _ in range(6):
        clock.run(1.0)
        capacity.delivered(512, 512, slack_s=0.03)
    assert capacity.snapshot().late == 0.0
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


def test_the_live_renders_of_all_models_share_the_cores(clock: Clock) -> None:
    light = Capacity(share=0.8, cores=2)
    light.calibrate(4.0, 512, 512)
    heavy = light.beside()
    heavy.calibrate(8.0, 512, 512, network_ms=8.0, model_fps=1000)
    assert light.snapshot().frame_ms == pytest.approx(4.0)
    assert heavy.snapshot().frame_ms == pytest.approx(16.0)
    assert (light.snapshot().sessions, heavy.snapshot().sessions) == (16, 4)
    assert heavy.admit("heavy", 512, 512, 25) and heavy.admit("heavy too", 512, 512, 25)
    assert fill(light) == 8, "two of 0.4 cores leave 0.8 of 1.6"
    assert not heavy.admit("no more", 512, 512, 25)
    assert light.snapshot().load == heavy.snapshot().load == pytest.approx(1.6)
    assert light.snapshot().live == 10
    heavy.release("heavy")
    assert [light.admit(f"more-{n}", 512, 512, 25) for n in range(5)] == [True] * 4 + [False]


def test_the_frames_of_a_model_bound_its_own_renders_alone(clock: Clock) -> None:
    light = Capacity(share=1.0, cores=100)
    light.calibrate(4.0, 512, 512)
    slow = light.beside()
    slow.calibrate(4.0, 512, 512, model_fps=60)
    assert slow.admit("slow", 512, 512, 25) and slow.admit("slow too", 512, 512, 25)
    assert not slow.admit("slower", 512, 512, 25)
    assert light.admit("light", 512, 512, 25)


def test_what_was_spent_on_one_model_is_known_to_the_other(clock: Clock) -> None:
    light = Capacity(share=0.8, cores=2)
    light.calibrate(2.0, 512, 512)
    heavy = light.beside()
    heavy.calibrate(6.0, 512, 512)
    for _ in range(30):
        for _ in range(100):
            heavy.delivered(512, 512, slack_s=0.03)
        clock.run(1.0, own=100 * 0.012)
        heavy.snapshot()
    assert heavy.snapshot().frame_ms == pytest.approx(12.0, rel=0.2)
    assert light.snapshot().frame_ms == pytest.approx(4.0, rel=0.2)


def test_a_live_render_that_grows_is_asked_again(clock: Clock) -> None:
    capacity = Capacity(share=0.8, cores=2)
    capacity.calibrate(4.0, 512, 512)
    assert fill(capacity, most=10) == 10
    assert capacity.weigh("job-0", 7.0)
    assert capacity.snapshot().load == pytest.approx(1.6)
    assert not capacity.weigh("job-1", 1.5)
    assert not capacity.admit("more", 512, 512, 25)
    assert capacity.weigh("job-0", 1.0)
    assert capacity.admit("more", 512, 512, 25)
    assert capacity.weigh("nobody", 100.0)


def test_one_that_is_alone_may_grow_beyond_the_cores(clock: Clock) -> None:
    capacity = Capacity(share=0.8, cores=0.01)
    assert capacity.admit("one", 512, 512, 25)
    assert capacity.weigh("one", 3.0)
    assert not capacity.admit("two", 512, 512, 25)


def test_frames_that_cost_more_are_known_to(clock: Clock) -> None:
    """What a heavy render takes must not be taken for a slow machine."""
    capacity = Capacity(share=0.8, cores=2)
    capacity.calibrate(4.0, 512, 512)
    assert capacity.admit("one", 512, 512, 25)
    assert capacity.weigh("one", 2.0)
    for _ in range(60):
        for _ in range(25):
            capacity.delivered(512, 512, 0.03, 2.0)
        clock.run(WINDOW_S, own=25 * 2.0 * 0.004)
    assert capacity.snapshot().frame_ms == pytest.approx(4.0, rel=0.02)


def fill_of(capacity: Capacity, owner: str) -> int:
    """How many one client is given of a server that others reach, before it has its half."""
    for count in range(100):
        try:
            if not capacity.admit(f"{owner}-{count}", 512, 512, 25, owner=owner, halved=True):
                return count
        except TooMany as error:
            assert "CLIENT_SESSIONS" in str(error) and "CLIENT_RENDERS" in str(error)
            assert error.retry_after_s == 5
            return -count
    return 100


@pytest.mark.parametrize(("share", "cores", "first", "second"), [(0.8, 2, 8, 8), (0.9, 1, 5, 4)])
def test_a_client_has_half_rounded_up_and_another_the_rest(
    clock: Clock, share: float, cores: float, first: int, second: int
) -> None:
    capacity = Capacity(share=share, cores=cores)
    capacity.calibrate(4.0, 512, 512)
    assert fill_of(capacity, "a") == -first
    assert abs(fill_of(capacity, "b")) == second
    assert fill_of(capacity, "c") == 0
    capacity.release("a-0")
    assert capacity.admit("a-0", 512, 512, 25, owner="a", halved=True)
    with pytest.raises(TooMany):
        capacity.admit("more", 512, 512, 25, owner="a", halved=True)


def test_who_is_not_bounded_has_all(clock: Clock) -> None:
    capacity = Capacity(share=0.8, cores=2)
    capacity.calibrate(4.0, 512, 512)
    for count in range(16):
        assert capacity.admit(f"job-{count}", 512, 512, 25, owner="a")
    assert not capacity.admit("more", 512, 512, 25, owner="a")


def test_the_first_of_a_client_is_judged_by_capacity_alone(clock: Clock) -> None:
    capacity = Capacity(share=0.8, cores=1)
    capacity.calibrate(4.0, 512, 512)
    assert capacity.admit("big", 1080, 1080, 50, owner="a", halved=True)
    with pytest.raises(TooMany):
        capacity.admit("small", 512, 512, 5, owner="a", halved=True)
    assert not capacity.admit("one", 512, 512, 25, owner="b", halved=True)
    assert capacity.weigh("big", 1.5)


def test_others_programs_leave_less_to_halve(clock: Clock) -> None:
    capacity = Capacity(share=0.8, cores=2)
    capacity.calibrate(4.0, 512, 512)
    for _ in range(10):
        clock.run(WINDOW_S, others=0.8)
        capacity.snapshot()
    assert capacity.snapshot().sessions == 8
    assert fill_of(capacity, "a") == -4


def test_what_looks_at_a_clients_renders_counts_in_its_half(clock: Clock) -> None:
    capacity = Capacity(share=0.8, cores=2)
    capacity.calibrate(4.0, 512, 512)
    for count in range(3):
        assert capacity.admit(f"a-{count}", 512, 512, 25, owner="a", halved=True)
    assert capacity.weigh("a-0", 3.0)
    assert capacity.weigh("a-1", 4.0)
    with pytest.raises(TooMany):
        capacity.weigh("a-2", 2.0)
    with pytest.raises(TooMany):
        capacity.admit("a-3", 512, 512, 25, owner="a", halved=True)
    assert capacity.weigh("a-1", 1.0)
    assert capacity.weigh("a-2", 2.0)
    assert fill_of(capacity, "b") == -8


def test_the_frames_of_a_model_are_halved_too(clock: Clock) -> None:
    capacity = Capacity(share=1.0, cores=100)
    capacity.calibrate(4.0, 512, 512, model_fps=250.0)
    assert fill_of(capacity, "a") == -5
    assert fill_of(capacity, "b") == 4


def test_a_model_s_devices_are_counted_apart_and_together(clock: Clock) -> None:
    first = Capacity(share=1.0, cores=100)
    first.calibrate(4.0, 512, 512, model_fps=100)
    second = first.twin()
    assert first.of_all() == first.snapshot()
    second.calibrate(8.0, 512, 512, model_fps=60)
    assert (first.slack, second.slack) == (90, 54)
    assert (first.snapshot().sessions, second.snapshot().sessions) == (3, 2)
    both = first.of_all()
    assert both == second.of_all()
    assert (both.model_fps, both.sessions, both.frame_ms) == (160, 5, 6.0)
    assert [first.admit(f"first-{n}", 512, 512, 25) for n in range(4)] == [True] * 3 + [False]
    assert (first.slack, second.slack) == (15, 54)
    assert second.admit("second", 512, 512, 25)
    second.release("second")
    assert (first.slack, second.slack) == (15, 54)


def test_the_devices_of_a_model_share_the_cores(clock: Clock) -> None:
    first = Capacity(share=0.8, cores=2)
    first.calibrate(4.0, 512, 512, model_fps=1000)
    second = first.twin()
    second.calibrate(4.0, 512, 512, model_fps=1000)
    assert fill(first, most=10) == 10
    assert [second.admit(f"second-{n}", 512, 512, 25) for n in range(7)] == [True] * 6 + [False]
    assert first.of_all().sessions == first.snapshot().sessions == 16


def test_a_client_has_half_of_what_all_devices_draw(clock: Clock) -> None:
    """One of two, where each has room for one."""
    first = Capacity(share=1.0, cores=100)
    first.calibrate(4.0, 512, 512, model_fps=30)
    second = first.twin()
    second.calibrate(4.0, 512, 512, model_fps=30)
    assert first.admit("one", 512, 512, 25, owner="a", halved=True)
    with pytest.raises(TooMany):
        second.admit("two", 512, 512, 25, owner="a", halved=True)
    assert second.admit("three", 512, 512, 25, owner="b", halved=True)


def test_a_client_s_half_is_counted_over_all_devices(clock: Clock) -> None:
    """Three of six, where each has room for three."""
    first = Capacity(share=1.0, cores=100)
    first.calibrate(4.0, 512, 512, model_fps=90)
    second = first.twin()
    second.calibrate(4.0, 512, 512, model_fps=90)
    assert first.admit("one", 512, 512, 25, owner="a", halved=True)
    assert second.admit("two", 512, 512, 25, owner="a", halved=True)
    assert first.admit("three", 512, 512, 25, owner="a", halved=True)
    with pytest.raises(TooMany):
        second.admit("four", 512, 512, 25, owner="a", halved=True)
