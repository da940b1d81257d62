"""Films that are answered later, or while they are made."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app_core.config import Config
from app_core.services.lipsync_service import LipsyncService
from tests.conftest import at_once, until
from tests.fakes import EchoModel, ToneVoice, ToneVoices

URL = "/api/generate"
ASYNC = {"Prefer": "respond-async"}
BODY = {"text": "one two three", "size": "128x128"}


def ended(client: FlaskClient, job_id: str) -> dict[str, Any]:
    states = ("done", "failed", "cancelled")
    assert until(lambda: client.get(f"/api/jobs/{job_id}").json["status"] in states)
    told: dict[str, Any] = client.get(f"/api/jobs/{job_id}").json
    return told


@pytest.mark.parametrize("prefer", ["respond-async", "wait=10, Respond-Async; x=1"])
def test_later_is_202_and_the_result_is_kept(client: FlaskClient, prefer: str) -> None:
    answer = client.post(URL, json=BODY, headers={"Prefer": prefer})
    assert answer.status_code == 202
    job_id = answer.headers["X-Job-Id"]
    assert answer.headers["Location"] == f"/api/jobs/{job_id}"
    assert answer.json["id"] == job_id
    told = ended(client, job_id)
    assert (told["status"], told["stage"], told["progress"]) == ("done", "done", 1.0)
    assert told["result_url"] == f"/api/jobs/{job_id}/result"
    film = client.get(told["result_url"])
    assert (film.status_code, film.mimetype) == (200, "video/mp4")
    assert "attachment; filename=avatar_speech.mp4" in film.headers["Content-Disposition"]
    assert film.content_length == len(film.data)
    film.close()
    part = client.get(told["result_url"], headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.data) == (206, b"ftyp")
    part.close()


def test_the_result_of_a_running_job_is_409(client: FlaskClient, model: EchoModel) -> None:
    model.gate.clear()
    job_id = client.post(URL, json=BODY, headers=ASYNC).headers["X-Job-Id"]
    answer = client.get(f"/api/jobs/{job_id}/result")
    assert (answer.status_code, answer.json["code"]) == (409, "conflict")
    told = client.get(f"/api/jobs/{job_id}").json
    assert (told["status"], told["result_url"]) == ("running", None)
    model.gate.set()
    assert ended(client, job_id)["status"] == "done"


def test_a_failure_later_is_the_job_s_and_the_result_s(make_client: Any, config: Config) -> None:
    client = make_client(voices=ToneVoices(ToneVoice(fail_at="three")))
    job_id = client.post(URL, json=BODY, headers=ASYNC).headers["X-Job-Id"]
    told = ended(client, job_id)
    assert (told["status"], told["error"]["code"]) == ("failed", "voice_failed")
    answer = client.get(f"/api/jobs/{job_id}/result")
    assert (answer.status_code, answer.json["code"]) == (500, "voice_failed")
    assert until(lambda: list(config.work_dir.iterdir()) == [])


def test_a_cancel_leaves_no_file(client: FlaskClient, model: EchoModel, config: Config) -> None:
    model.gate.clear()
    job_id = client.post(URL, json=BODY, headers=ASYNC).headers["X-Job-Id"]
    assert client.delete(f"/api/jobs/{job_id}").json["status"] == "cancelled"
    model.gate.set()
    answer = client.get(f"/api/jobs/{job_id}/result")
    assert (answer.status_code, answer.json["code"]) == (409, "cancelled")
    assert until(lambda: list(config.work_dir.iterdir()) == [])


def test_a_film_that_was_sent_is_not_kept(client: FlaskClient) -> None:
    answer = client.post(URL, json=BODY)
    job_id = answer.headers["X-Job-Id"]
    answer.close()
    assert client.get(f"/api/jobs/{job_id}").json["result_url"] is None
    assert client.get(f"/api/jobs/{job_id}/result").status_code == 409
    assert client.get(f"/api/jobs/{uuid.uuid4()}/result").status_code == 404


def test_the_quota_removes_the_oldest_film(
    client: FlaskClient, service: LipsyncService, config: Config
) -> None:
    first = client.post(URL, json=BODY, headers=ASYNC).headers["X-Job-Id"]
    ended(client, first)
    size = service.jobs.get(first).nbytes
    assert size > service.jobs.get(first).sound.nbytes > 0
    service.jobs._quota = int(size * 1.5)
    second = client.post(URL, json=BODY, headers=ASYNC).headers["X-Job-Id"]
    assert until(lambda: client.get(f"/api/jobs/{second}").json["status"] == "done")
    assert until(lambda: client.get(f"/api/jobs/{first}").status_code == 404)
    (left,) = config.work_dir.glob("*/*")
    assert left.name == f"{second}.mp4"


def test_closing_removes_what_is_kept(client: FlaskClient, service: LipsyncService) -> None:
    ended(client, client.post(URL, json=BODY, headers=ASYNC).headers["X-Job-Id"])
    assert list(service.config.work_dir.iterdir()) != []
    service.close()
    assert list(service.config.work_dir.iterdir()) == []


def test_a_thread_that_cannot_start_is_busy(
    client: FlaskClient, service: LipsyncService, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    start = threading.Thread.start

    def no_film(self: threading.Thread) -> None:
        if self.name.startswith("film-"):
            raise RuntimeError("can't start new thread")
        start(self)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_film)
        answer = client.post(URL, json=BODY, headers=ASYNC)
    assert (answer.status_code, answer.json["code"]) == (503, "busy")
    assert service.jobs.running() == []
    assert list(service.config.work_dir.iterdir()) == []


def test_a_full_disk_is_said_also_later(
    client: FlaskClient, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app_core.outputs.mp4 import Mp4Writer

    def full(self: Mp4Writer, frame: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Mp4Writer, "write", full)
    told = ended(client, client.post(URL, json=BODY, headers=ASYNC).headers["X-Job-Id"])
    assert told["error"]["code"] == "disk_full"
    assert until(lambda: list(config.work_dir.iterdir()) == [])


def test_a_stream_begins_before_the_render_is_done(make_client: Any, config: Config) -> None:
    client = make_client(voices=ToneVoices(ToneVoice(delay_s=0.05)))
    answer = client.post(URL, json=BODY | {"text": "a " * 60, "stream": True}, buffered=False)
    assert (answer.status_code, answer.mimetype) == (200, "video/mp4")
    assert answer.headers["X-Codecs"] == "avc1.64001f, mp4a.40.2"
    assert "Content-Length" not in answer.headers
    job_id = answer.headers["X-Job-Id"]
    got = b""
    for piece in answer.response:
        got += piece
        if b"mdat" in got:
            break
    assert got[4:8] == b"ftyp"
    assert client.get(f"/api/jobs/{job_id}").json["status"] == "running"
    got += b"".join(answer.response)
    answer.close()
    assert got.count(b"moof") > 40
    assert client.get(f"/api/jobs/{job_id}").json["status"] == "done"
    assert list(config.work_dir.iterdir()) == []


def test_leaving_a_stream_cancels(client: FlaskClient, service: LipsyncService) -> None:
    answer = client.post(URL, json=BODY | {"text": "a " * 500, "stream": True}, buffered=False)
    next(answer.response)
    answer.close()
    assert at_once(lambda: service.jobs.running() == [])
    told = client.get(f"/api/jobs/{answer.headers['X-Job-Id']}").json
    assert told["status"] == "cancelled"


def test_a_stream_that_fails_is_cut(make_client: Any) -> None:
    client = make_client(voices=ToneVoices(ToneVoice(fail_at="stop", delay_s=0.02)))
    text = "a " * 40 + "stop"
    answer = client.post(URL, json=BODY | {"text": text, "stream": True}, buffered=False)
    assert answer.status_code == 200
    with pytest.raises(ConnectionResetError):
        b"".join(answer.response)
    answer.close()
    told = client.get(f"/api/jobs/{answer.headers['X-Job-Id']}").json
    assert told["error"]["code"] == "voice_failed"


def test_a_stream_that_fails_at_once_has_its_status(make_client: Any) -> None:
    client = make_client(voices=ToneVoices(ToneVoice(fail_at="one")))
    answer = client.post(URL, json=BODY | {"stream": True})
    assert (answer.status_code, answer.json["code"]) == (500, "voice_failed")


def test_results_are_signed(make_client: Any, config: Config, tmp_path: Path) -> None:
    client = make_client(config=config.model_copy(update={"api_token": "secret"}))
    bearer = {"Authorization": "Bearer secret"}
    job_id = client.post(URL, json=BODY, headers=ASYNC | bearer).headers["X-Job-Id"]

    def told() -> dict[str, Any]:
        found: dict[str, Any] = client.get(f"/api/jobs/{job_id}", headers=bearer).json
        return found

    assert until(lambda: told()["status"] == "done")
    film = client.get(told()["result_url"])
    assert film.status_code == 200
    film.close()
    assert client.get(told()["audio_url"]).status_code == 200
    assert client.get(f"/api/jobs/{job_id}/result").status_code == 401


def test_a_cleaned_work_dir_costs_the_kept_films_alone(client: FlaskClient, config: Config) -> None:
    job_id = client.post(URL, json=BODY, headers=ASYNC).headers["X-Job-Id"]
    ended(client, job_id)
    shutil.rmtree(config.work_dir)
    gone = client.get(f"/api/jobs/{job_id}/result")
    assert (gone.status_code, gone.json["code"]) == (404, "not_found")
    assert gone.json["error"] == "The file has been removed from the server's disk"
    again = client.post(URL, json=BODY)
    assert again.status_code == 200
    again.close()
    later = client.post(URL, json=BODY, headers=ASYNC).headers["X-Job-Id"]
    assert ended(client, later)["status"] == "done"


def test_how_long_jobs_are_kept_is_what_the_setting_says(make_client: Any, config: Config) -> None:
    client = make_client(config=config.model_copy(update={"job_life_s": 60}))
    told = client.get(f"/api/jobs/{uuid.uuid4()}").json["error"]
    assert told == "There is no such job; ended ones are kept for 60 s"
