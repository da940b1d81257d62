"""Which voice speaks what, and in which order they are asked."""

from __future__ import annotations

import pytest

from app_core.config import Config
from app_core.errors import NotFound
from app_core.media.ffmpeg import find_ffmpeg
from app_core.services.voices.installed import open_voices
from app_core.speech.registry import Voices
from app_core.speech.voice import Voice
from tests.fakes import ToneVoice


class Whistle(ToneVoice):
    id = "whistle"
    languages = ("en",)
    name, engine = "Whistle", "lips"


class Drum(ToneVoice):
    id = "drum"
    languages = ("en", "kk")
    engine = "hands"


class Last(ToneVoice):
    id, engine = "espeak", "espeak-ng"


class Hum(ToneVoice):
    id = "hum"


def ids(voices: Voices, language: str, *preferred: str) -> list[str]:
    return [voice.id for voice in voices.chain(language, *preferred)]


def test_voices_are_found_by_id() -> None:
    voices = Voices([Whistle(), ToneVoice()])
    assert voices.ids() == ["whistle", "tone"]
    assert voices.get("tone").id == "tone"
    assert voices.describe()[0] == {
        "id": "whistle",
        "name": "Whistle",
        "languages": ["en"],
        "sample_rate": 8000,
        "engine": "lips",
        "licence": "MIT",
        "weights_licence": "MIT",
        "pitched": False,
    }
    with pytest.raises(NotFound, match=r"'none'.*tone \(ru, kk, en\)") as caught:
        voices.get("none")
    assert caught.value.field == "voice"
    with pytest.raises(ValueError, match="whistle"):
        Voices([Whistle(), Whistle()])


def test_a_language_s_chain_has_one_voice_of_each_engine() -> None:
    voices = Voices([Whistle(), ToneVoice(), Hum(), Drum()])
    assert ids(voices, "en") == ["whistle", "tone", "drum"]
    assert ids(voices, "en", "drum") == ["drum", "whistle", "tone"]
    assert ids(voices, "en", "hum", "drum") == ["hum", "drum", "whistle", "tone"]
    assert ids(voices, "kk", "drum") == ["drum", "tone"]
    assert ids(voices, "kk", "whistle") == ["tone", "drum"], "it does not speak it"
    assert ids(voices, "ru", "nobody", "") == ["tone"]
    with pytest.raises(NotFound, match="No voice speaks 'de'") as caught:
        voices.chain("de")
    assert caught.value.field == "voice"


def test_the_settings_name_a_chain_that_ends_in_the_voice_that_is_always_there() -> None:
    chains = {"en": ["drum", "gone", "whistle"], "kk": ["whistle"]}
    voices = Voices([Last(), Whistle(), ToneVoice(), Drum()], chains)
    assert ids(voices, "en") == ["drum", "whistle", "espeak"]
    assert ids(voices, "en", "tone") == ["tone", "drum", "whistle", "espeak"]
    assert ids(voices, "kk") == ["espeak"]
    assert ids(voices, "ru") == ["espeak", "tone"]
    assert voices.missing() == [("en", "gone"), ("kk", "whistle")]
    assert ids(Voices([Last(), Drum()], {"en": ["espeak", "drum"]}), "en") == ["espeak", "drum"]


def test_a_voice_of_several_speakers_may_be_named_without_one() -> None:
    class Anna(ToneVoice):
        id, engine, languages = "choir:anna", "choir", ("ru",)

    class Bob(ToneVoice):
        id, engine, languages = "choir:bob", "choir", ("en",)

    voices = Voices([Anna(), Bob(), Last()], {"ru": ["choir"]})
    assert ids(voices, "ru") == ["choir:anna", "espeak"]
    assert ids(voices, "en", "choir") == ["choir:bob", "espeak"]
    assert (voices.get("choir").id, voices.get("choir", "en").id) == ("choir:anna", "choir:bob")
    assert voices.missing() == [] and voices.knows("choir") and not voices.knows("cho")


def test_voices_that_come_later_are_found_and_those_that_were_here_stay() -> None:
    here: list[Voice] = [Whistle()]

    def finder() -> list[Voice]:
        return [type(voice)() for voice in here]  # type: ignore[abstract]

    voices = Voices([Last()], finders=[finder])
    first = voices.get("whistle")
    here.append(Drum())
    assert voices.ids() == ["espeak", "whistle"]
    voices.look()
    assert voices.ids() == ["espeak", "whistle", "drum"]
    assert voices.get("whistle") is first
    here.pop(0)
    voices.look()
    assert voices.ids() == ["espeak", "drum"]


def test_every_language_has_a_voice_on_any_machine() -> None:
    voices = open_voices(Config(), find_ffmpeg)
    for language in ("ru", "kk", "en"):
        assert ids(voices, language)[-1] == "espeak"
