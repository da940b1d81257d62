from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app_core.lipsync.viseme.articulation import CLOSE, JAW, OPEN, TEETH, WIDE
from app_core.lipsync.viseme.features import Articulation
from app_core.speech.voices.espeak import EspeakVoice
from app_core.types import Float32, Phoneme, Speech, frame_count
from tests.fakes import spoken_by

TEXTS = {
    "ru": "Погода завтра будет солнечной, без осадков. Вечером мы пойдём в театр.",
    "kk": "Базардан нан, сүт, ет және алма сатып алдық. Дәрігер су ішуге кеңес берді.",
    "en": "The weather tomorrow will be sunny. Children love to play with puppies in the park.",
}


def tracks(*pieces: Speech, fps: int = 25) -> Float32:
    stream = Articulation(fps)
    return np.concatenate([*map(stream.push, pieces), stream.finish()])


def heard(pcm: Float32, rate: int) -> Speech:
    return Speech(0, "", pcm.astype(np.float32), rate, None)


@pytest.mark.parametrize("language", TEXTS)
def test_it_follows_what_phonemes_would_give(language: str) -> None:
    pieces = list(spoken_by(EspeakVoice(), TEXTS[language], language))
    expected = tracks(*pieces)
    found = tracks(*(replace(piece, phonemes=None) for piece in pieces))
    assert found.shape == expected.shape
    for track, least in ((JAW, 0.6), (OPEN, 0.45)):
        assert np.corrcoef(found[:, track], expected[:, track])[0, 1] > least
    assert found[:, OPEN].max() > 0.5
    assert (np.delete(found, WIDE, 1) >= 0).all() and np.abs(found).max() <= 1


@pytest.mark.parametrize("rate", [8000, 11025, 12345, 44100, 48000])
def test_frames_do_not_depend_on_the_cut(rate: int) -> None:
    random = np.random.default_rng(rate)
    loud = np.repeat(np.resize([0.3, 0.2, 0.003], 60), rate // 14)
    pcm = loud * voiced(len(loud) / rate, rate)[: len(loud)]
    cuts = np.sort(random.integers(0, len(pcm), 9))
    whole = tracks(heard(pcm, rate), fps=24)
    parts = tracks(*(heard(part, rate) for part in np.split(pcm, cuts)), fps=24)
    assert len(whole) == frame_count(len(pcm), rate, 24)
    assert np.allclose(whole, parts, atol=1e-5)
    assert 5 < (whole[:, CLOSE] == 1).sum() < len(whole) / 2


@pytest.mark.parametrize("level", [0.0, 1e-5])
def test_silence_is_rest(level: float) -> None:
    pcm = np.random.default_rng(1).normal(0, level, 16000)
    assert not tracks(heard(pcm, 16000)).any()


def voiced(seconds: float, rate: int, level: float = 0.2) -> Float32:
    """A buzz of 120 Hz with most of its power around 700 Hz."""
    time = np.arange(round(seconds * rate)) / rate
    harmonics = [np.sin(2 * np.pi * 120 * k * time) / (1 + abs(k - 6)) for k in range(1, 25)]
    return (level * np.sum(harmonics, axis=0)).astype(np.float32)


def test_a_short_dip_between_vowels_seals_the_lips() -> None:
    rate = 16000
    pcm = np.concatenate([voiced(0.4, rate), voiced(0.07, rate, 0.004), voiced(0.4, rate)])
    found = tracks(heard(pcm, rate))
    sealed = np.flatnonzero((found[:, CLOSE] == 1) & (found[:, OPEN] == 0))
    assert len(sealed) >= 1 and np.abs((sealed + 0.5) / 25 - 0.435).max() < 0.08
    assert found[4:8, OPEN].min() > 0.3
    steady = tracks(heard(voiced(0.87, rate), rate))
    assert not steady[:, CLOSE].any()


def test_a_hiss_shows_teeth_and_a_vowel_opens() -> None:
    rate = 22050
    noise = np.random.default_rng(3).normal(0, 0.1, rate // 2)
    hiss = np.diff(noise, 2, prepend=(0.0, 0.0))
    found = tracks(heard(np.concatenate([voiced(0.5, rate), hiss]), rate))
    vowel, fricative = found[3:9], found[16:22]
    assert fricative[:, TEETH].mean() > vowel[:, TEETH].mean() + 0.1
    assert vowel[:, OPEN].mean() > fricative[:, OPEN].mean()


def test_pieces_with_and_without_phonemes_may_mix() -> None:
    first, second = spoken_by(EspeakVoice(), "Мама мыла раму. Папа купил хлеб.", "ru")
    known = tracks(first, second)
    mixed = tracks(first, replace(second, phonemes=None))
    border = int(len(first.pcm) / first.sample_rate * 25)
    assert known.shape == mixed.shape
    assert np.allclose(known[: border - 12], mixed[: border - 12], atol=1e-5)
    assert mixed[border + 3 :, OPEN].max() > 0.3


def test_noise_after_a_voice_is_not_taken_for_one() -> None:
    """A transcript that ends leaves the rest to the sound, whose measure is the voice before."""
    rate, fps = 16_000, 25
    rng = np.random.default_rng(0)
    voice = (0.3 * np.sin(2 * np.pi * 150 * np.arange(2 * rate) / rate)).astype(np.float32)
    noise = (0.004 * rng.normal(size=2 * rate)).astype(np.float32)
    said = Speech(0, "а", voice, rate, [Phoneme("a", 0.0, 2.0)])
    found = tracks(said, replace(heard(noise, rate), index=1), fps=fps)
    assert len(found) == 100
    assert found[20:40, OPEN].min() > 0.5
    assert found[60:, JAW : OPEN + 1].max() < 0.05
