"""The real loaders on random weights: each voice speaks its languages through the server."""

from __future__ import annotations

import base64
import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from soyle_coqui.speaker_sample import CACHE

from tests import models
from tests.conftest import Client, served_folder, until


def samples(pcm: bytes) -> np.ndarray:
    return np.frombuffer(pcm, "<i2").astype(np.float32) / 32768


def test_vits_speaks(vits_client: Client) -> None:
    told = vits_client.health()
    assert (told["status"], told["model"], told["languages"]) == ("ready", "vits:model", ["ru"])
    assert (told["sample_rate"], told["streams"]) == (22050, False)
    sound = samples(vits_client.pcm("Здравствуйте, это проверка.", language="ru"))
    assert len(sound) > 0.2 * 22050
    assert np.abs(sound).max() > 0


def test_a_plain_request_gets_a_whole_file(vits_client: Client) -> None:
    answer = vits_client.send("/", {"text": "Привет. Как дела?", "lang": "ru"})
    assert (answer.status, answer.headers["Content-Type"]) == (200, "audio/wav")
    body = answer.read()
    sound, rate = soundfile.read(io.BytesIO(body))
    assert rate == 22050 and len(sound) == (len(body) - 44) // 2 > 0
    assert struct.unpack_from("<I", body, 4)[0] == len(body) - 8


def test_vits_follows_speed(vits_client: Client) -> None:
    """Durations are drawn at random, and each is a whole frame at least."""
    lengths = []
    for speed in (0.25, 1.0, 4.0):
        torch.manual_seed(1)
        lengths.append(len(vits_client.pcm("раз два три четыре пять", speed=speed)))
    slow, plain, fast = lengths
    assert slow > 2 * plain and plain > fast


def test_vits_comes_sentence_by_sentence(vits_client: Client) -> None:
    answer = vits_client.speak("Раз. Два. Три.", stream_format="sse", response_format="pcm")
    events = [json.loads(line[6:]) for line in answer.read().split(b"\n\n") if line]
    assert [event["type"] for event in events] == [*3 * ["speech.audio.delta"], "speech.audio.done"]


def test_what_is_not_in_the_alphabet(vits_client: Client) -> None:
    told = vits_client.refusal("/v1/audio/speech", {"input": "12345. World!", "language": "ru"})
    assert told == (400, "'input' has nothing that can be said")
    assert vits_client.pcm("12345. World! Да.", language="ru")


def test_vits_of_many_speakers_and_languages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = models.vits_of_many(tmp_path / "many", ("anna", "boris"), ("ru", "en"))
    with served_folder(folder) as client:
        assert client.health()["languages"] == ["ru", "en"]
        assert client.health()["voices"] == ["anna", "boris"]
        voice: Any = client.server.model.voice
        asked: list[dict[str, list[int]]] = []
        inference = voice._model.inference

        def heard(ids: Any, aux_input: dict[str, Any]) -> Any:
            names = ("speaker_ids", "language_ids")
            asked.append({name: aux_input[name].reshape(-1).tolist() for name in names})
            return inference(ids, aux_input=aux_input)

        monkeypatch.setattr(voice._model, "inference", heard)
        assert client.pcm("да", language="ru")
        assert client.pcm("yes", language="en", voice="boris")
        assert asked == [
            {"speaker_ids": [0], "language_ids": [0]},
            {"speaker_ids": [1], "language_ids": [1]},
        ]


def test_mms_speaks_kazakh(tmp_path: Path) -> None:
    with served_folder(models.mms(tmp_path / "mms-kaz")) as client:
        told = client.health()
        assert (told["model"], told["languages"]) == ("mms:mms-kaz", ["kk"])
        assert (told["sample_rate"], told["weights_licence"]) == (16000, "CC-BY-NC-4.0")
        sound = samples(client.pcm("Сәлеметсіз бе, бүгін ауа райы жақсы.", language="kk"))
        assert len(sound) > 0.2 * 16000 and np.abs(sound).max() > 0
        status, words = client.refusal("/", {"text": "Привет", "lang": "ru"})
        assert (status, words) == (400, "mms:mms-kaz does not speak 'ru'; it speaks: kk")


