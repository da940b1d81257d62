"""Which voice speaks what, and in which order they are asked."""

from __future__ import annotations

import pytest

from app_core.errors import NotFound
from app_core.speech.registry import VOICES, Voices, open_voices
from tests.fakes import ToneVoice


class Whistle(ToneVoice):
    id = "whistle"
    languages = ("en",)
    name, engine = "Whistle", "lips"


class Drum(ToneVoice):
    id = "drum"
    languages = ("en", "kk")


def ids(voices: Voices, language: str, preferred: str = "") -> list[str]:
    return [voice.id for voice in voices.chain(language, preferred)]


def test_voices_are_found_by_id_or_by_what_they_speak() -> None:
    voices = Voices([Whistle(), ToneVoice()])
    assert voices.ids() == ["whistle", "tone"]
    assert voices.get(None, "en").id == "whistle"
    assert voices.get(None, "kk").id == "tone"
    assert voices.get("tone", "en").id == "tone"
    assert voices.describe()[0] == {
        "id": "whistle",
        "name": "Whistle",
        "languages": ["en"],
        "sample_rate": 8000,
        "engine": "lips",
        "licence": "MIT",
    }
    for voice_id, language in (("none", "en"), ("whistle", "kk"), (None, "de")):
        with pytest.raises(NotFound, match=r"tone \(ru, kk, en\)") as caught:
            voices.get(voice_id, language)
        assert caught.value.field == "voice"
    with pytest.raises(ValueError, match="whistle"):
        Voices([Whistle(), Whistle()])


def test_a_language_s_chain_is_in_order_of_preference() -> None:
    voices = Voices([Whistle(), ToneVoice(), Drum()])
    assert ids(voices, "en") == ["whistle", "tone", "drum"]
    assert ids(voices, "en", "drum") == ["drum", "whistle", "tone"]
    assert ids(voices, "kk", "drum") == ["drum", "tone"]
    assert ids(voices, "kk", "whistle") == ["tone", "drum"], "it does not speak it"
    assert ids(voices, "ru", "nobody") == ["tone"]
    with pytest.raises(NotFound, match="No voice speaks 'de'") as caught:
        voices.chain("de")
    assert caught.value.field == "voice"


def test_the_registered_voices_speak_every_language() -> None:
    voices = open_voices()
    assert len(voices.ids()) == len(VOICES)
    for language in ("ru", "kk", "en"):
        assert "espeak" in ids(voices, language)
