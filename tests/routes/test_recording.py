"""The three render routes with a sound in place of a text."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, stream_encode_multipart

from app_core.config import Config
from app_core.services.lipsync_service import LipsyncService
from app_core.speech.voices.espeak import EspeakVoice
from tests.below import files_below
from tests.conftest import until
from tests.fakes import spoken_by

ROUTES = ("/api/generate", "/api/lipsync/video", "/api/stream_mjpeg")
RATE = 16_000


def wav(seconds: float = 1.0, rate: int = RATE, form: str = "WAV") -> bytes:
    clock = np.arange(round(seconds * rate)) / rate
    data = io.BytesIO()
    soundfile.write(data, 0.5 * np.sin(2 * np.pi * 300 * clock), rate, format=form)
    return data.getvalue()


def send(
    client: FlaskClient,
    route: str = "/api/generate",
    sound: bytes | None = None,
    headers: dict[str, str] | None = None,
    name: str = "speech.wav",
    buffered: bool = True,
    **fields: str,
) -> TestResponse:
    data: dict[str, Any] = dict(fields)
    if route.endswith("mjpeg"):
        data.setdefault("pace", "asap")
    data["audio"] = FileStorage(io.BytesIO(wav() if sound is None else sound), name)
    # The client's own way leaves large bodies in a file that it does not close.
    body, length, boundary = stream_encode_multipart(data, use_tempfile=False)
    return client.post(
        route,
        input_stream=body,
        content_length=length,
        content_type=f"multipart/form-data; boundary={boundary}",
        headers=headers,
        buffered=buffered,
    )


def job_of(service: LipsyncService, answer: TestResponse) -> Any:
    return service.jobs.get(answer.headers["X-Job-Id"])


def nothing_left(folder: Path) -> bool:
    return not files_below(folder)


@pytest.mark.parametrize("route", ROUTES)
def test_a_sound_is_said_whole_and_is_the_sound_of_the_job(
    client: FlaskClient, service: LipsyncService, tmp_path: Path, route: str
) -> None:
    answer = send(client, route, wav(1.02), size="128x128")
    assert answer.status_code == 200, answer.text
    job = job_of(service, answer)
    assert until(lambda: job.ended)
    assert job.status.value == "done"
    assert job.frames_total == job.frames_done + job.frames_dropped == 26
    sound, rate = soundfile.read(
        io.BytesIO(client.get(f"/api/jobs/{job.id}/audio.wav").data), dtype="float32"
    )
    wanted, _ = soundfile.read(io.BytesIO(wav(1.02)), dtype="float32")
    assert rate == RATE
    assert np.abs(sound - wanted).max() < 1e-3
    assert answer.mimetype == (
        "multipart/x-mixed-replace" if route.endswith("mjpeg") else "video/mp4"
    )
    assert nothing_left(tmp_path)


def test_a_film_has_the_frames_of_its_sound(client: FlaskClient, tmp_path: Path) -> None:
    from app_core.media.decoder import measure_clip
    from app_core.media.ffmpeg import find_ffmpeg

    path = tmp_path / "film.mp4"
    path.write_bytes(send(client, sound=wav(2.0, 44_100, "FLAC")).data)
    assert measure_clip(find_ffmpeg(), path).pictures == 50


def test_fields_of_a_form_are_read_as_those_of_a_query(
    client: FlaskClient, service: LipsyncService
) -> None:
    answer = send(client, fps="10", size="128x256", static_mode="false", language="kk")
    request = job_of(service, answer).request
    assert (request.fps, request.size, request.static_mode) == (10, "128x256", False)
    assert (request.language, request.text) == ("kk", "")


@pytest.mark.parametrize(
    ("fields", "field", "status"),
    [
        ({"fps": "many"}, "fps", 400),
        ({"fps": "61"}, "fps", 400),
        ({"static_mode": "maybe"}, "static_mode", 400),
        ({"colour": "red"}, "colour", 400),
        ({"voice": "tone"}, "voice", 400),
        ({"speed": "1.5"}, "speed", 400),
        ({"job_id": "1"}, "job_id", 400),
        ({"text": "a" * 5001}, "text", 400),
        ({"text": "a" * 20_001}, "text", 400),
        ({"language": "de"}, "language", 400),
        ({"avatar": "nobody"}, "avatar", 404),
        ({"model": "wav2lip"}, "model", 400),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_left(
    client: FlaskClient, tmp_path: Path, fields: dict[str, str], field: str, status: int
) -> None:
    answer = send(client, **fields)
    assert (answer.status_code, answer.json and answer.json["field"]) == (status, field)
    assert nothing_left(tmp_path)


def test_a_transcript_may_be_as_long_as_a_text(client: FlaskClient) -> None:
    assert send(client, text="ә" * 5000).status_code == 200


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "sound", [b"", b"no sound " * 99, b"#EXTM3U\nspeech.wav\n", wav(0.0)], ids=range(4)
)
def test_what_is_no_sound_is_415(
    client: FlaskClient, tmp_path: Path, route: str, sound: bytes
) -> None:
    answer = send(client, route, sound)
    assert answer.status_code == 415
    assert answer.json is not None
    assert answer.json["code"] == "unsupported_media"
    assert answer.json["field"] == "audio"
    assert "speech.wav" not in answer.json["error"]
    assert nothing_left(tmp_path)


def test_a_sound_that_is_too_long_is_413(
    make_client: Callable[..., FlaskClient], config: Config, tmp_path: Path
) -> None:
    client = make_client(config=config.model_copy(update={"max_audio_s": 2}))
    assert send(client, sound=wav(2.0)).status_code == 200
    for route in ROUTES:
        answer = send(client, route, wav(2.1))
        assert answer.status_code == 413
        assert answer.json is not None
        assert (answer.json["code"], answer.json["field"]) == ("too_large", "audio")
    assert nothing_left(tmp_path)


def test_a_file_that_is_too_large_is_413(
    make_client: Callable[..., FlaskClient], config: Config, tmp_path: Path
) -> None:
    client = make_client(config=config.model_copy(update={"max_upload_mb": 1}))
    answer = send(client, sound=wav(40.0))
    assert answer.status_code == 413
    assert answer.json is not None
    assert answer.json["field"] == "audio"
    assert nothing_left(tmp_path)


@pytest.mark.parametrize("route", ROUTES)
def test_a_form_needs_its_file_under_its_name(client: FlaskClient, route: str) -> None:
    sound = (io.BytesIO(wav()), "a.wav")
    for data, field in (
        ({"text": "Сәлем"}, "audio"),
        ({"audio": "text"}, "audio"),
        ({"file": sound}, "file"),
    ):
        answer = client.post(route, data=data, content_type="multipart/form-data")
        assert answer.status_code == 400
        assert answer.json is not None
        assert answer.json["field"] == field


def test_a_job_in_the_background_knows_its_length_early_and_leaves_its_film(
    client: FlaskClient, service: LipsyncService, model: Any, tmp_path: Path
) -> None:
    later = {"Prefer": "respond-async"}
    answer = send(client, sound=wav(30.0), size="128x128", headers=later)
    assert answer.status_code == 202
    job = job_of(service, answer)
    assert until(lambda: job.frames_total == 750)
    assert until(lambda: job.status.value == "done")
    assert job.frames_done == 750
    with client.get(f"/api/jobs/{job.id}/result") as film:
        assert len(film.data) > 1000
    assert [path.suffix for path in files_below(tmp_path)] == [".mp4"]


def test_a_cancelled_recording_is_closed(
    client: FlaskClient, service: LipsyncService, tmp_path: Path
) -> None:
    from app_core.services import recording

    closed = []
    close = recording.SoundFile.close
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            recording.SoundFile, "close", lambda self: (closed.append(self), close(self))[1]
        )
        answer = send(client, sound=wav(600.0, 8000), headers={"Prefer": "respond-async"})
        job = job_of(service, answer)
        assert until(lambda: job.frames_done > 0)
        client.delete(f"/api/jobs/{job.id}")
        assert until(lambda: bool(closed))
    assert until(lambda: nothing_left(tmp_path))


def test_a_fragmented_film_begins_before_its_sound_is_read(client: FlaskClient) -> None:
    answer = send(client, stream="true", sound=wav(3.0))
    assert answer.status_code == 200
    assert answer.data[4:8] == b"ftyp"
    assert b"moof" in answer.data


def test_a_transcript_gives_words_and_their_times(
    client: FlaskClient, service: LipsyncService, tmp_path: Path
) -> None:
    text = "Мама мыла раму. Папа купил много яблок."
    speeches = list(spoken_by(EspeakVoice(), text, "ru"))
    path = tmp_path / "speech.flac"
    soundfile.write(path, np.concatenate([s.pcm for s in speeches]), 22_050)
    data = path.read_bytes()
    path.unlink()
    sent = f"  {text}\n"
    answer = send(client, sound=data, text=sent, size="128x128")
    job = job_of(service, answer)
    assert until(lambda: job.ended)
    told = client.get(f"/api/jobs/{job.id}").json
    assert told is not None
    assert told["aligned"] == 1.0
    assert answer.headers["X-Aligned"] == "1.00"
    words = [mark for mark in job.marks if hasattr(mark, "text") and not hasattr(mark, "index")]
    assert [word.text for word in words] == text.split()
    assert [sent[word.start : word.end] for word in words] == text.split()
    captions = client.get(told["subtitles_url"]).text.splitlines()
    assert captions[2::4] == ["Мама мыла раму.", "Папа купил много яблок."]
    wanted = [word.start_s for word in speeches[0].words]
    assert np.abs(np.array([w.start_s for w in words[:3]]) - wanted).max() < 0.06


def test_a_wrong_transcript_is_told(client: FlaskClient, service: LipsyncService) -> None:
    speeches = spoken_by(EspeakVoice(), "Мама мыла раму в большом белом доме.", "ru")
    data = io.BytesIO()
    soundfile.write(data, np.concatenate([s.pcm for s in speeches]), 22_050, format="WAV")
    answer = send(client, sound=data.getvalue(), text="Seven students failed.", language="en")
    job = job_of(service, answer)
    assert until(lambda: job.ended)
    assert job.aligned == 0.0
    assert answer.headers["X-Aligned"] == "0.00"
    assert "X-Aligned" not in send(client, sound=data.getvalue()).headers, "no transcript"
    streamed = send(client, sound=data.getvalue(), text="Seven students failed.", stream="true")
    assert "X-Aligned" not in streamed.headers, "not known when the answer begins"
    assert not len(job.marks)


def test_json_is_as_it_was(client: FlaskClient) -> None:
    answer = client.post("/api/generate", json={"text": "Сәлем", "audio": "x"})
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["field"] == "audio"
    answer = client.post("/api/generate", data="text=a", content_type="text/plain")
    assert answer.status_code == 415


def test_both_bodies_are_documented(client: FlaskClient) -> None:
    told = client.get("/openapi.json").json
    assert told is not None
    for route in ROUTES:
        content = told["paths"][route]["post"]["requestBody"]["content"]
        assert set(content) == {"application/json", "multipart/form-data"}
        name = content["multipart/form-data"]["schema"]["$ref"].rpartition("/")[2]
        form = told["components"]["schemas"][name]
        assert form["required"] == ["audio"]
        assert not {"voice", "speed"} & set(form["properties"])
        assert form["properties"]["text"]["maxLength"] == 5000
    page = client.get("/docs").text
    assert page.count("-F audio=@speech.wav") == len(ROUTES)


def test_a_live_recording_stops_when_its_reader_leaves(
    client: FlaskClient, service: LipsyncService
) -> None:
    answer = send(client, "/api/stream_mjpeg", wav(60.0), buffered=False, pace="realtime")
    assert answer.status_code == 200
    answer.close()
    job = job_of(service, answer)
    assert until(lambda: job.ended)
    assert job.status.value == "cancelled"
    assert len(job.sound) < 60 * RATE
