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
    from app_core.services.devices.loaded_model import LoadedModel
    from app_core.services.live.sessions import LiveSessions

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
        waiting.add_metric(["engine"], _depth(models))
        yield jobs
        yield waiting
        yield GaugeMetricFamily(
            "soyle_ready",
            "1 when renders can begin",
            value=_ready(models),
        )
        if models:
            for name, words, value in (
                ("frames_per_second", "Frames that the models drew a second", _pace(models)),
                ("mean_batch", "Frames in a batch of a model", _mean_batch(models)),
            ):
                yield GaugeMetricFamily(
                    f"soyle_engine_{name}", f"{words}, in the last 5 seconds", value=value
                )
        yield from _by_model([self._backend.on_devices(name) for name in self._backend.names])
        yield from _by_device(models)
        yield from self._capacity()
        yield from _of_sessions([session.describe() for session in self._sessions.all()])

    def _capacity(self) -> Iterable[GaugeMetricFamily]:
        seen = self._backend.capacity.of_all()
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


def _by_model(models: Sequence[Sequence[LoadedModel]]) -> Iterable[GaugeMetricFamily]:
    """Each on all of its devices together."""
    seen = {devices[0].name: devices[0].capacity.of_all() for devices in models}
    for name, words, read in (
        ("ready", "1 while a thread of the model runs", _ready),
        ("queue_frames", "Frames that wait for the model", _depth),
        (
            "frames_per_second",
            "Frames that the model drew a second, in the last 5 seconds",
            _pace,
        ),
        ("mean_batch", "Frames in a batch of the model, in the last 5 seconds", _mean_batch),
        (
            "sessions",
            "Live 512x512 renders by the model that fit in all",
            lambda of: seen[of[0].name].sessions,
        ),
        (
            "frame_core_milliseconds",
            "Predicted cost of a 512x512 frame by the model",
            lambda of: seen[of[0].name].frame_ms,
        ),
    ):
        family = GaugeMetricFamily(f"soyle_model_{name}", words, labels=["model"])
        for devices in models:
            family.add_metric([devices[0].name], read(devices))
        yield family


def _by_device(models: Sequence[LoadedModel]) -> Iterable[GaugeMetricFamily]:
    for name, words, read in (
        ("ready", "1 while the model's thread on the device runs", _ready),
        ("queue_frames", "Frames that wait for the model on the device", _depth),
        (
            "frames_per_second",
            "Frames that the model drew a second on the device, in the last 5 seconds",
            _pace,
        ),
        (
            "mean_batch",
            "Frames in a batch of the model on the device, in the last 5 seconds",
            _mean_batch,
        ),
        (
            "slack_frames_per_second",
            "Frames a second that live renders may still ask of the model on the device",
            lambda of: max(of[0].capacity.slack, 0.0),
        ),
    ):
        family = GaugeMetricFamily(f"soyle_device_{name}", words, labels=["model", "device"])
        for loaded in models:
            family.add_metric([loaded.name, loaded.device], read([loaded]))
        yield family


def _ready(models: Sequence[LoadedModel]) -> float:
    return float(any(loaded.engine.alive for loaded in models))


def _depth(models: Sequence[LoadedModel]) -> float:
    return sum(loaded.engine.depth for loaded in models)


def _pace(models: Sequence[LoadedModel]) -> float:
    return sum(loaded.engine.throughput.frames_per_s for loaded in models)


def _mean_batch(models: Sequence[LoadedModel]) -> float:
    batches = sum(loaded.engine.throughput.batches_per_s for loaded in models)
    return _pace(models) / batches if batches else 0.0
