from __future__ import annotations

import importlib.util
import json
import socket
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app_core.cancel_scope import never
from app_core.errors import Cancelled, VoiceFailed
from app_core.speech.synthesizer import Synthesizer
from app_core.speech.text.piece import Piece
from app_core.speech.voices import piper
from app_core.speech.voices.espeak import EspeakVoice
from app_core.speech.voices.piper import piper_voices
from app_core.types import PLAIN, Float32, Prosody
from tests.fakes import spoken_by
from tests.piper_voice import HOP, RATE, tone, write_voice

if importlib.util.find_spec("piper") is None:
    pytest.skip("needs piper-tts, which has no wheel here", allow_module_level=True)

from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP as IDS

SIX = ("ISSAI_KazakhTTS2_M2", "M1_Iseke", "F3", "F1_Raya", "F1", "F2")
TEXTS = {"ru": "Мама мыла раму.", "kk": "Сәлем, әлем!", "en": "My baby found the wave."}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "piper"


@pytest.fixture
def russian(tmp_path: Path, folder: Path) -> Synthesizer:
    write_voice(folder, "ru_RU-denis-tiny", "ru")
    return piper_voices(tmp_path).voices[0]


def parts(
    voice: Synthesizer, text: str, prosody: Prosody = PLAIN, stresses: tuple[int, ...] = ()
) -> list[Float32]:
    piece = Piece(0, voice.languages[0], text, text, (), stresses)
    return list(voice.synthesize(piece, prosody, never))


def said(voice: Synthesizer, text: str, stresses: tuple[int, ...] = ()) -> Float32:
    return np.concatenate(parts(voice, text, stresses=stresses))


def heard(pcm: Float32, speaker: int = 0) -> str:
    """The phonemes whose tones follow each other."""
    by_tone = {tone(number, speaker): sign for sign, (number,) in IDS.items() if sign.isalpha()}
    tones = np.array(list(by_tone))
    found = []
    for start in range(0, len(pcm) - HOP + 1, HOP):
        power = np.abs(np.fft.rfft(pcm[start : start + HOP] * np.hanning(HOP), 8192))
        if power.max() > 5:
            hertz = np.argmax(power) * RATE / 8192
            nearest = by_tone[float(tones[np.argmin(np.abs(tones - hertz))])]
            found.append(nearest)
    return "".join(sign for i, sign in enumerate(found) if not i or found[i - 1] != sign)


def test_the_voices_are_the_files_and_their_speakers(tmp_path: Path, folder: Path) -> None:
    write_voice(folder, "ru_RU-denis-medium", "ru")
    write_voice(folder, "kk_KZ-issai-high", "kk", SIX)
    write_voice(folder, "en_US-norman-medium", "en-us")
    found = piper_voices(tmp_path, {"piper:kk_KZ-issai-high": "CC-BY-4.0"})
    assert not found.missing
    assert {voice.id: voice.languages for voice in found.voices} == {
        "piper:en_US-norman-medium": ("en",),
        **{f"piper:kk_KZ-issai-high:{name}": ("kk",) for name in SIX},
        "piper:ru_RU-denis-medium": ("ru",),
    }
    licences = {voice.languages[0]: voice.weights_licence for voice in found.voices}
    assert licences["kk"] == "CC-BY-4.0" and licences["en"] == "see its MODEL_CARD"
    assert all(voice.licence == "GPL-3.0-or-later" for voice in found.voices)


@pytest.mark.parametrize("language", TEXTS)
def test_each_language_is_spoken(tmp_path: Path, folder: Path, language: str) -> None:
    write_voice(folder, "tiny", "en-us" if language == "en" else language)
    (voice,) = piper_voices(tmp_path).voices
    voice.warm()
    pcm = said(voice, TEXTS[language])
    assert pcm.dtype == np.float32 and pcm.ndim == 1 and voice.sample_rate == RATE
    assert np.abs(pcm).max() == pytest.approx(0.5, abs=0.01)  # as loud as the network made it
    sounds = {"ru": "mɑmamyɭarɑmu", "kk": "sælemælem", "en": "maɪbeɪbi"}[language]
    assert sounds in heard(pcm)


