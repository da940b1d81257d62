"""Each engine speaks each of its languages through a stream, a film and chunks, in one server."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from app_core.config import Config
from app_core.media.ffmpeg import find_ffmpeg
from app_core.services.voices.installed import open_voices
from app_core.speech.voices.espeak import EspeakVoice
from tests.back_end import service_of
from tests.conftest import until
from tests.fakes import spoken_by
from tests.piper_voice import write_voice
from tests.speech_server import Handler, SpeechServer, wav

TEXTS = {"ru": "Мама мыла раму.", "kk": "Сәлем, әлем!", "en": "My baby found the wave."}
SIZE = {"size": "128x128"}


@pytest.fixture
def speech_server() -> Iterator[SpeechServer]:
    server = SpeechServer()
    yield server
    server.close()


@pytest.fixture
def settings(config: Config, tmp_path: Path, speech_server: SpeechServer) -> Config:
    """A folder with small voices of the real formats, and a speech server."""
    models = tmp_path / "models"
    for name, language in (("ru_RU-a", "ru"), ("kk_KZ-b", "kk"), ("en_US-c", "en")):
        write_voice(models / "piper", name, language)
    try:
        from tests.silero_network import write_network
    except ImportError:
        pass
    else:
        write_network(models / "silero" / "v5_cis_base_nostress.jit")
    server = {"voice_server_url": f"http://127.0.0.1:{speech_server.port}"}
    return config.model_copy(update={"models_dir": models, **server})


@pytest.fixture
def client(settings: Config, make_client: Callable[..., FlaskClient]) -> FlaskClient:
    return make_client(config=settings, voices=open_voices(settings, find_ffmpeg))


def loudest(data: bytes) -> float:
    with wave.open(io.BytesIO(data)) as sound:
        pcm = np.frombuffer(sound.readframes(sound.getnframes()), np.int16)
    return float(np.abs(pcm.astype(float)).max()) / 32768


def test_each_voice_speaks_each_of_its_languages_in_every_way(client: FlaskClient) -> None:
    voices = client.get("/api/voices").json["voices"]
    first = {voice["engine"]: voice for voice in reversed(voices)}
    by_language = {
        (voice["engine"], language): voice["id"]
        for voice in reversed(voices)
        for language in voice["languages"]
    }
    assert {"server", "hibari", "piper", "espeak-ng"} <= set(first)
    for (engine, language), voice in sorted(by_language.items()):
        asked = {"text": TEXTS[language], "language": language, "voice": voice, **SIZE}
        stream = client.post("/api/stream_mjpeg", json=asked | {"pace": "asap"})
        assert (stream.status_code, stream.headers["X-Voice"]) == (200, voice), engine
        assert stream.get_data().count(b"X-Frame:") > 10
        stream.close()
        sound = client.get(stream.headers["X-Audio-Url"])
        assert 0.1 < loudest(sound.get_data()) < 0.9, voice
        sound.close()
        film = client.post("/api/generate", json=asked)
        assert (film.status_code, film.headers["X-Voice"]) == (200, voice)
        assert film.get_data()[4:8] == b"ftyp"
        film.close()
        chunks = client.post("/api/stream_chunks", json=asked | {"chunk_size": 2})
        assert chunks.headers["X-Voice"] == voice
        assert len(chunks.json["chunks"]) >= 1
        for chunk in chunks.json["chunks"]:
            answer = client.get(chunk["video_url"])
            assert answer.get_data()[4:8] == b"ftyp"
            answer.close()
        jobs = service_of(client).jobs
        for answer in (stream, film, chunks):
            job = jobs.get(answer.headers["X-Job-Id"])
            assert until(partial(getattr, job, "ended"), 20)
            assert (job.error, job.voices, list(job.fallbacks)) == (None, [voice], [])


def test_a_server_that_dies_in_a_sentence_is_followed_from_its_next_word(
    client: FlaskClient, speech_server: SpeechServer
) -> None:
    text = "Мама мыла раму, а папа читал газету у большого окна и молчал."

    def dies(handler: Handler) -> None:
        spoken = [speech.pcm for speech in spoken_by(EspeakVoice(), handler.asked.text, "ru")]
        samples = (np.concatenate(spoken) * 20000).astype(np.int16)
        handler.head(Transfer_Encoding="chunked")
        sound = wav(samples, 22050, size=0xFFFFFFFF)
        handler.chunk(sound[: len(sound) * 6 // 10])
        handler.break_off()

    speech_server.behaviours += [dies]
    asked: dict[str, Any] = {"text": text, "language": "ru", "voice": "server", **SIZE}
    answer = client.post("/api/stream_mjpeg", json=asked | {"pace": "asap"})
    assert answer.status_code == 200
    answer.get_data()
    answer.close()
    job = service_of(client).jobs.get(answer.headers["X-Job-Id"])
    assert until(lambda: job.ended, 20)
    assert job.error is None
    assert job.voices[0] == "server" and len(job.voices) == 2
    (told,) = job.fallbacks
    assert (told.voice, told.reason) == ("server", "voice_unreachable")
    words = [mark.text for mark in job.marks if type(mark).__name__ == "Word"]
    assert words == text.split()
    again = client.post("/api/stream_mjpeg", json=asked | {"pace": "asap"})
    again.get_data()
    again.close()
    assert again.headers["X-Voice"] != "server", "it rests"
