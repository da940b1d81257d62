"""/api/stream_mjpeg on fakes: the bytes, the headers, the refusals."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import cv2
import numpy as np
import pytest
from flask.testing import FlaskClient

from app_core.job import JobStatus
from app_core.services.lipsync_service import LipsyncService
from tests.back_end import service_of
from tests.conftest import at_once, until
from tests.fakes import EchoModel, ToneVoice, ToneVoices

URL = "/api/stream_mjpeg"
ASAP = {"text": "one two", "pace": "asap", "size": "128x128"}


def parts(body: bytes) -> list[tuple[dict[str, str], bytes]]:
    """Reads multipart by Content-Length, as a strict client would."""
    found, at = [], 0
    while (
        match := re.compile(rb"\r?\n?--frame\r\n(.*?)\r\n\r\n", re.S).match(body, at)
    ) is not None:
        headers = dict(line.split(": ", 1) for line in match[1].decode().split("\r\n"))
        end = match.end() + int(headers["Content-Length"])
        found.append((headers, body[match.end() : end]))
        at = end
    assert body[at:].strip() == b"--frame--"
    return found


def test_a_stream_of_pictures_in_order(client: FlaskClient, service: LipsyncService) -> None:
    answer = client.post(URL, json=ASAP)
    assert answer.status_code == 200
    assert answer.content_type == "multipart/x-mixed-replace; boundary=frame"
    assert answer.headers["X-Frame-Rate"] == "25"
    job_id = answer.headers["X-Job-Id"]
    assert answer.headers["X-Audio-Url"] == f"/api/jobs/{job_id}/audio.wav"
    got = parts(answer.data)
    assert [headers["X-Frame"] for headers, _ in got] == [str(n) for n in range(10)]
    assert [float(headers["X-Timestamp"]) for headers, _ in got] == [n / 25 for n in range(10)]
    for headers, jpeg in got:
        assert headers["Content-Type"] == "image/jpeg"
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape == (128, 128, 3)
    assert service.jobs.get(job_id).status is JobStatus.DONE


def test_get_serves_an_image_tag(client: FlaskClient) -> None:
    answer = client.get(URL, query_string={"text": "one", "pace": "asap", "size": "128x128"})
    assert answer.status_code == 200
    assert len(parts(answer.data)) == 5


def test_head_starts_nothing(client: FlaskClient, service: LipsyncService) -> None:
    assert client.head(URL + "?text=one").status_code == 200
    assert service.jobs.running() == []


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, "text"),
        ({"text": "x", "colour": 1}, 400, "colour"),
        ({"text": "x", "language": "de"}, 400, "language"),
        ({"text": "x", "model": "musetalk"}, 400, "model"),
        ({"text": "x", "avatar": "../../etc"}, 404, "avatar"),
        ({"text": "x", "voice": "nobody"}, 404, "voice"),
        ({"text": "x" * 5001}, 400, "text"),
        ([1], 400, None),
    ],
)
def test_bad_input(client: FlaskClient, body: Any, status: int, field: str | None) -> None:
    answer = client.post(URL, json=body)
    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json.keys() == {"error", "code", "field"}
    assert answer.json["field"] == field


def test_not_json(client: FlaskClient) -> None:
    assert client.post(URL, data="text=x").status_code == 415
    broken = client.post(URL, data="{", content_type="application/json")
    assert broken.status_code == 400
    assert broken.json is not None and broken.json["error"]
    long = client.post(URL, data=b'{"fps": %s}' % (b"9" * 5000), content_type="application/json")
    assert long.status_code == 400
    assert long.json is not None and "a number of 5000 digits" in long.json["error"]
    assert client.put(URL, json={}).status_code == 405


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_413_and_names_it(client: FlaskClient, chunked: bool) -> None:
    def send(size: int) -> Any:
        data = json.dumps(ASAP).encode().ljust(size)
        return client.post(
            URL,
            input_stream=io.BytesIO(data),
            content_type="application/json",
            content_length=None if chunked else size,
            environ_overrides={"wsgi.input_terminated": chunked},
        )

    assert send(1 << 20).status_code == 200
    for size in ((1 << 20) + 1, 3 << 20):
        answer = send(size)
        assert answer.status_code == 413
        assert answer.json is not None
        assert answer.json["code"] == "too_large"
        assert answer.json["error"] == "The body is larger than 1 MiB"


def test_a_field_twice_in_the_address(client: FlaskClient) -> None:
    answer = client.get(URL + "?text=one&text=two")
    assert (answer.status_code, answer.json["field"]) == (400, "text")


def test_a_voice_that_fails_at_once_is_a_status(make_client: Any) -> None:
    client = make_client(voices=ToneVoices(ToneVoice(fail_at="one")))
    answer = client.post(URL, json=ASAP)
    assert answer.status_code == 500
    assert answer.json["code"] == "voice_failed"
    assert "cannot say 'one'" in answer.json["error"]


def test_a_failure_after_the_first_picture_ends_the_stream(make_client: Any) -> None:
    client = make_client(voices=ToneVoices(ToneVoice(fail_at="last", delay_s=0.05)))
    answer = client.post(URL, json={"text": "one last", "size": "128x128"})
    assert answer.status_code == 200
    headers, body = parts(answer.data)[-1]
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body)["code"] == "voice_failed"


def test_full_says_when_to_come_back(make_client: Any, config: Any) -> None:
    client = make_client(config=config.model_copy(update={"max_jobs": 1}))
    first = client.post(URL, json={"text": "one " * 50, "size": "128x128"}, buffered=False)
    answer = client.post(URL, json=ASAP)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json["code"] == "busy"
    first.close()
    assert at_once(lambda: client.post(URL, json=ASAP).status_code == 200)


def test_closing_the_answer_cancels(client: FlaskClient, service: LipsyncService) -> None:
    answer = client.post(URL, json={"text": "one " * 50, "size": "128x128"}, buffered=False)
    job = service.jobs.get(answer.headers["X-Job-Id"])
    assert not job.ended
    answer.close()
    assert until(lambda: job.status is JobStatus.CANCELLED)


def test_loading_is_503(make_client: Any) -> None:
    model = EchoModel()
    client = make_client(model=model)
    backend = service_of(client).backend
    backend.status = "loading"
    backend.models, kept = (), backend.models
    answer = client.post(URL, json=ASAP)
    assert answer.status_code == 503
    assert answer.json["code"] == "not_ready"
    assert answer.headers["Retry-After"]
    backend.status, backend.models = "ready", kept
