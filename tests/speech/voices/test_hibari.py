from __future__ import annotations

import importlib.util
import socket
import threading
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from app_core.cancel_scope import never
from app_core.errors import Cancelled, Unsayable, VoiceFailed
from app_core.media.ffmpeg import Ffmpeg, find_ffmpeg
from app_core.speech.text.piece import Piece
from app_core.speech.voices import hibari
from app_core.speech.voices.hibari import HibariVoice, hibari_voices
from app_core.types import PLAIN, Float32, Prosody

if importlib.util.find_spec("hibari") is None:
    pytest.skip("needs hibari-tts, which has no wheel here", allow_module_level=True)

TEXTS = (
    "The birch canoe slid on the smooth planks.",
    "Glue the sheet to the dark blue background, and wait for a while.",
    "Rice is often served in round bowls.",
)


@pytest.fixture(scope="module")
def voice() -> HibariVoice:
    return HibariVoice(find_ffmpeg)


def piece(said: str, language: str = "en") -> Piece:
    return Piece(0, language, said, said, ())


def said(voice: HibariVoice, text: str, prosody: Prosody = PLAIN) -> Float32:
    return np.concatenate(list(voice.synthesize(piece(text), prosody, never)))


def spoken_s(pcm: Float32) -> float:
    """From the first sound to the last."""
    loud = np.flatnonzero(np.abs(pcm) > 0.01)
    return float(loud[-1] - loud[0]) / HibariVoice.sample_rate


def test_it_is_here_and_says_what_it_is() -> None:
    found = hibari_voices(find_ffmpeg)
    assert [voice.id for voice in found.voices] == ["hibari"] and not found.missing
    (voice,) = found.voices
    assert voice.languages == ("en",) and voice.licence == voice.weights_licence == "Apache-2.0"


@pytest.mark.parametrize("text", TEXTS)
def test_a_sentence_is_speech(voice: HibariVoice, text: str) -> None:
    pcm = said(voice, text)
    assert pcm.dtype == np.float32 and pcm.ndim == 1
    assert 0.1 < np.abs(pcm).max() <= 1
    assert 2.5 < len(text.split()) / spoken_s(pcm) < 5  # words a second


def test_each_sentence_is_a_part_made_when_it_is_asked_for(voice: HibariVoice) -> None:
    parts = list(voice.synthesize(piece("One more time. And then again!"), PLAIN, never))
    assert len(parts) == 2
    left: list[bool] = []
    speech = voice.synthesize(piece("One more time. And then again!"), PLAIN, lambda: bool(left))
    assert np.array_equal(next(speech), parts[0])
    left.append(True)
    with pytest.raises(Cancelled):
        next(speech)


def test_nobody_waits_so_nothing_is_loaded() -> None:
    voice = HibariVoice(find_ffmpeg)
    with pytest.raises(Cancelled):
        list(voice.synthesize(piece("Hello."), PLAIN, lambda: True))
    assert voice._loaded is None


@pytest.mark.parametrize("speed", [0.5, 0.75, 0.9, 1.1, 1.25, 1.5, 2.0])
def test_it_is_as_fast_as_it_is_asked_to_be(voice: HibariVoice, speed: float) -> None:
    usual = sum(spoken_s(said(voice, text)) for text in TEXTS)
    changed = sum(spoken_s(said(voice, text, Prosody(speed))) for text in TEXTS)
    assert usual / changed == pytest.approx(speed, rel=0.07)


def test_the_same_text_is_the_same_sound(voice: HibariVoice) -> None:
    again = HibariVoice(find_ffmpeg)
    assert np.array_equal(said(voice, TEXTS[0]), said(again, TEXTS[0]))


