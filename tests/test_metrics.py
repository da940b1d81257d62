"""What Prometheus is told."""

from __future__ import annotations

import time
from typing import Any

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from tests.begun import begun
from tests.conftest import until
from tests.fakes import EchoModel, ToneVoice, ToneVoices

BODY = {"text": "one two three four five six seven eight", "size": "128x128"}


def read(client: FlaskClient) -> dict[tuple[str, ...], float]:
    """Values by name and label values."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_a_render_is_counted(client: FlaskClient) -> None:
    answer = client.post("/api/stream_mjpeg", json=BODY | {"pace": "asap"})
    frames = answer.data.count(b"X-Frame:")
    answer.close()
    told = read(client)
    assert told["soyle_frames_total", "file"] == frames == 40
    assert told["soyle_jobs_ended_total", "done"] == 1
    assert told["soyle_first_frame_seconds_count", "file"] == 1
    assert told["soyle_first_frame_seconds_sum", "file"] > 0
    assert told["soyle_batch_frames_sum",] == frames
    assert told["soyle_batch_frames_count",] >= 3
    for stage in ("speech", "features", "draw", "compose", "finish"):
        assert told["soyle_stage_core_milliseconds_total", stage] > 0, stage
    assert told["soyle_jobs", "file", "running"] == 0
    assert told["soyle_queue_frames", "engine"] == 0
    assert told["soyle_http_requests_total", "POST", "/api/stream_mjpeg", "200"] == 1
    assert told["soyle_capacity_sessions",] >= 1
    assert told["process_resident_memory_bytes",] > 1e6


def test_running_renders_and_queues(make_client: Any, model: EchoModel) -> None:
    client = make_client()
    service = client.application.extensions["lipsync"]
    model.gate.clear()
    try:
        live = begun(service, _request("realtime"))
        service.submit(_request("asap"))
        assert until(lambda: service.backend.engine.depth > 40)
        told = read(client)
        assert told["soyle_jobs", "live", "running"] == 1
        assert told["soyle_jobs", "file", "running"] == 1
        assert told["soyle_queue_frames", "engine"] > 40
        service.cancel(live.id)
        told = read(client)
        assert told["soyle_jobs", "live", "running"] == 0
        assert told["soyle_jobs_ended_total", "cancelled"] == 1
    finally:
        model.gate.set()


def _request(pace: str) -> Any:
    from app_core.request import MjpegRequest

    return MjpegRequest.parse(BODY | {"pace": pace})


def test_late_and_dropped_frames(
    make_client: Any, model: EchoModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures that take longer than they are shown, counted while they are read."""
    apply = model.apply

    def slow(face: Any, picture: Any, mouth: Any) -> Any:
        if mouth.index in (5, 20):
            time.sleep(0.3)
        return apply(face, picture, mouth)

    monkeypatch.setattr(model, "apply", slow)
    client = make_client()
    service = client.application.extensions["lipsync"]
    with service.frames(service.submit(_request("realtime")), lambda frame: frame) as frames:
        shown = [next(frames).index]
        while shown[-1] < 30:
            shown.append(next(frames).index)
        told = read(client)
        assert told["soyle_frames_dropped_total",] == shown[-1] + 1 - len(shown) > 0
        shown += [frame.index for frame in frames]
    told = read(client)
    assert told["soyle_frames_total", "live"] == len(shown)
    assert told["soyle_frames_dropped_total",] == 40 - len(shown)
    assert told["soyle_frames_late_total",] > 0


def test_failures_are_counted(make_client: Any) -> None:
    client = make_client(voices=ToneVoices(ToneVoice(fail_at="two")))
    client.post("/api/generate", json={"text": "one two"}).close()
    assert read(client)["soyle_jobs_ended_total", "failed"] == 1


def test_two_services_share_nothing(make_client: Any) -> None:
    first, second = make_client(), make_client()
    first.post("/api/stream_mjpeg", json=BODY | {"pace": "asap"}).get_data()
    assert ("soyle_jobs_ended_total", "done") not in read(second)


def test_labels_do_not_grow_with_what_clients_invent(client: FlaskClient) -> None:
    for number in range(3):
        client.open(f"/nothing/{number}", method=f"INVENT{number}")
    name = "soyle_http_requests_total"
    told = read(client).items()
    invented = {key: value for key, value in told if key[:3] == (name, "other", "none")}
    assert list(invented.values()) == [3]
