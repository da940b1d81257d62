"""What the service looks like at the moment that Prometheus asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app_core.metrics import kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app_core.job_table import JobTable
    from app_core.services.backend import Backend

KINDS = ("live", "file")


class ServiceCollector(Collector):
    def __init__(self, backend: Backend, jobs: JobTable) -> None:
        self._backend, self._jobs = backend, jobs

    def collect(self) -> Iterable[GaugeMetricFamily]:
        running = self._jobs.running()
        jobs = GaugeMetricFamily("soyle_jobs", "Renders that run now", labels=["status", "kind"])
        waiting = GaugeMetricFamily(
            "soyle_queue_frames",
            "Frames that wait: for the model (engine) or for their reader (live, file)",
            labels=["queue"],
        )
        for name in KINDS:
            of_kind = [job for job in running if kind(job) == name]
            for status in ("queued", "running"):
                jobs.add_metric([status, name], sum(job.status == status for job in of_kind))
            waiting.add_metric([name], sum(len(job.mouths) for job in of_kind))
        engine = self._backend.engine
        waiting.add_metric(["engine"], engine.depth if engine else 0)
        yield jobs
        yield waiting
        yield GaugeMetricFamily(
            "soyle_ready",
            "1 when renders can begin",
            value=float(engine is not None and engine.alive),
        )
        if engine is not None:
            for name, words, value in (
                (
                    "frames_per_second",
                    "Frames that the model drew a second",
                    engine.throughput.frames_per_s,
                ),
                ("mean_batch", "Frames in a batch of the model", engine.throughput.mean_batch),
            ):
                yield GaugeMetricFamily(
                    f"soyle_engine_{name}", f"{words}, in the last 5 seconds", value=value
                )
        yield from self._capacity()

    def _capacity(self) -> Iterable[GaugeMetricFamily]:
        seen = self._backend.capacity.snapshot()
        for name, words, value in (
            ("cores", "Cores that this process may use", seen.cores),
            ("load", "Cores that live renders need, as predicted", seen.load),
            ("others", "Cores that other programs take", seen.others),
            ("sessions", "Live 512x512 renders that fit in all", seen.sessions),
            ("late_share", "Of the last live frames, those that were late", seen.late),
            ("frame_core_milliseconds", "Predicted cost of a 512x512 frame", seen.frame_ms),
        ):
            yield GaugeMetricFamily(f"soyle_capacity_{name}", words, value=value)
        if seen.model_fps is not None:
            yield GaugeMetricFamily(
                "soyle_capacity_model_fps", "Frames/s that the model can draw", value=seen.model_fps
            )
