"""Which frames the model draws next.

Pure: no thread, no clock, no model. Given ``now`` it returns a list. Live lanes go by earliest
deadline; file lanes share, in turn, what the live ones leave of the batch.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app_core.types import MouthTask

FIRST_BATCH = 4
"""Frames in a job's first batch, so that its first picture never waits for a batch to fill."""
LATENCY_BATCH = 32
THROUGHPUT_BATCH = 960
START_ALLOWANCE_S = 0.1
"""From a job's first task to its first picture; deadlines count from then on."""


@dataclass(slots=True, eq=False)
class Lane:
    """One job's waiting tasks."""

    job_id: str
    fps: int
    live: bool
    room: Callable[[], int]
    """Scratch that the job's channel can still take."""
    origin_s: float = math.inf
    """When its first task came, on the clock of ``now``, had it come in one go since."""
    limit: int = THROUGHPUT_BATCH
    """Largest batch of this job."""
    batch: int = FIRST_BATCH
    waiting: deque[MouthTask] = field(default_factory=deque)

    def due_s(self, index: int) -> float:
        """When the frame should be drawn."""
        return self.origin_s + START_ALLOWANCE_S + index / self.fps


def auto_tune_batch_size(batch: int, slack_s: float, limit: int) -> int:
    """The next batch of a job: doubles while deadlines hold, halves when one was missed."""
    return min(limit, batch * 2) if slack_s >= 0 else max(1, batch // 2)


def _always(task: MouthTask) -> bool:
    return True


class Scheduler:
    def __init__(self, max_batch: int, ready: Callable[[MouthTask], bool] = _always) -> None:
        """``ready``: whether the model has all that a task needs."""
        self._max_batch, self._ready = max_batch, ready
        self._lanes: dict[str, Lane] = {}
        self._turn = 0

    def add(self, lane: Lane) -> None:
        lane.limit = max(1, min(lane.limit, self._max_batch))
        lane.batch = min(lane.batch, lane.limit)
        self._lanes[lane.job_id] = lane

    def remove(self, job_id: str) -> None:
        self._lanes.pop(job_id, None)

    def arrive(self, job_id: str, index: int, now: float) -> bool:
        """Tasks from ``index`` on are there. A job's first ones set its clock; when its voice let
        the lane run dry and these come too late, the clock goes on from them: True then.
        """
        lane = self._lanes.get(job_id)
        if lane is None:
            return False
        if math.isinf(lane.origin_s):
            lane.origin_s = now - index / lane.fps
        elif not lane.waiting and now > lane.due_s(index):
            lane.origin_s = now - index / lane.fps
            lane.batch = min(FIRST_BATCH, lane.limit)
            return True
        return False

    def push(self, job_id: str, tasks: Sequence[MouthTask]) -> None:
        self._lanes[job_id].waiting.extend(tasks)

    def waiting(self, job_id: str) -> int:
        lane = self._lanes.get(job_id)
        return len(lane.waiting) if lane else 0

    @property
    def depth(self) -> int:
        """Tasks that wait, over all lanes."""
        return sum(len(lane.waiting) for lane in list(self._lanes.values()))

    def schedule(self, now: float) -> list[MouthTask]:
        """At most ``max_batch`` tasks, each job's in order, none without room for its result."""
        live = [lane for lane in self._lanes.values() if lane.live and lane.waiting]
        live.sort(key=lambda lane: lane.due_s(lane.waiting[0].index))
        files = [lane for lane in self._lanes.values() if not lane.live and lane.waiting]
        if files:
            self._turn = (self._turn + 1) % len(files)
            files = files[self._turn :] + files[: self._turn]
        chosen: list[MouthTask] = []
        for lane in live + files:
            left = self._max_batch - len(chosen)
            if left == 0:
                break
            count = min(lane.batch, len(lane.waiting), left)
            count = min(count, lane.room()) if count else 0
            if count <= 0 or not self._ready(lane.waiting[0]):
                continue
            slack = lane.due_s(lane.waiting[0].index) - now if lane.live else 0.0
            for _ in range(count):
                if not self._ready(lane.waiting[0]):
                    break
                chosen.append(lane.waiting.popleft())
            lane.batch = auto_tune_batch_size(lane.batch, slack, lane.limit)
        return chosen
