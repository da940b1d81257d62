from __future__ import annotations

import uuid
from typing import Any

from flask.testing import FlaskClient

from app_core.config import Config
from tests.conftest import until
from tests.fakes import ToneVoice, ToneVoices

STREAM = "/api/stream_mjpeg"
SMALL = {"pace": "asap", "size": "128x128"}


def spoken(client: FlaskClient, text: str) -> str:
    """The path of a finished job."""
    job_id = str(uuid.uuid4())
    body = SMALL | {"text": text, "job_id": job_id}
    assert client.post(STREAM, json=body, buffered=True).status_code == 200
    return f"/api/jobs/{job_id}"


def test_a_finished_job_has_captions(client: FlaskClient) -> None:
    path = spoken(client, "one a&b")
    told = client.get(path).json
    answer = client.get(told["captions_url"])
    assert answer.content_type == "text/vtt; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.text.startswith("WEBVTT\n\n00:00:00.000 --> ")
    assert answer.text.endswith("\none <00:00:00.200>a&amp;b\n")
    answer = client.get(told["subtitles_url"])
    assert answer.content_type == "application/x-subrip; charset=utf-8"
    assert answer.text.startswith("1\n00:00:00,000 --> ")
    assert client.head(f"{path}/captions.vtt").data == b""


def test_captions_grow_while_the_job_runs(make_client: Any) -> None:
    voice = ToneVoice(delay_s=0.05)
    client = make_client(voices=ToneVoices(voice))
    job_id = str(uuid.uuid4())
    stream = client.post(
        STREAM, json={"text": "a " * 200, "size": "128x128", "job_id": job_id}, buffered=False
    )
    url = f"/api/jobs/{job_id}/captions.vtt"
    assert until(lambda: "a <" in client.get(url).text)
    first = client.get(url)
    assert first.headers["Cache-Control"] == "no-store"
    assert until(lambda: client.get(url).text.count("<") > first.text.count("<"))
    client.delete(f"/api/jobs/{job_id}")
    stream.close()
    assert client.get(url).status_code == 200, "what was said until then"


def test_unknown_jobs_have_none(client: FlaskClient) -> None:
    for kind in ("vtt", "srt"):
        answer = client.get(f"/api/jobs/nope/captions.{kind}")
        assert (answer.status_code, answer.json["field"]) == (404, "job_id")
    path = spoken(client, "one")
    assert client.get(f"{path}/captions.txt").status_code == 404


def test_signed_addresses_open_the_captions_of_one_job(make_client: Any, config: Config) -> None:
    client = make_client(config=config.model_copy(update={"api_token": "secret"}))
    ours = {"Authorization": "Bearer secret"}
    ids = [str(uuid.uuid4()) for _ in range(2)]
    for job_id in ids:
        body = SMALL | {"text": "one", "job_id": job_id}
        client.post(STREAM, json=body, headers=ours, buffered=True)
    told = client.get(f"/api/jobs/{ids[0]}", headers=ours).json
    for name in ("captions_url", "subtitles_url"):
        assert "?token=" in told[name]
        assert client.get(told[name]).status_code == 200
        assert client.get(told[name].partition("?")[0]).status_code == 401
        assert client.get(told[name].replace(ids[0], ids[1])).status_code == 401
