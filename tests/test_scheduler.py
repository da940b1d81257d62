from __future__ import annotations

import numpy as np

from app_core.engine.scheduler import FIRST_BATCH, Lane, Scheduler, auto_tune_batch_size
from app_core.types import MouthTask


def lane(
    name: str, *, origin: float = 0.0, live: bool = True, room: int = 99, limit: int = 960
) -> Lane:
    return Lane(name, fps=25, origin_s=origin, live=live, room=lambda: room, limit=limit)


def tasks(name: str, count: int, start: int = 0) -> list[MouthTask]:
    row = np.zeros(1)
    return [MouthTask(name, index, 0, None, row) for index in range(start, start + count)]


def drawn(chosen: list[MouthTask]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for task in chosen:
        found.setdefault(task.job_id, []).append(task.index)
    return found


def test_the_first_batch_is_small_and_doubles_while_deadlines_hold() -> None:
    scheduler = Scheduler(max_batch=64)
    scheduler.add(lane("a", origin=0.0))
    scheduler.push("a", tasks("a", 100))
    sizes = [len(scheduler.schedule(now=0.0)) for _ in range(4)]
    assert sizes == [FIRST_BATCH, 8, 16, 32]


def test_a_missed_deadline_halves_the_batch() -> None:
    scheduler = Scheduler(max_batch=64)
    scheduler.add(lane("a", origin=0.0))
    scheduler.push("a", tasks("a", 100))
    scheduler.schedule(now=0.0)
    assert len(scheduler.schedule(now=100.0)) == 8
    assert len(scheduler.schedule(now=100.0)) == 4
    assert auto_tune_batch_size(1, -1.0, 32) == 1


def test_limits_bound_the_ramp() -> None:
    scheduler = Scheduler(max_batch=64)
    scheduler.add(lane("one", limit=1))
    scheduler.push("one", tasks("one", 10))
    assert [len(scheduler.schedule(0.0)) for _ in range(3)] == [1, 1, 1]


def test_earliest_deadline_first_over_jobs() -> None:
    scheduler = Scheduler(max_batch=FIRST_BATCH)
    scheduler.add(lane("late", origin=5.0))
    scheduler.add(lane("early", origin=0.0))
    for name in ("late", "early"):
        scheduler.push(name, tasks(name, 10))
    assert drawn(scheduler.schedule(0.0)) == {"early": [0, 1, 2, 3]}


def test_one_batch_mixes_jobs_and_keeps_each_in_order() -> None:
    scheduler = Scheduler(max_batch=64)
    for name in "abc":
        scheduler.add(lane(name))
        scheduler.push(name, tasks(name, 10))
    first, second = drawn(scheduler.schedule(0.0)), drawn(scheduler.schedule(0.0))
    for name in "abc":
        assert first[name] + second[name] == list(range(len(first[name] + second[name])))


def test_no_room_no_work_and_nobody_else_waits() -> None:
    scheduler = Scheduler(max_batch=64)
    scheduler.add(lane("stalled", room=0))
    scheduler.add(lane("tight", room=2))
    scheduler.add(lane("free"))
    for name in ("stalled", "tight", "free"):
        scheduler.push(name, tasks(name, 10))
    assert drawn(scheduler.schedule(0.0)) == {"tight": [0, 1], "free": [0, 1, 2, 3]}


def test_files_take_what_live_jobs_leave() -> None:
    scheduler = Scheduler(max_batch=6)
    scheduler.add(lane("file", live=False))
    scheduler.add(lane("live"))
    for name in ("file", "live"):
        scheduler.push(name, tasks(name, 50))
    assert drawn(scheduler.schedule(0.0)) == {"live": [0, 1, 2, 3], "file": [0, 1]}
    assert drawn(scheduler.schedule(0.0)) == {"live": [4, 5, 6, 7, 8, 9]}


def test_file_jobs_take_turns() -> None:
    scheduler = Scheduler(max_batch=4)
    for name in ("a", "b"):
        scheduler.add(lane(name, live=False))
        scheduler.push(name, tasks(name, 50))
    assert {next(iter(drawn(scheduler.schedule(0.0)))) for _ in range(2)} == {"a", "b"}


def test_what_the_model_lacks_waits_alone_and_in_order() -> None:
    made = 0
    scheduler = Scheduler(16, ready=lambda task: task.job_id == "b" or task.index < made)
    for name in "ab":
        scheduler.add(lane(name))
        scheduler.push(name, tasks(name, 10))
    assert drawn(scheduler.schedule(0.0)) == {"b": [0, 1, 2, 3]}
    made = 2
    assert drawn(scheduler.schedule(0.0))["a"] == [0, 1]
    made = 9
    assert drawn(scheduler.schedule(0.0))["a"][0] == 2


def test_deadlines_count_across_faces_and_sizes_of_batch() -> None:
    """The job that began first has the next frames to show, whatever it speaks on."""
    scheduler = Scheduler(max_batch=8)
    for at, name in enumerate("abcd"):
        scheduler.add(lane(name, origin=-at / 100))
        scheduler.push(name, tasks(name, 40))
    shown = [drawn(scheduler.schedule(0.0)) for _ in range(4)]
    assert list(shown[0]) == ["d", "c"]
    assert list(shown[1]) == ["b", "a"]
    assert shown[2] == {"d": list(range(4, 12))}, "frame 4 of the oldest is due first"


def test_removed_jobs_are_forgotten() -> None:
    scheduler = Scheduler(max_batch=4)
    scheduler.add(lane("a"))
    scheduler.push("a", tasks("a", 5))
    assert scheduler.depth == 5
    scheduler.remove("a")
    assert scheduler.schedule(0.0) == []
    assert scheduler.depth == 0