def test_speakers_of_a_file_differ(tmp_path: Path, folder: Path) -> None:
    write_voice(folder, "kk_KZ-issai-high", "kk", SIX[:2])
    first, second = piper_voices(tmp_path).voices
    assert heard(said(first, "Ана.")) == heard(said(second, "Ана."), 1) != ""
    assert heard(said(second, "Ана."), 0) != heard(said(second, "Ана."), 1)


def test_speakers_without_a_name_fit_for_an_id_have_their_number(
    tmp_path: Path, folder: Path
) -> None:
    write_voice(folder, "x", "kk", ("a", "../b", "с"))
    assert [v.id for v in piper_voices(tmp_path).voices] == ["piper:x:a", "piper:x:1", "piper:x:2"]


def test_of_very_many_speakers_the_first_are_voices(tmp_path: Path, folder: Path) -> None:
    write_voice(folder, "x", "en-us", [f"p{number}" for number in range(904)])
    voices = piper_voices(tmp_path).voices
    assert len(voices) == 32 and voices[31].id == "piper:x:p31"


@pytest.mark.parametrize("speed", [0.5, 0.8, 1.25, 2.0])
def test_speed_shortens_every_phoneme(russian: Synthesizer, speed: float) -> None:
    usual, changed = (parts(russian, TEXTS["ru"], Prosody(s))[0] for s in (1.0, speed))
    assert len(usual) / len(changed) == pytest.approx(speed, rel=0.1)  # whole frames
    assert heard(usual) == heard(changed)


def test_a_whisper_stays_a_whisper(tmp_path: Path, folder: Path) -> None:
    write_voice(folder, "x", "ru")
    (voice,) = piper_voices(tmp_path).voices
    loud, quiet = np.abs(said(voice, "А.")).max(), np.abs(said(voice, "Ш.")).max()
    assert loud == pytest.approx(0.5, abs=0.01) and quiet <= loud


def test_sentences_are_parts_and_nobody_waits_for_the_second(russian: Synthesizer) -> None:
    assert len(parts(russian, "Один. Два.")) == 2
    answers = iter([False, False, True])
    speech = russian.synthesize(Piece(0, "ru", "Один. Два.", "", ()), PLAIN, lambda: next(answers))
    assert len(next(speech))
    with pytest.raises(Cancelled):
        next(speech)


def test_nobody_waits_so_nothing_is_loaded(russian: Synthesizer) -> None:
    with pytest.raises(Cancelled):
        list(russian.synthesize(Piece(0, "ru", "Один.", "", ()), PLAIN, lambda: True))
    assert russian._network._loaded is None  # type: ignore[attr-defined]


