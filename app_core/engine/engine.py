"""The one thread that touches a model's weights.

Thread contract: job threads call ``open``, ``submit`` and ``finish``; any thread may call
``drop``; the engine's own thread alone schedules, runs the model and puts mouths into channels.
A task is scheduled only when its job's channel has room, so a delivery never waits.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from app_core.channel import ChannelClosed
from app_core.engine.pace import Pace
from app_core.engine.runner import Runner
from app_core.engine.scheduler import LATENCY_BATCH, THROUGHPUT_BATCH, Lane, Scheduler
from app_core.errors import Cancelled, ModelFailed
from app_core.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app_core.job import Job
    from app_core.lipsync.model import LipsyncModel
    from app_core.types import Mouth, MouthTask

logger = logging.getLogger(__name__)

FILE_WAITING = 256
LIVE_WAITING_S = 2
"""How much of one job waits here, of a file two full batches where that is more; its thread
sleeps in ``submit`` beyond that. Live jobs speak no further ahead, so that a voice is free for
whoever speaks next."""
IDLE_S = 0.05
"""Longest sleep: a channel whose reader made room is noticed after this at the latest."""


class Engine:
    def __init__(self, model: LipsyncModel, metrics: Metrics | None = None) -> None:
        self._metrics = metrics or Metrics()
        self._runner = Runner(model)
        self._scheduler = Scheduler(model.max_batch, model.ready)
        self._file_waiting = max(FILE_WAITING, 2 * model.max_batch)
        self._name = f"engine-{model.name}"
        self._jobs: dict[str, Job] = {}
        self._finished: dict[str, Exception | None] = {}
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        """Something can be scheduled, perhaps; the engine's thread alone waits for it."""
        self._space: dict[str, threading.Condition] = {}
        """A job's waiting tasks went down; its own thread alone waits for it."""
        self._stopping = False
        self._thread: threading.Thread | None = None
        self.pace = Pace()
        self.batches = 0
        self.frames = 0

    @property
    def mean_batch(self) -> float:
        return self.frames / self.batches if self.batches else 0.0

    @property
    def depth(self) -> int:
        with self._changed:
            return self._scheduler.depth

    @property
    def jobs(self) -> tuple[int, int]:
        """Live and file renders whose mouths are not all drawn."""
        with self._changed:
            live = sum(job.live for job in self._jobs.values())
            return live, len(self._jobs) - live

    def start(self) -> None:
        self._thread = threading.Thread(target=self._loop, name=self._name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with self._changed:
            self._stopping = True
            jobs = list(self._jobs.values())
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(5.0)
        for job in jobs:
            job.mouths.close(Cancelled("The server is stopping"), now=True)

    def open(self, job: Job, *, low_latency: bool = False, batch_size: int | None = None) -> None:
        """Takes a job in. ``batch_size`` bounds its batches in place of the usual limits."""
        limit = batch_size or (LATENCY_BATCH if low_latency else THROUGHPUT_BATCH)
        lane = Lane(
            job_id=job.id,
            fps=job.request.fps,
            origin_s=time.monotonic(),
            live=job.live,
            room=job.mouths.room,
            limit=limit,
        )
        with self._changed:
            self._jobs[job.id] = job
            self._space[job.id] = threading.Condition(self._lock)
            self._scheduler.add(lane)

    def submit(self, job: Job, tasks: Sequence[MouthTask]) -> None:
        """Waits while the job is full. Raises Cancelled when the job ended meanwhile."""
        most = self._most(job)
        with self._lock:
            while tasks:
                if job.ticket.stale or job.id not in self._jobs:
                    raise Cancelled("The job was cancelled")
                room = most - self._scheduler.waiting(job.id)
                if room > 0:
                    self._scheduler.push(job.id, tasks[:room])
                    tasks = tasks[room:]
                    self._changed.notify()
                else:
                    self._space[job.id].wait(0.25)

    def _most(self, job: Job) -> int:
        return LIVE_WAITING_S * job.request.fps if job.live else self._file_waiting

    def finish(self, job: Job, error: Exception | None = None) -> None:
        """No more tasks come: the job's channel closes after its last mouth."""
        with self._changed:
            if job.id in self._jobs:
                self._finished.setdefault(job.id, error)
            self._changed.notify()

    def drop(self, job: Job, error: Exception | None = None) -> None:
        """Forgets the job's tasks and closes its channel at once."""
        with self._lock:
            self._forget(job.id)
        job.mouths.close(error, now=True)

    def _forget(self, job_id: str) -> None:
        self._scheduler.remove(job_id)
        self._jobs.pop(job_id, None)
        self._finished.pop(job_id, None)
        space = self._space.pop(job_id, None)
        if space is not None:
            space.notify()

    def _loop(self) -> None:
        while True:
            with self._changed:
                tasks = self._next()
                while not tasks and not self._stopping:
                    self._changed.wait(IDLE_S)
                    tasks = self._next()
                if self._stopping:
                    return
                jobs = {task.job_id: self._jobs[task.job_id] for task in tasks}
                for job in jobs.values():
                    if self._scheduler.waiting(job.id) <= self._most(job) // 2:
                        self._space[job.id].notify()
            with self._metrics.time("draw"):
                answers = self._runner.run(tasks)
            self._metrics.batch(len(tasks))
            self.pace.add(len(tasks))
            self.batches += 1
            self.frames += len(tasks)
            for task, answer in zip(tasks, answers, strict=True):
                self._deliver(jobs[task.job_id], answer)
            del tasks, jobs, task, answer, answers  # held while nothing is to be drawn

    def _deliver(self, job: Job, answer: Mouth | ModelFailed) -> None:
        if isinstance(answer, ModelFailed):
            self.drop(job, answer)
            return
        try:
            job.mouths.put(answer)
        except ChannelClosed:
            self.drop(job)

    def _next(self) -> list[MouthTask]:
        # Nothing is being drawn here, so a finished job without waiting tasks is complete.
        for job_id in [i for i in self._finished if not self._scheduler.waiting(i)]:
            job, error = self._jobs[job_id], self._finished[job_id]
            self._forget(job_id)
            job.mouths.close(error)
        return self._scheduler.schedule(time.monotonic())
