"""VOICE, the voice of the settings, is a preference: who speaks where it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app_core.config import Config
from app_core.speech.registry import Voices
from tests.fakes import ToneVoice


class English(ToneVoice):
    id = engine = "english"
    languages = ("en",)


def test_the_voice_of_the_settings_is_a_preference(make_client: Any, config: Config) -> None:
    voices = Voices([ToneVoice(), English()])
    client = make_client(voices=voices, config=config.model_copy(update={"voice": "english"}))
    service = client.application.extensions["lipsync"]
    spoken: list[str] = []
    for voice in (voices.get("tone"), voices.get("english")):
        speak = voice.speak

        def heard(*rest: Any, speak: Any = speak, voice: Any = voice) -> Any:
            spoken.append(voice.id)
            return speak(*rest)

        voice.speak = heard  # type: ignore[method-assign]
    url, body = "/api/stream_mjpeg", {"text": "one", "size": "128x128", "pace": "asap"}
    for language in ("en", "ru", "kk"):
        answer = client.post(url, json=body | {"language": language})
        assert answer.status_code == 200
        answer.get_data()
        answer.close()
    assert spoken == ["english", "tone", "tone"]
    refused = client.post(url, json=body | {"language": "ru", "voice": "nobody"})
    assert (refused.status_code, refused.json["field"]) == (404, "voice")
    other = client.post(url, json=body | {"language": "ru", "voice": "english"})
    assert other.status_code == 200
    other.get_data()
    other.close()
    assert spoken[3:] == ["tone"], "of a language that the voice does not know"
    assert service.health()["status"] == "ready"


def test_a_voice_of_the_settings_that_is_nowhere_is_named_at_start(
    make_client: Any, config: Config, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    client = make_client(config=config.model_copy(update={"voice": "nobody"}))
    told = client.get("/api/health")
    assert told.status_code == 200
    assert told.json["status"] == "degraded"
    assert told.json["reason"] == "VOICE=nobody: there is no such voice; there is: tone"
    assert "VOICE=nobody" in caplog.text
    answer = client.post("/api/stream_mjpeg", json={"text": "one", "size": "128x128"})
    assert answer.status_code == 200
    answer.close()
