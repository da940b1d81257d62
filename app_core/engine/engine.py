"""The one thread that touches a model's weights.

Thread contract: job threads call ``open``, ``submit`` and ``finish``; any thread may call
``drop``; the engine's own thread alone schedules, runs the model and puts mouths into channels.
A task is scheduled only when its job's channel has room, so a delivery never waits.

Whatever a model, a channel or a counter raises ends the job that it concerns, and not the thread.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from typing import TYPE_CHECKING

from app_core.channel import ChannelClosed
from app_core.engine.runner import Runner, broken
from app_core.engine.scheduler import LATENCY_BATCH, THROUGHPUT_BATCH, Lane, Scheduler
from app_core.engine.throughput import Throughput
from app_core.errors import Cancelled, ModelFailed, afresh, stopping
from app_core.metrics import Metrics
from app_core.threads import Pulse

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
STUCK_S, SLOWER = 30.0, 10
"""A batch may take so long, and so many times what its frames took when they took longest, or in
the trial of the model."""
LONGEST_S = 900.0
"""And no longer: while the whole process stood still a batch took as long as that."""
FAILING_S = 30.0
"""After a batch of which no frame could be drawn."""
PAUSE_S = 1.0
"""After a failure of the engine itself, so that one that stays does not fill the log."""


class Engine:
    def __init__(self, model: LipsyncModel, metrics: Metrics | None = None, name: str = "") -> None:
        """``name``: what logs call it; empty: as the model."""
        self._metrics = metrics or Metrics()
        self.name = name or model.name
        self.pulse = Pulse(f"engine-{self.name}", STUCK_S)
        self._model, self._runner = model, Runner(model, self.pulse.beat, self.name)
        self._slowest_s = 1.0 / max(model.frames_per_s, 1e-3)
        """For one frame of a batch."""
        self._scheduler = Scheduler(model.max_batch, self._is_ready)
        self._file_waiting = max(FILE_WAITING, 2 * model.max_batch)
        self._jobs: dict[str, Job] = {}
        self._finished: dict[str, Exception | None] = {}
        self._broken: dict[str, ModelFailed] = {}
        """Jobs of which something could not be asked while scheduling."""
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        """Something can be scheduled, perhaps; the engine's thread alone waits for it."""
        self._space: dict[str, threading.Condition] = {}
        """A job's waiting tasks went down; its own thread alone waits for it."""
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._counting = True
        self.throughput = Throughput()
        self.batches = 0
        self.frames = 0
        self._failed_s = -math.inf

    @property
    def mean_batch(self) -> float:
        return self.frames / self.batches if self.batches else 0.0

    @property
    def depth(self) -> int:
        """Tasks that wait. Asked of an engine that is stuck as well, so it does not wait."""
        return self._scheduler.depth

    @property
    def jobs(self) -> tuple[int, int]:
        """Live and file renders whose mouths are not all drawn."""
        with self._changed:
            live = sum(job.live for job in self._jobs.values())
            return live, len(self._jobs) - live

    @property
    def alive(self) -> bool:
        """Its thread runs."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def failing(self) -> bool:
        """Nothing could be drawn of its last batch, a moment ago."""
        return time.monotonic() - self._failed_s < FAILING_S

    def start(self) -> None:
        """Also again, when the thread has ended. Raises Busy when no thread is left."""
        thread = threading.Thread(target=self._loop, name=self.pulse.name, daemon=True)
        self.pulse.start(thread)
        self._thread = thread

    def close(self) -> None:
        with self._changed:
            self._stopping.set()
            jobs = list(self._jobs.values())
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(5.0)
        for job in jobs:
            job.mouths.close(stopping(), now=True)

    def open(self, job: Job, *, low_latency: bool = False, batch_size: int | None = None) -> None:
        """Takes a job in. ``batch_size`` bounds its batches in place of the usual limits."""
        limit = batch_size or (LATENCY_BATCH if low_latency else THROUGHPUT_BATCH)
        lane = Lane(
            job_id=job.id,
            fps=job.request.fps,
            live=job.live,
            room=lambda: self._room(job),
            limit=limit,
        )
        with self._changed:
            self._jobs[job.id] = job
            self._space[job.id] = threading.Condition(self._lock)
            self._scheduler.add(lane)

    def submit(self, job: Job, tasks: Sequence[MouthTask]) -> None:
        """Waits while the job is full. Raises what ended the job meanwhile."""
        most = self._most(job)
        with self._lock:
            now = time.monotonic()
            if tasks and self._scheduler.arrive(job.id, tasks[0].index, now) and job.live:
                job.resumed.append((tasks[0].index, now))
            while tasks:
                if job.ticket.stale or job.id not in self._jobs:
                    raise afresh(job.error or Cancelled("The job was cancelled"))
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
            if self._jobs.get(job.id) is job:
                self._forget(job.id)
        job.mouths.close(error, now=True)

    def _forget(self, job_id: str) -> None:
        self._scheduler.remove(job_id)
        self._jobs.pop(job_id, None)
        self._finished.pop(job_id, None)
        self._broken.pop(job_id, None)
        space = self._space.pop(job_id, None)
        if space is not None:
            space.notify()

    # The engine's own thread

    def _loop(self) -> None:
        while not self._stopping.is_set():
            try:
                self._step()
            except BaseException as error:
                logger.exception("the engine failed: its renders end, and it goes on")
                self._break(error)
                self._stopping.wait(PAUSE_S)
        self.pulse.end()

    def _step(self) -> None:
        with self._changed:
            self.pulse.begin("scheduling", STUCK_S)
            tasks = self._next()
            while not tasks and not self._stopping.is_set():
                self._changed.wait(IDLE_S)
                self.pulse.beat()
                tasks = self._next()
            jobs = {task.job_id: self._jobs[task.job_id] for task in tasks}
            for job in jobs.values():
                if self._scheduler.waiting(job.id) <= self._most(job) // 2:
                    self._space[job.id].notify()
        if not tasks or self._stopping.is_set():
            return
        allowed_s = min(STUCK_S + SLOWER * self._slowest_s * len(tasks), LONGEST_S)
        self.pulse.begin(f"a batch of {len(tasks)}", allowed_s)
        began_s, drawn_s = time.thread_time(), time.monotonic()
        answers = self._runner.run(tasks)
        each_s = (time.monotonic() - drawn_s) / len(tasks)
        self._slowest_s = max(self._slowest_s, each_s)
        failed = all(isinstance(answer, ModelFailed) for answer in answers)
        self._failed_s = time.monotonic() if failed else -math.inf
        self._count(len(tasks), time.thread_time() - began_s)
        for task, answer in zip(tasks, answers, strict=True):
            self._deliver(jobs[task.job_id], answer)

    def _next(self) -> list[MouthTask]:
        # Nothing is being drawn here, so a finished job without waiting tasks is complete.
        for job_id in [i for i in self._finished if not self._scheduler.waiting(i)]:
            job, error = self._jobs[job_id], self._finished[job_id]
            self._forget(job_id)
            self._close(job, error)
        tasks = self._scheduler.schedule(time.monotonic())
        for job_id, failure in list(self._broken.items()):
            job = self._jobs[job_id]
            self._forget(job_id)
            self._close(job, failure, now=True)
        return [task for task in tasks if task.job_id in self._jobs]

    def _is_ready(self, task: MouthTask) -> bool:
        try:
            return self._model.ready(task)
        except BaseException as error:
            self._note(task.job_id, error)
            return False

    def _room(self, job: Job) -> int:
        try:
            return job.mouths.room()
        except BaseException as error:
            self._note(job.id, error)
            return 0

    def _note(self, job_id: str, error: BaseException) -> None:
        logger.error("a frame cannot be scheduled", exc_info=error, extra={"job": job_id})
        self._broken[job_id] = broken(self._model.name, error)

    def _deliver(self, job: Job, answer: Mouth | ModelFailed) -> None:
        if isinstance(answer, ModelFailed):
            self._abandon(job, answer)
            return
        try:
            job.mouths.put(answer)
        except ChannelClosed:
            self._abandon(job, None)
        except BaseException as error:
            logger.error("a mouth was not delivered", exc_info=error, extra={"job": job.id})
            self._abandon(job, broken(self._model.name, error))

    def _abandon(self, job: Job, error: Exception | None) -> None:
        with self._lock:
            if self._jobs.get(job.id) is job:
                self._forget(job.id)
        self._close(job, error, now=True)

    def _close(self, job: Job, error: Exception | None, *, now: bool = False) -> None:
        """A channel that cannot be closed concerns its own job alone."""
        try:
            job.mouths.close(error, now=now)
        except BaseException as failure:
            logger.error("a channel was not closed", exc_info=failure, extra={"job": job.id})

    def _break(self, error: BaseException) -> None:
        """Ends every render: which frames were lost is not known."""
        with self._lock:
            jobs = list(self._jobs.values())
        for job in jobs:
            self._abandon(job, broken(self._model.name, error))

    def _count(self, frames: int, spent_s: float) -> None:
        """What cannot be counted is drawn all the same."""
        self.batches += 1
        self.frames += frames
        try:
            self.throughput.add(frames)
            self._metrics.stage("draw").inc(spent_s * 1000.0)
            self._metrics.batch(frames)
        except Exception:
            if self._counting:
                logger.exception("the engine's figures are not counted")
            self._counting = False
