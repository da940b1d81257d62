"""What the service looks like at the moment that Prometheus asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app_core.metrics import kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from app_core.job_table import JobTable
    from app_core.services.backend import Backend
    from app_core.services.live.sessions import LiveSessions
    from app_core.services.loaded_model import LoadedModel

KINDS = ("live", "file")
STATES = ("speaking", "idle")
CODECS = ("jpeg", "mp4", "none")


class ServiceCollector(Collector):
    def __init__(self, backend: Backend, jobs: JobTable, sessions: LiveSessions) -> None:
        self._backend, self._jobs, self._sessions = backend, jobs, sessions

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
        models = self._backend.models
        waiting.add_metric(["engine"], sum(loaded.engine.depth for loaded in models))
        yield jobs
        yield waiting
        yield GaugeMetricFamily(
            "soyle_ready",
            "1 when renders can begin",
            value=float(any(loaded.engine.alive for loaded in models)),
        )
        if models:
            drawn = [loaded.engine.throughput for loaded in models]
            frames = sum(each.frames_per_s for each in drawn)
            batches = sum(each.batches_per_s for each in drawn)
            for name, words, value in (
                ("frames_per_second", "Frames that the models drew a second", frames),
                ("mean_batch", "Frames in a batch of a model", frames / batches if batches else 0),
            ):
                yield GaugeMetricFamily(
                    f"soyle_engine_{name}", f"{words}, in the last 5 seconds", value=value
                )
        yield from _by_model(models)
        yield from self._capacity()
        yield from _of_sessions([session.describe() for session in self._sessions.all()])

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


def _of_sessions(seen: Sequence[Mapping[str, Any]]) -> Iterable[GaugeMetricFamily]:
    states = GaugeMetricFamily("soyle_sessions", "Sessions that are open", labels=["state"])
    for state in STATES:
        states.add_metric([state], sum(each["state"] == state for each in seen))
    yield states
    viewers = GaugeMetricFamily(
        "soyle_session_viewers",
        "Viewers of sessions by the codec of their pictures; none: sound or events alone",
        labels=["video"],
    )
    for codec in CODECS:
        looking = (viewer["video"] == codec for each in seen for viewer in each["viewers"])
        viewers.add_metric([codec], sum(looking))
    yield viewers
    for name, words in (
        ("frames", "Frames of the sessions that are open"),
        ("late", "Of these frames, those that left over 40 ms after their time"),
        ("dropped", "Of these frames, those whose pictures came too late to be shown"),
        ("stalls", "Times that speech in these sessions waited for its voice"),
        ("queued", "Utterances that are heard or wait in sessions"),
    ):
        total = float(sum(each[name] for each in seen))
        yield GaugeMetricFamily(f"soyle_session_{name}", words, value=total)


def _by_model(models: Sequence[LoadedModel]) -> Iterable[GaugeMetricFamily]:
    seen = {loaded: loaded.capacity.snapshot() for loaded in models}
    for name, words, read in (
        ("ready", "1 while the model's thread runs", lambda of: float(of.engine.alive)),
        ("queue_frames", "Frames that wait for the model", lambda of: of.engine.depth),
        (
            "frames_per_second",
            "Frames that the model drew a second, in the last 5 seconds",
            lambda of: of.engine.throughput.frames_per_s,
        ),
        (
            "mean_batch",
            "Frames in a batch of the model, in the last 5 seconds",
            lambda of: of.engine.throughput.mean_batch,
        ),
        (
            "sessions",
            "Live 512x512 renders by the model that fit in all",
            lambda of: seen[of].sessions,
        ),
        (
            "frame_core_milliseconds",
            "Predicted cost of a 512x512 frame by the model",
            lambda of: seen[of].frame_ms,
        ),
    ):
        family = GaugeMetricFamily(f"soyle_model_{name}", words, labels=["model"])
        for loaded in models:
            family.add_metric([loaded.name], read(loaded))
        yield family
