"""What the server counts about itself, for Prometheus.

One ``Metrics`` a service, with a registry of its own. Readers count in a ``Tally`` that only
their thread touches and hand it over every ``FLUSH_FRAMES`` frames, so the path of a frame takes
no lock.
"""

from __future__ import annotations

import resource
import time
from typing import TYPE_CHECKING, TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from app_core.job import each_within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from app_core.job import Job

T = TypeVar("T")

FLUSH_FRAMES = 25
LATE_S = 0.040
"""A live frame is late when it leaves this long after its time."""
FIRST_FRAME_S = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 2, 5, 10)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 960)


def kind(job: Job) -> str:
    return "live" if job.live else "file"


class Stopwatch:
    """Core milliseconds of this thread, added to ``counter`` on leaving."""

    __slots__ = ("_began_s", "_counter")

    def __init__(self, counter: Counter) -> None:
        self._counter = counter

    def __enter__(self) -> None:
        self._began_s = time.thread_time()

    def __exit__(self, *_: object) -> None:
        self._counter.inc((time.thread_time() - self._began_s) * 1000.0)


class Tally:
    """The frames of one reader since the last flush. ``lap`` cuts the reader's core time."""

    __slots__ = ("_at_s", "_compose_s", "_finish_s", "_frames", "_kind", "_late", "_metrics")

    def __init__(self, metrics: Metrics, label: str) -> None:
        self._metrics, self._kind = metrics, label
        self._clear()

    def _clear(self) -> None:
        self._frames = self._late = 0
        self._compose_s = self._finish_s = 0.0

    def begin(self) -> None:
        """The reader begins to compose a frame."""
        self._at_s = time.thread_time()

    def composed(self) -> None:
        now = time.thread_time()
        self._compose_s += now - self._at_s
        self._at_s = now

    def finished(self) -> None:
        self._finish_s += time.thread_time() - self._at_s

    def delivered(self, slack_s: float | None) -> None:
        """``slack_s``: how long before its time a live frame was ready."""
        self._frames += 1
        if slack_s is not None and slack_s < -LATE_S:
            self._late += 1
        if self._frames >= FLUSH_FRAMES:
            self.flush()

    def dropped(self) -> None:
        self._metrics.dropped.inc()

    def flush(self) -> None:
        counts = self._metrics
        counts.frames.labels(self._kind).inc(self._frames)
        counts.late.inc(self._late)
        counts.stage("compose").inc(self._compose_s * 1000.0)
        counts.stage("finish").inc(self._finish_s * 1000.0)
        self._clear()


class ChildTime(Collector):
    """Core milliseconds of the ffmpeg processes that have ended, from the kernel's account."""

    def collect(self) -> Iterable[CounterMetricFamily]:
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        yield CounterMetricFamily(
            "soyle_encode_core_milliseconds",
            "Core milliseconds of ffmpeg processes that have ended",
            value=(spent.ru_utime + spent.ru_stime) * 1000.0,
        )


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.registry.register(ChildTime())
        self._ended = Counter(
            "soyle_jobs_ended", "Renders by how they ended", ["status"], registry=self.registry
        )
        self._first_frame = Histogram(
            "soyle_first_frame_seconds",
            "From a request to the first frame of its render",
            ["kind"],
            buckets=FIRST_FRAME_S,
            registry=self.registry,
        )
        self.frames = Counter(
            "soyle_frames", "Frames handed to readers", ["kind"], registry=self.registry
        )
        self.late = Counter(
            "soyle_frames_late",
            "Live frames that left over 40 ms after their time",
            registry=self.registry,
        )
        self.dropped = Counter(
            "soyle_frames_dropped",
            "Live frames whose time had passed",
            registry=self.registry,
        )
        self._batch = Histogram(
            "soyle_batch_frames",
            "Frames in one batch of the model; sum / count is the mean",
            buckets=BATCHES,
            registry=self.registry,
        )
        self._stages = Counter(
            "soyle_stage_core_milliseconds",
            "Core milliseconds by stage: speech, features, draw (the model), compose (the mouth"
            " onto the picture), finish (JPEG of a live frame)",
            ["stage"],
            registry=self.registry,
        )
        self._requests = Counter(
            "soyle_http_requests",
            "Answers by method, route and status",
            ["method", "route", "status"],
            registry=self.registry,
        )

    def stage(self, name: str) -> Counter:
        return self._stages.labels(name)

    def time(self, name: str) -> Stopwatch:
        """Counts the core time of a ``with`` block to a stage."""
        return Stopwatch(self.stage(name))

    def timed(self, name: str, items: Iterator[T]) -> Iterator[T]:
        """``items``, with the core time of making each counted to a stage. Closing it
        closes them.
        """
        return each_within(lambda: self.time(name), items)

    def tally(self, job: Job) -> Tally:
        return Tally(self, kind(job))

    def batch(self, frames: int) -> None:
        self._batch.observe(frames)

    def ended(self, job: Job) -> None:
        self._ended.labels(job.status.value).inc()
        first_s = job.timings.get("first_frame")
        if first_s is not None:
            self._first_frame.labels(kind(job)).observe(first_s)

    def request(self, method: str, route: str, status: int) -> None:
        """``route`` is a rule, not a path: neither label may grow with what clients invent."""
        named = method if method in METHODS else "other"
        self._requests.labels(named, route, str(status)).inc()
