from __future__ import annotations

from flask.testing import FlaskClient

from app_core.speech.registry import Voices
from app_core.speech.voices.espeak import EspeakVoice


def test_voices(client: FlaskClient) -> None:
    (voice,) = client.get("/api/voices").json["voices"]
    assert voice == {
        "id": "tone",
        "name": "Tone",
        "languages": ["ru", "kk", "en"],
        "sample_rate": 8000,
        "engine": "sine",
        "licence": "MIT",
        "weights_licence": "MIT",
        "pitched": False,
    }


def test_the_embedded_voice_says_its_licence() -> None:
    (voice,) = Voices([EspeakVoice()]).describe()
    assert (voice["engine"], voice["licence"]) == ("espeak-ng", "GPL-3.0-or-later")
