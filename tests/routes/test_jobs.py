from __future__ import annotations

import io
import uuid
import wave
from typing import Any

from flask.testing import FlaskClient

from app_core.services.lipsync_service import LipsyncService
from tests.conftest import at_once
from tests.fakes import RATE, EchoModel, ToneVoice, ToneVoices

STREAM = "/api/stream_mjpeg"
ASAP = {"text": "one two", "pace": "asap", "size": "128x128"}


def test_a_finished_job_tells_and_sounds(client: FlaskClient) -> None:
    job_id = str(uuid.uuid4())
    client.post(STREAM, json=ASAP | {"job_id": job_id}, buffered=True)
    told = client.get(f"/api/jobs/{job_id}").json
    assert told["status"] == "done"
    assert told["progress"] == 1.0
    assert told["frames"] == {"total": 10, "done": 10, "dropped": 0, "without_face": 0}
    assert (told["stage"], told["time_left_s"], told["result_url"]) == ("done", 0.0, None)
    assert told["audio_url"] == f"/api/jobs/{job_id}/audio.wav"
    assert told["timings"]["first_frame"] >= 0
    assert "one two" not in str(told)
    answer = client.get(f"/api/jobs/{job_id}/audio.wav")
    assert answer.mimetype == "audio/wav"
    with wave.open(io.BytesIO(answer.data)) as sound:
        assert sound.getframerate() == RATE
        assert sound.getnframes() == 2 * 0.2 * RATE
    part = client.get(f"/api/jobs/{job_id}/audio.wav", headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.data) == (206, b"RIFF")


def test_parts_of_a_kept_sound_are_read_from_its_file(
    client: FlaskClient, service: LipsyncService
) -> None:
    job_id = str(uuid.uuid4())
    client.post(STREAM, json=ASAP | {"job_id": job_id}, buffered=True)
    url = f"/api/jobs/{job_id}/audio.wav"
    assert service.jobs.get(job_id).sound.in_memory == 0
    whole = client.get(url).data
    assert len(whole) == 44 + 2 * 2 * 0.2 * RATE
    for given, first, last in (
        ("0-", 0, None),
        ("40-50", 40, 51),
        ("43-43", 43, 44),
        ("101-2003", 101, 2004),
        ("-7", -7, None),
        ("6000-99999", 6000, None),
    ):
        part = client.get(url, headers={"Range": f"bytes={given}"})
        assert (part.status_code, part.data) == (206, whole[first:last])
        assert int(part.headers["Content-Length"]) == len(part.data)
    beyond = client.get(url, headers={"Range": "bytes=99999-"})
    assert beyond.status_code == 416
    head = client.head(url)
    assert (int(head.headers["Content-Length"]), head.data) == (len(whole), b"")


def test_a_taken_id_is_409(client: FlaskClient) -> None:
    job_id = str(uuid.uuid4())
    assert client.post(STREAM, json=ASAP | {"job_id": job_id}).status_code == 200
    answer = client.post(STREAM, json=ASAP | {"job_id": job_id})
    assert (answer.status_code, answer.json["field"]) == (409, "job_id")


def test_unknown_jobs_are_404(client: FlaskClient) -> None:
    for url in ("/api/jobs/nope", "/api/jobs/nope/audio.wav"):
        assert client.get(url).status_code == 404
    assert client.delete("/api/jobs/nope").status_code == 404


def test_sound_streams_while_it_is_made(make_client: Any) -> None:
    client = make_client(voices=ToneVoices(ToneVoice(delay_s=0.05)))
    job_id = str(uuid.uuid4())
    stream = client.post(
        STREAM, json={"text": "a b c d", "size": "128x128", "job_id": job_id}, buffered=False
    )
    answer = client.get(f"/api/jobs/{job_id}/audio.wav", buffered=False)
    sound = b"".join(answer.response)
    assert sound[:4] == b"RIFF"
    assert sound[40:44] == b"\xff\xff\xff\xff", "the length is not known yet"
    assert len(sound) == 44 + 2 * 4 * 0.2 * RATE
    answer.close()
    stream.close()


def test_delete_cancels_the_stream_and_its_sound(make_client: Any, model: EchoModel) -> None:
    client = make_client(voices=ToneVoices(ToneVoice(delay_s=0.02)))
    stream = client.post(STREAM, json={"text": "a " * 200, "size": "128x128"}, buffered=False)
    job_id = stream.headers["X-Job-Id"]
    sound = client.get(f"/api/jobs/{job_id}/audio.wav", buffered=False)
    told = client.delete(f"/api/jobs/{job_id}")
    assert (told.status_code, told.json["status"]) == (200, "cancelled")
    assert b'"code":"cancelled"' in b"".join(stream.response).replace(b'": "', b'":"')
    b"".join(sound.response)
    assert client.delete(f"/api/jobs/{job_id}").status_code == 200
    sound.close()
    stream.close()


def test_a_job_without_reader_is_not_kept_running(
    client: FlaskClient, service: LipsyncService
) -> None:
    stream = client.post(STREAM, json={"text": "a " * 50, "size": "128x128"}, buffered=False)
    stream.close()
    assert at_once(lambda: service.jobs.running() == [])