@pytest.mark.parametrize(("language", "text"), [("ru", "Привет, мир!"), ("en", "Hello, world!")])
def test_xtts_speaks(xtts_client: Client, language: str, text: str) -> None:
    told = xtts_client.health()
    assert (told["model"], told["languages"]) == ("xtts:model", ["en", "es", "ru"])
    assert (told["sample_rate"], told["streams"]) == (24000, True)
    assert told["voices"] == ["sample", "Ana"]
    sound = samples(xtts_client.pcm(text, language=language))
    assert len(sound) > 0.2 * 24000 and np.abs(sound).max() > 0


def test_xtts_comes_while_it_is_made_and_a_model_that_never_stops_is_stopped(
    xtts_client: Client,
) -> None:
    text = "Один два три четыре пять."
    answer = xtts_client.speak(text, language="ru", response_format="pcm", stream_format="sse")
    events = [json.loads(line[6:]) for line in answer.read().split(b"\n\n") if line]
    parts = [base64.b64decode(event["audio"]) for event in events[:-1]]
    assert len(parts) > 3
    assert 0.5 < len(parts[0]) / 2 / 24000 < 1.5
    assert sum(map(len, parts)) / 2 / 24000 == pytest.approx(2 + len(text) / 5, abs=0.001)


def test_xtts_speaks_with_the_speakers_that_come_with_it(xtts_client: Client) -> None:
    assert xtts_client.pcm("да", language="ru", voice="Ana")
    status, words = xtts_client.refusal("/v1/audio/speech", {"input": "да", "voice": "Bob"})
    assert (status, words) == (400, "'voice' must be one of: default, sample, Ana")


def test_xtts_knows_no_kazakh(xtts_client: Client) -> None:
    for body in ({"input": "Сәлем", "language": "kk"}, {"input": "Қалайсың"}):
        status, words = xtts_client.refusal("/v1/audio/speech", body)
        assert (status, words) == (400, "xtts:model does not speak 'kk'; it speaks: en, es, ru")


def test_xtts_gets_pieces_that_it_can_say(xtts_client: Client) -> None:
    voice = xtts_client.server.model.voice
    assert voice is not None
    text = " ".join(["слово"] * 100) + ". " + "я" * 200
    assert max(map(len, voice.cut(text, "ru"))) <= 182
    assert "".join(voice.cut(text, "ru")).replace(" ", "") == text.replace(" ", "")
    assert 182 < max(map(len, voice.cut(" ".join(["word"] * 100), "en"))) <= 250


def test_a_client_that_leaves_ends_the_speech(
    xtts_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    voice = xtts_client.server.model.voice
    assert voice is not None
    speak = voice.speak

    def heard(piece: str, *rest: Any) -> Any:
        said.append(piece)
        return speak(piece, *rest)

    monkeypatch.setattr(voice, "speak", heard)
    answer = xtts_client.speak("Раз два три четыре. " * 100, language="ru")
    answer.read(1000)
    answer.connection.close()  # type: ignore[attr-defined]
    answer.close()
    assert until(lambda: xtts_client.server.model._unfinished == 0)
    assert len(said) < 100
    assert xtts_client.pcm("да", language="ru"), "the next one is served"


def test_the_sample_is_heard_once(
    xtts_folder: Path, tmp_path: Path, xtts_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = list((xtts_folder / CACHE).iterdir())
    assert [path.suffix for path in kept] == [".safetensors"]
    from soyle_coqui import speaker_sample

    def again(*_: object) -> None:
        raise AssertionError("the latents are on the disk")

    monkeypatch.setattr(speaker_sample, "_make", again)
    sample = models.sample(tmp_path / "same.wav")
    with served_folder(xtts_folder, sample) as client:
        assert client.health()["voices"][0] == "sample"
    assert list((xtts_folder / CACHE).iterdir()) == kept
