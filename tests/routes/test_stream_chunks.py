from __future__ import annotations

import io
import json
import shutil
import wave
from typing import Any

import pytest
from flask.testing import FlaskClient

from app_core.config import Config
from app_core.services.lipsync_service import LipsyncService
from tests.conftest import at_once, until
from tests.fakes import RATE, EchoModel, ToneVoice, ToneVoices

URL = "/api/stream_chunks"
BODY = {"text": "one two three four five", "size": "128x128", "chunk_size": 2}


def test_chunks_as_documented(client: FlaskClient) -> None:
    answer = client.post(URL, json=BODY)
    assert answer.status_code == 200
    told = answer.json
    assert (told["success"], told["total_chunks"], told["language"]) == (True, 3, "ru")
    assert [c["text"] for c in told["chunks"]] == ["one two", "three four", "five"]
    assert [c["index"] for c in told["chunks"]] == [0, 1, 2]
    assert [c["duration"] for c in told["chunks"]] == [0.4, 0.4, 0.2]
    for chunk in told["chunks"]:
        film = client.get(chunk["video_url"])
        assert (film.status_code, film.mimetype) == (200, "video/mp4")
        assert film.data[4:8] == b"ftyp" and film.content_length == len(film.data)
        sound = client.get(chunk["audio_url"])
        assert (sound.status_code, sound.mimetype) == (200, "audio/wav")
        with wave.open(io.BytesIO(sound.data)) as heard:
            assert (heard.getframerate(), heard.getnchannels()) == (16000, 1)
            assert heard.getnframes() == chunk["duration"] * 16000
        film.close()
        sound.close()
    part = client.get(told["chunks"][0]["video_url"], headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.data) == (206, b"ftyp")
    part.close()


def test_a_chunk_has_captions_of_its_own_film(client: FlaskClient) -> None:
    told = client.post(URL, json=BODY | {"text": "one two a&b four"}).json
    second = told["chunks"][1]
    answer = client.get(second["captions_url"])
    assert (answer.status_code, answer.content_type) == (200, "text/vtt; charset=utf-8")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.text == ("WEBVTT\n\n00:00:00.000 --> 00:00:00.400\na&amp;b <00:00:00.200>four\n")
    answer = client.get(second["subtitles_url"])
    assert answer.content_type == "application/x-subrip; charset=utf-8"
    assert answer.text.startswith("1\n00:00:00,000 --> 00:00:00,400\na&b four")


def test_captions_of_unknown_chunks_are_404(client: FlaskClient) -> None:
    for kind in ("vtt", "srt"):
        answer = client.get(f"/api/chunk/captions/nope.{kind}")
        assert (answer.status_code, answer.json["field"]) == (404, "chunk_id")
    told = client.post(URL, json=BODY).json
    path = told["chunks"][0]["captions_url"]
    assert client.get(path.replace(".vtt", ".txt")).status_code == 404


def test_a_price_stays_in_one_chunk(client: FlaskClient) -> None:
    told = client.post(URL, json=BODY | {"text": "Цена 10 000 ₸ до 5 мая"}).json
    assert [c["text"] for c in told["chunks"]] == ["Цена", "10 000 ₸", "до 5", "мая"]


def test_a_short_text_is_one_chunk(client: FlaskClient) -> None:
    told = client.post(URL, json={"text": "one", "size": "128x128"}).json
    assert told["total_chunks"] == 1


def test_lines_come_as_chunks_are_spoken(make_client: Any, model: EchoModel) -> None:
    client = make_client(voices=ToneVoices(ToneVoice(delay_s=0.02)))
    model.gate.clear()
    answer = client.post(URL, json=BODY, headers={"Accept": "application/x-ndjson"}, buffered=False)
    assert answer.mimetype == "application/x-ndjson"
    first = json.loads(next(answer.response))
    assert (first["index"], first["duration"]) == (0, 0.4)
    *others, last = [json.loads(line) for line in answer.response]
    assert [line["index"] for line in others] == [1, 2]
    assert last == {"success": True, "total_chunks": 3, "language": "ru"}
    answer.close()
    model.gate.set()
    film = client.get(first["video_url"])
    assert film.status_code == 200, "it waited for the film"
    film.close()


def test_a_client_that_leaves_the_lines_cancels(make_client: Any, config: Config) -> None:
    client = make_client(voices=ToneVoices(ToneVoice(delay_s=0.05)))
    answer = client.post(
        URL,
        json=BODY | {"text": "a " * 100},
        headers={"Accept": "application/x-ndjson"},
        buffered=False,
    )
    next(answer.response)
    answer.close()
    job = f"/api/jobs/{answer.headers['X-Job-Id']}"
    assert at_once(lambda: client.get(job).json["status"] == "cancelled")
    assert until(lambda: list(config.work_dir.iterdir()) == [])