def test_threads_share_one_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path
) -> None:
    write_voice(folder, "x", "kk", SIX)
    loads: list[Any] = []
    load = piper.PiperNetwork._load
    monkeypatch.setattr(piper.PiperNetwork, "_load", lambda self: loads.append(self) or load(self))
    voices = piper_voices(tmp_path).voices
    text = TEXTS["kk"]
    wrong: list[int] = []
    kept: dict[int, Float32] = {}

    def speak(number: int) -> None:
        for _ in range(5):
            pcm = said(voices[number], text)
            list(spoken_by(EspeakVoice(), "Привет.", "ru"))  # the other espeak-ng, in between
            if not np.array_equal(pcm, kept.setdefault(number, pcm)):
                wrong.append(number)

    threads = [threading.Thread(target=speak, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert not wrong and len(loads) == 1 and len({len(pcm) for pcm in kept.values()}) == 1


@pytest.mark.parametrize(
    ("text", "stressed", "sounds"),
    [
        ("Старый замок стоит.", "з+амок", "zɑmʌk"),
        ("Старый замок стоит.", "зам+ок", "zamok"),
        ("Он висит на замке.", "на замк+е", "zʌmke"),
        ("Атлас лежит.", "Атл+ас", "ʌtɭɑs"),
        ("Он жил в Алматы.", "Алмат+ы", "aɭmaty"),
        ("«Замок!» — сказал он.", "З+амок", "zɑmʌk"),
    ],
)
def test_a_word_is_stressed_as_it_is_marked(
    russian: Synthesizer, text: str, stressed: str, sounds: str
) -> None:
    at = text.index(stressed.replace("+", "")) + stressed.index("+")
    assert sounds in heard(said(russian, text, (at,)))


def test_a_mark_changes_its_own_word_alone(russian: Synthesizer) -> None:
    text = "Не за что, кто-то был на горе, и замок там."
    at = text.index("замок") + 1
    usual, marked = heard(said(russian, text)), heard(said(russian, text, (at,)))
    assert usual.replace("zamok", "zɑmʌk") == marked != usual
    for wrong in (0, 3, text.index("кто"), len(text) - 1):  # no vowel, or not one of several
        assert heard(said(russian, text, (wrong,))) == usual


def test_brackets_are_no_phonemes(russian: Synthesizer) -> None:
    assert heard(said(russian, "Там [[wwww]] дом.")) == heard(said(russian, "Там   wwww   дом."))
    assert "w" * 2 not in heard(said(russian, "Там [[wwww]] дом."))


def test_a_preposition_at_the_end_of_a_clause_is_a_sound_and_not_a_letter(
    russian: Synthesizer,
) -> None:
    assert heard(said(russian, "Он живёт в")).endswith("tv")


@pytest.mark.parametrize("text", ["А.", "Я", "Ну,", "И"])
def test_the_shortest_texts_have_sound(russian: Synthesizer, text: str) -> None:
    assert heard(said(russian, text)) != ""


@pytest.mark.parametrize("text", ["", "...", " ", "—"])
def test_what_it_cannot_say_is_left_to_another_voice(russian: Synthesizer, text: str) -> None:
    with pytest.raises(VoiceFailed, match="nothing in the text"):
        said(russian, text)


def test_another_language_is_refused(russian: Synthesizer) -> None:
    with pytest.raises(VoiceFailed, match="'en'"):
        list(russian.synthesize(Piece(0, "en", "Hello.", "", ()), PLAIN, never))


def test_no_folder_and_no_package_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path
) -> None:
    assert str(folder) in piper_voices(tmp_path).missing[0].why
    write_voice(folder, "x", "ru")
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "piper" else find(name)
    )
    found = piper_voices(tmp_path)
    assert not found.voices and "pip install piper-tts" in found.missing[0].why


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"phoneme_type": "pinyin"}, "phoneme_type"),
        ({"espeak": {"voice": "../../../etc/passwd"}}, "espeak.voice"),
        ({"espeak": {"voice": "de"}}, "language is 'de'"),
        ({"audio": {"sample_rate": 10**9}}, "audio.sample_rate"),
        ({"num_speakers": 10**9}, "num_speakers"),
        ({"num_symbols": 20}, "num_symbols"),
        ({"phoneme_id_map": {"a": [1]}}, "phoneme_id_map"),
        ({"speaker_id_map": {"a": 7}}, "speaker_id_map"),
        ({"inference": {"length_scale": 0}}, "inference.length_scale"),
    ],
)
def test_a_description_of_something_else_is_told(
    tmp_path: Path, folder: Path, changes: dict[str, Any], why: str
) -> None:
    write_voice(folder, "good", "ru")
    write_voice(folder, "x", "ru", **changes)
    found = piper_voices(tmp_path)
    assert [voice.id for voice in found.voices] == ["piper:good"]
    (missing,) = found.missing
    assert missing.id == "piper:x" and f"{folder / 'x.onnx.json'} is" in missing.why
    assert why in missing.why