def test_threads_do_not_disturb_each_other_and_load_it_once(
    monkeypatch: pytest.MonkeyPatch, voice: HibariVoice
) -> None:
    alone = {text: said(voice, text) for text in TEXTS}
    loads: list[Any] = []
    load = hibari._load

    def counted() -> Any:
        loads.append(load())
        return loads[-1]

    monkeypatch.setattr(hibari, "_load", counted)
    shared = HibariVoice(find_ffmpeg)
    wrong: list[str] = []

    def speak(text: str) -> None:
        for _ in range(3):
            if not np.array_equal(said(shared, text), alone[text]):
                wrong.append(text)

    threads = [threading.Thread(target=speak, args=(text,)) for text in TEXTS + TEXTS[:1]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert not wrong and len(loads) == 1


def test_no_connection_is_tried_and_nothing_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tried: list[object] = []

    def refuse(*args: object, **_: object) -> None:
        tried.append(args)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    monkeypatch.setenv("HIBARI_HOME", str(tmp_path))
    alone = HibariVoice(find_ffmpeg)
    alone.warm()
    assert spoken_s(said(alone, TEXTS[0])) > 1
    assert not tried and not list(tmp_path.iterdir())
    with pytest.raises(OSError):  # what is watched is what a download would use
        urllib.request.urlopen("http://127.0.0.1:9/")
    assert len(tried) == 1


@pytest.mark.parametrize("text", ["A.", "I.", "x", "Hm,"])
def test_the_shortest_texts_have_sound(voice: HibariVoice, text: str) -> None:
    assert spoken_s(said(voice, text)) > 0.05


@pytest.mark.parametrize("text", ["", "...", "Привет.", "☃"])
def test_what_it_cannot_say_is_left_to_another_voice(voice: HibariVoice, text: str) -> None:
    with pytest.raises(VoiceFailed, match="nothing in the text"):
        said(voice, text)


def test_letters_of_other_alphabets_are_left_out(voice: HibariVoice) -> None:
    assert np.array_equal(said(voice, "Hello, друг world."), said(voice, "Hello,  world."))


def test_brackets_are_no_orders(voice: HibariVoice) -> None:
    ordered = said(voice, "A [canoe](/ɡɹˈin bˈOlz ænd blˈu ʃˈits/) slid.")
    assert np.array_equal(ordered, said(voice, "A canoe(/ɡɹˈin bˈOlz ænd blˈu ʃˈits/) slid."))


def test_another_language_is_refused(voice: HibariVoice) -> None:
    with pytest.raises(VoiceFailed, match="'ru'"):
        list(voice.synthesize(piece("Привет.", "ru"), PLAIN, never))


@pytest.mark.parametrize("absent", ["hibari", "onnxruntime"])
def test_an_absent_package_is_told(monkeypatch: pytest.MonkeyPatch, absent: str) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == absent else find(name)
    )
    found = hibari_voices(find_ffmpeg)
    assert not found.voices and found.missing[0].id == "hibari"
    assert f"{absent} is not installed: pip install" in found.missing[0].why


def test_a_missing_network_is_told_with_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: package)
    found = hibari_voices(find_ffmpeg)
    assert not found.voices
    assert str(tmp_path / "assets" / "hibari.onnx") in found.missing[0].why


def test_a_damaged_network_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = hibari._network().read_bytes()
    cut = tmp_path / "hibari.onnx"
    cut.write_bytes(whole[: len(whole) // 2])
    monkeypatch.setattr(hibari, "_network", lambda: cut)
    with pytest.raises(VoiceFailed, match="cannot be loaded: .*hibari.onnx"):
        HibariVoice(find_ffmpeg).warm()


def test_without_ffmpeg_it_speaks_and_is_not_made_faster(voice: HibariVoice) -> None:
    alone = HibariVoice(lambda: Ffmpeg("/nowhere/ffmpeg", ""))
    assert np.array_equal(said(alone, TEXTS[0]), said(voice, TEXTS[0]))
    assert spoken_s(said(alone, TEXTS[0], Prosody(0.5))) > 2
    with pytest.raises(VoiceFailed, match="could not be started"):
        said(alone, TEXTS[0], Prosody(1.5))


def test_a_word_longer_than_it_can_spell_is_left_to_another_voice(voice: HibariVoice) -> None:
    """It would say the beginning, and nobody would hear that the end is missing."""
    with pytest.raises(Unsayable):
        said(voice, "They said supercalifragilisticexpialidocious.")
    assert len(said(voice, "They said incomprehensibilities."))