def test_a_failure_in_the_middle_is_the_last_line(make_client: Any) -> None:
    client = make_client(voices=ToneVoices(ToneVoice(fail_at="three")))
    answer = client.post(URL, json=BODY, headers={"Accept": "application/x-ndjson"})
    first, last = [json.loads(line) for line in answer.data.splitlines()]
    assert first["index"] == 0
    assert (last["success"], last["code"]) == (False, "voice_failed")
    film = client.get(first["video_url"])
    assert (film.status_code, film.json["code"]) == (500, "voice_failed")


def test_a_failure_before_the_answer_has_its_status(make_client: Any) -> None:
    client = make_client(voices=ToneVoices(ToneVoice(fail_at="one")))
    for accept in ("application/json", "application/x-ndjson"):
        answer = client.post(URL, json=BODY, headers={"Accept": accept})
        assert (answer.status_code, answer.json["code"]) == (500, "voice_failed")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"chunk_size": 0}, "chunk_size"),
        ({"chunk_size": 201}, "chunk_size"),
        ({"chunk_size": "2"}, "chunk_size"),
        ({"text": "… — !"}, "text"),
        ({"stream": True}, "stream"),
    ],
)
def test_bad_input(client: FlaskClient, fields: dict[str, Any], field: str) -> None:
    answer = client.post(URL, json=BODY | fields)
    assert (answer.status_code, answer.json["field"]) == (400, field)


def test_unknown_chunks_are_404(client: FlaskClient) -> None:
    for kind in ("video", "audio"):
        answer = client.get(f"/api/chunk/{kind}/nope")
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_addresses_are_signed(make_client: Any, config: Config) -> None:
    client = make_client(config=config.model_copy(update={"api_token": "secret"}))
    bearer = {"Authorization": "Bearer secret"}
    told = client.post(URL, json=BODY, headers=bearer).json
    first, second = told["chunks"][:2]
    film = client.get(first["video_url"])
    assert film.status_code == 200
    film.close()
    path, _, token = first["video_url"].partition("?")
    assert client.get(path).status_code == 401
    for name in ("captions_url", "subtitles_url"):
        assert client.get(first[name]).status_code == 200
        assert client.get(first[name].partition("?")[0]).status_code == 401
    other = second["video_url"].partition("?")[0]
    assert client.get(f"{other}?{token}").status_code == 401


def test_the_render_counts_in_admission(make_client: Any, config: Config, model: EchoModel) -> None:
    client = make_client(config=config.model_copy(update={"max_jobs": 1}))
    model.gate.clear()
    assert client.post(URL, json=BODY).status_code == 200
    full = client.post(URL, json=BODY)
    assert full.status_code == 503 and int(full.headers["Retry-After"]) >= 1
    model.gate.set()


def test_forgotten_jobs_take_their_films_along(
    make_client: Any, make_service: Any, config: Config
) -> None:
    client = make_client(config=config.model_copy(update={"job_life_s": 1}))
    told = client.post(URL, json=BODY).json
    film = client.get(told["chunks"][-1]["video_url"])
    assert film.status_code == 200
    film.close()
    assert until(lambda: list(config.work_dir.iterdir()) == [], 5), "nobody asked meanwhile"
    assert client.get(told["chunks"][0]["video_url"]).status_code == 404


def test_the_voice_s_rate_is_kept_where_it_fits(service: LipsyncService) -> None:
    from app_core.media.wav import resampled

    ffmpeg = service.backend.ffmpeg()
    pcm = b"\1\0" * RATE
    assert resampled(pcm, RATE, RATE, ffmpeg) is pcm
    for rate, samples in ((22050, 22050), (22050, 7), (24000, 12345)):
        made = resampled(b"\0\1" * samples, rate, 16000, ffmpeg)
        assert len(made) // 2 == -(-samples * 16000 // rate)


def test_the_sound_of_a_chunk_is_made_anew_when_its_file_was_cleaned_away(
    client: FlaskClient, config: Config
) -> None:
    told = client.post(URL, json=BODY).json["chunks"][0]
    with client.get(told["video_url"]), client.get(told["audio_url"]) as before:
        data = before.data
    shutil.rmtree(config.work_dir)
    with client.get(told["audio_url"]) as after:
        assert (after.status_code, after.data) == (200, data)
    assert client.get(told["video_url"]).status_code == 404
