"""A thread that ends or does not move is found; one that waits or slept with the machine is not."""

from __future__ import annotations

import threading

from app_core.services.stillness import Stillness
from app_core.threads import Pulse


class Looked:
    """A look a second at one pulse."""

    def __init__(self, pulse: Pulse) -> None:
        self.now = 0.0
        self.pulse, self.stillness = pulse, Stillness(lambda: self.now)
        self.new: list[str] = []
        self.well: list[Pulse] = []

    def look(self, seconds: float = 1.0, *, named: bool = True) -> None:
        self.now += seconds
        new, well = self.stillness.look([self.pulse] if named else [])
        self.new += map(str, new)
        self.well += well

    @property
    def told(self) -> list[str]:
        return [str(trouble) for trouble in self.stillness.troubles]


def worked(allowed_s: float = 3.0) -> Pulse:
    """Of this thread, which is at something."""
    pulse = Pulse("engine", allowed_s)
    pulse.follow(threading.current_thread())
    pulse.begin("a batch of 4")
    return pulse


def test_stuck_beyond_what_is_allowed_once_and_well_again() -> None:
    looked = Looked(worked())
    for _ in range(3):
        looked.look()
    assert not looked.told
    looked.look()
    looked.look()
    assert looked.told == ["the thread 'engine' has not moved for 5 s (a batch of 4)"]
    assert looked.new == ["the thread 'engine' has not moved for 4 s (a batch of 4)"]
    looked.pulse.beat()
    looked.look()
    assert not looked.told
    assert looked.well == [looked.pulse]


def test_one_that_beats_or_waits_for_work_is_not_stuck() -> None:
    looked = Looked(worked())
    for _ in range(20):
        looked.pulse.beat()
        looked.look()
    looked.pulse.rest()
    for _ in range(20):
        looked.look()
    assert not looked.new


def test_a_machine_that_slept_accuses_nobody() -> None:
    looked = Looked(worked())
    looked.look(3600.0)
    assert not looked.told
    looked.look()
    looked.look()
    assert looked.told, "and what has been stuck before and after it is found all the same"


def test_one_that_was_stuck_stays_told_though_nobody_names_it_any_more() -> None:
    go_on = threading.Event()
    pulse = Pulse("session", 1.0)

    def work() -> None:
        pulse.begin("a frame")
        assert go_on.wait(10)

    thread = threading.Thread(target=work)
    thread.start()
    pulse.follow(thread)
    looked = Looked(pulse)
    looked.look()
    looked.look()
    looked.look(named=False)
    assert len(looked.told) == 1
    go_on.set()
    thread.join()
    looked.look(named=False)
    assert not looked.told


def test_a_thread_that_ends_by_itself_is_dead_until_another_takes_its_place() -> None:
    pulse = Pulse("engine", 30.0)
    looked = Looked(pulse)
    looked.look()
    assert not looked.told, "it has not begun"
    thread = threading.Thread(target=pulse.beat)
    pulse.follow(thread)
    thread.start()
    thread.join()
    looked.look(0.0)
    assert looked.told == ["the thread 'engine' has ended by itself"], "at once"
    pulse.follow(threading.current_thread())
    looked.look()
    assert not looked.told


def test_a_thread_that_was_stopped_is_not_dead() -> None:
    pulse = Pulse("engine", 30.0)
    thread = threading.Thread(target=pulse.end)
    pulse.follow(thread)
    thread.start()
    thread.join()
    looked = Looked(pulse)
    looked.look()
    assert not looked.told