def test_other_files_that_a_description_names_are_not_looked_for(
    tmp_path: Path, folder: Path
) -> None:
    write_voice(folder, "x", "ru", model="/etc/passwd", phonemizer={"path": "/etc"}, hop_length=9)
    (voice,) = piper_voices(tmp_path).voices
    assert len(said(voice, "Мама."))
    assert set(voice._network.description.model_dump()) == {  # type: ignore[attr-defined]
        *("audio", "espeak", "inference", "phoneme_type", "phoneme_id_map"),
        *("num_symbols", "num_speakers", "speaker_id_map"),
    }


def test_a_variant_that_espeak_does_not_have_is_told(tmp_path: Path, folder: Path) -> None:
    write_voice(folder, "x", "qq-nowhere", espeak={"voice": "ru-x-nowhere-at"})
    (voice,) = piper_voices(tmp_path).voices
    for attempt in (voice.warm, lambda: said(voice, "Мама.")):
        with pytest.raises(VoiceFailed, match="piper:x failed: .*voice"):
            attempt()


@pytest.mark.parametrize(
    "content", [None, b"", b"{", b"[]", b"\xff\xfe", b"{}", b"[" * 100_000, b" " * (1 << 21)]
)
def test_a_missing_or_damaged_description_is_told(
    tmp_path: Path, folder: Path, content: bytes | None
) -> None:
    path = write_voice(folder, "x", "ru")
    description = path.with_name("x.onnx.json")
    description.unlink() if content is None else description.write_bytes(content)
    found = piper_voices(tmp_path)
    assert not found.voices and str(description) in found.missing[0].why


def test_a_cut_a_foreign_and_a_vanished_network_are_told(tmp_path: Path, folder: Path) -> None:
    path = write_voice(folder, "x", "ru")
    whole = path.read_bytes()
    other = write_voice(folder, "y", "ru", SIX).read_bytes()  # takes a speaker too
    for content in (whole[: len(whole) // 2], b"<html>Not found</html>", b"", other):
        path.write_bytes(content)
        voice = next(v for v in piper_voices(tmp_path).voices if v.id == "piper:x")
        for attempt in (voice.warm, lambda voice=voice: said(voice, "Мама.")):
            with pytest.raises(VoiceFailed, match=r"x\.onnx cannot be loaded: bring it again"):
                attempt()
    path.unlink()
    with pytest.raises(VoiceFailed, match=r"x\.onnx"):
        voice.warm()
    path.write_bytes(whole)  # brought again: no new start is needed
    assert len(said(voice, "Мама."))


def test_names_that_are_no_ids_are_passed_over(tmp_path: Path, folder: Path) -> None:
    write_voice(folder, "two words", "ru")
    found = piper_voices(tmp_path)
    assert not found.voices and "two words" in found.missing[0].why


def test_no_connection_is_tried(monkeypatch: pytest.MonkeyPatch, russian: Synthesizer) -> None:
    tried: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda *a: tried.append(a))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: tried.append(a))
    assert len(said(russian, "Мама.")) and not tried


def test_sounds_that_a_voice_lacks_are_left_out_and_not_logged(
    tmp_path: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    few = {sign: ids for sign, ids in IDS.items() if sign != "m"}
    write_voice(folder, "x", "ru", phoneme_id_map=few)
    (voice,) = piper_voices(tmp_path).voices
    assert heard(said(voice, "Мама.")) == "ɑa"
    assert not caplog.records


def test_the_description_of_a_published_voice_is_read(tmp_path: Path, folder: Path) -> None:
    """The older ones have no phoneme_type and fewer sounds."""
    path = write_voice(folder, "kk_KZ-raya-x_low", "kk")
    description = path.with_name(path.name + ".json")
    written = json.loads(description.read_text(encoding="utf-8"))
    del written["phoneme_type"]
    written |= {"audio": {"sample_rate": 16000}, "num_symbols": 130, "piper_version": "0.2.0"}
    written["phoneme_id_map"] = {k: v for k, v in IDS.items() if v[0] < 130}
    description.write_text(json.dumps(written), encoding="utf-8")
    (voice,) = piper_voices(tmp_path).voices
    assert voice.sample_rate == 16000 and len(said(voice, "Сәлем, әлем!"))
