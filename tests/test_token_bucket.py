"""How many messages a client may send, by a clock that the test turns."""

from __future__ import annotations

from app_core.token_bucket import TokenBucket


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_burst_then_the_rate() -> None:
    clock = Clock()
    budget = TokenBucket(10, 5, 2.0, clock)
    for _ in range(5):
        assert budget.wait_s() == 0
        budget.take()
    assert round(budget.wait_s(), 6) == 0.1
    clock.now_s += 0.05
    assert round(budget.wait_s(), 6) == 0.05
    clock.now_s += 0.05
    assert budget.wait_s() == 0


def test_who_goes_on_is_overdrawn() -> None:
    clock = Clock()
    budget = TokenBucket(10, 4, 2.0, clock)
    for _ in range(4):
        budget.take()
    assert not budget.overdrawn
    for _ in range(19):
        clock.now_s += 0.1
        assert not budget.overdrawn
        budget.take()
    clock.now_s += 0.11
    assert budget.overdrawn


def test_a_pause_is_forgiven() -> None:
    clock = Clock()
    budget = TokenBucket(10, 4, 2.0, clock)
    for _ in range(4):
        budget.take()
    clock.now_s += 10
    assert not budget.overdrawn
    assert budget.wait_s() == 0
