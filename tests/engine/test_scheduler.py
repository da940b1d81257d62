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


def test_deadlines_count_from_the_first_task() -> None:
    """A voice that needs 3 s for its first word makes nobody late."""
    scheduler = Scheduler(max_batch=64)
    scheduler.add(Lane("a", fps=25, live=True, room=lambda: 99))
    assert not scheduler.arrive("a", 0, now=3.0)
    scheduler.push("a", tasks("a", 100))
    sizes = [len(scheduler.schedule(now=3.0 + n / 25)) for n in range(4)]
    assert sizes == [FIRST_BATCH, 8, 16, 32]


def test_a_late_voice_moves_the_clock_and_does_not_come_first_for_ever() -> None:
    scheduler = Scheduler(max_batch=FIRST_BATCH)
    for name in ("slow", "steady"):
        scheduler.add(Lane(name, fps=25, live=True, room=lambda: 99))
        scheduler.arrive(name, 0, now=0.0)
    scheduler.push("slow", tasks("slow", 4))
    assert drawn(scheduler.schedule(now=0.0)) == {"slow": [0, 1, 2, 3]}
    scheduler.push("steady", tasks("steady", 100))
    for _ in range(12):
        scheduler.schedule(now=0.0)
    assert scheduler.arrive("slow", 4, now=2.0), "due at 0.26 s"
    scheduler.push("slow", tasks("slow", 8, start=4))
    assert drawn(scheduler.schedule(now=2.0)) == {"steady": [48, 49, 50, 51]}, "due since 2.02 s"
    assert drawn(scheduler.schedule(now=2.0)) == {"slow": [4, 5, 6, 7]}
    assert not scheduler.arrive("slow", 12, now=9.0), "its lane was not dry"


def test_tasks_in_time_move_no_clock() -> None:
    scheduler = Scheduler(max_batch=64)
    scheduler.add(Lane("a", fps=25, live=True, room=lambda: 99))
    scheduler.arrive("a", 0, now=0.0)
    scheduler.push("a", tasks("a", 4))
    scheduler.schedule(now=0.0)
    assert not scheduler.arrive("a", 4, now=0.2)
    assert not scheduler.arrive("unknown", 0, now=0.0)


def test_the_batch_after_a_stall_is_small_again() -> None:
    scheduler = Scheduler(max_batch=64)
    scheduler.add(Lane("a", fps=25, live=True, room=lambda: 99))
    scheduler.arrive("a", 0, now=0.0)
    scheduler.push("a", tasks("a", 28))
    assert [len(scheduler.schedule(now=0.0)) for _ in range(3)] == [FIRST_BATCH, 8, 16]
    scheduler.arrive("a", 28, now=5.0)
    scheduler.push("a", tasks("a", 60, start=28))
    assert len(scheduler.schedule(now=5.0)) == FIRST_BATCH
