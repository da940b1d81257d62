from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import soxr

from app_core.lipsync.viseme.articulation import CLOSE, JAW, OPEN, ROUND, TEETH, WIDE
from app_core.lipsync.viseme.features import Articulation
from app_core.lipsync.viseme.heard.heard_articulation import HeardArticulation
from app_core.lipsync.viseme.visemes import CLOSING
from app_core.speech.voices.espeak import EspeakVoice
from app_core.types import Float32, Phoneme, Speech, frame_count
from tests.fakes import spoken_by

FPS = 25
NEAR_S = 0.04

TEXTS = {
    "ru": "Погода завтра будет солнечной, без осадков. Вечером мы пойдём в театр. Мама купила "
    "хлеб, а папа поймал большую рыбу. Под мостом плыл белый пароход.",
    "kk": "Базардан нан, сүт, ет және алма сатып алдық. Дәрігер су ішуге кеңес берді. Балалар "
    "мектепте математика пәнін оқып отыр. Апам маған әдемі көйлек алып берді.",
    "en": "The weather tomorrow will be sunny. Children love to play with puppies in the park. My "
    "baby brother broke the lamp. Please bring me a map of the public library.",
}
"""None of these sentences was trained on."""


def tracks(*pieces: Speech, fps: int = FPS) -> Float32:
    stream = Articulation(fps)
    return np.concatenate([*map(stream.push, pieces), stream.finish()])


def heard(pcm: Float32, rate: int) -> Speech:
    return Speech(0, "", pcm.astype(np.float32), rate, None)


def said(text: str, language: str) -> tuple[Float32, int, list[Phoneme]]:
    """The sound of a whole text and its phonemes."""
    start, parts, phonemes = 0.0, [], []
    for speech in spoken_by(EspeakVoice(), text, language):
        parts.append(speech.pcm)
        phonemes += [
            Phoneme(p.ipa, start + p.start_s, start + p.end_s) for p in speech.phonemes or ()
        ]
        start += len(speech.pcm) / speech.sample_rate
    return np.concatenate(parts), EspeakVoice.sample_rate, phonemes


def closures(found: Float32, fps: int = FPS) -> np.ndarray:
    """Start and end of each run of frames with sealed lips, in seconds, (closures, 2)."""
    closed = np.concatenate([[0], found[:, CLOSE] == 1, [0]]).astype(int)
    return np.flatnonzero(np.diff(closed)).reshape(-1, 2) / fps


def near(phonemes: list[Phoneme], found: np.ndarray) -> np.ndarray:
    """Which m, b and p (rows) have which closures (columns) within NEAR_S."""
    seals = np.array([(p.start_s, p.end_s) for p in phonemes if p.ipa and p.ipa[0] in CLOSING])
    apart = np.maximum(seals[:, None, 0] - found[None, :, 1], found[None, :, 0] - seals[:, None, 1])
    return np.asarray(apart <= NEAR_S)


@pytest.mark.parametrize("language", TEXTS)
def test_it_follows_what_phonemes_would_give(language: str) -> None:
    pieces = list(spoken_by(EspeakVoice(), TEXTS[language], language))
    expected = tracks(*pieces)
    found = tracks(*(replace(piece, phonemes=None) for piece in pieces))
    assert found.shape == expected.shape
    for track, least in ((JAW, 0.8), (OPEN, 0.8), (WIDE, 0.5), (ROUND, 0.5), (TEETH, 0.7)):
        assert np.corrcoef(found[:, track], expected[:, track])[0, 1] > least, track
    assert found[:, OPEN].max() > 0.5
    assert (np.delete(found, WIDE, 1) >= 0).all() and np.abs(found).max() <= 1


@pytest.mark.parametrize("language", TEXTS)
def test_lips_close_on_m_b_p_and_seldom_elsewhere(language: str) -> None:
    pcm, rate, phonemes = said(TEXTS[language], language)
    matched = near(phonemes, closures(tracks(heard(pcm, rate))))
    assert len(matched) >= 12
    assert matched.any(1).mean() >= 0.7
    assert matched.any(0).mean() >= 0.8


def test_lips_close_in_noise() -> None:
    pcm, rate, phonemes = said(TEXTS["en"], "en")
    noise = np.random.default_rng(0).normal(0, 1, len(pcm))
    loud = np.sqrt(np.mean(pcm[np.abs(pcm) > 0.02] ** 2))
    matched = near(phonemes, closures(tracks(heard(pcm + noise * loud * 10 ** (-20 / 20), rate))))
    assert matched.any(1).mean() >= 0.5
    assert matched.any(0).mean() >= 0.6


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_any_sample_rate_closes_the_lips_at_the_same_moments(rate: int) -> None:
    pcm, own, phonemes = said(TEXTS["kk"], "kk")
    matched = near(phonemes, closures(tracks(heard(soxr.resample(pcm, own, rate), rate))))
    assert matched.any(1).mean() >= 0.6
    assert matched.any(0).mean() >= 0.7


@pytest.mark.parametrize("rate", [8000, 11025, 12345, 44100, 48000])
def test_frames_do_not_depend_on_the_cut(rate: int) -> None:
    random = np.random.default_rng(rate)
    pcm, own, _ = said("Мама мыла раму. Папа купил хлеб.", "ru")
    pcm = soxr.resample(pcm, own, rate)
    cuts = np.sort(random.integers(0, len(pcm), 9))
    whole = tracks(heard(pcm, rate), fps=24)
    parts = tracks(*(heard(part, rate) for part in np.split(pcm, cuts)), fps=24)
    assert len(whole) == frame_count(len(pcm), rate, 24)
    assert np.allclose(whole, parts, atol=1e-5)
    assert 3 < (whole[:, CLOSE] == 1).sum() < len(whole) / 2


@pytest.mark.parametrize("moment_s", [0.7, 1.13, 1.6])
def test_nothing_changes_with_what_is_heard_120_ms_later(moment_s: float) -> None:
    pcm, rate, _ = said("Папа купил большую лампу, а мама белый платок.", "ru")
    moments = np.arange(0.0, moment_s, 0.004)
    known = round((moment_s + 0.12) * rate)
    random = np.random.default_rng(1)
    found = []
    for after in (pcm[known:], np.zeros(rate), random.normal(0, 0.3, rate)):
        listener = HeardArticulation(rate, 0.0)
        listener.push(np.concatenate([pcm[:known], after]).astype(np.float32), last=True)
        found.append(listener.tracks(moments, 0.02))
    assert np.abs(found[0] - found[1]).max() < 1e-5
    assert np.abs(found[0] - found[2]).max() < 1e-5
    assert found[0].max() == 1


@pytest.mark.parametrize("gain", [0.1, 3.0])
def test_the_gain_does_not_matter(gain: float) -> None:
    pcm, rate, _ = said("Балалар мектепте математика пәнін оқып отыр.", "kk")
    plain, louder = (HeardArticulation(rate, 0.0) for _ in range(2))
    plain.push(pcm, last=True)
    louder.push((pcm * gain).astype(np.float32), last=True)
    moments = np.arange(0.3, len(pcm) / rate, 0.01)
    apart = np.abs(plain.tracks(moments, 0.02) - louder.tracks(moments, 0.02))
    assert np.percentile(apart, 98) < 0.02 and apart.mean() < 0.002


@pytest.mark.parametrize("level", [0.0, 1e-5])
def test_silence_is_rest(level: float) -> None:
    pcm = np.random.default_rng(1).normal(0, level, 16000)
    assert not tracks(heard(pcm, 16000)).any()


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0])
def test_noise_alone_is_rest(slope: float) -> None:
    """White, pink and brown, after the third of a second in which it could have been a voice."""
    spectrum = np.fft.rfft(np.random.default_rng(2).normal(size=4 * 16000))
    hz = np.fft.rfftfreq(4 * 16000, 1 / 16000)
    noise = np.fft.irfft(spectrum / np.maximum(hz, 50) ** slope)
    found = tracks(heard(noise / np.abs(noise).max() * 0.2, 16000))
    assert found[9:, JAW : OPEN + 1].max() < 0.15
    assert not (found[:, CLOSE] == 1).any()


def test_pieces_with_and_without_phonemes_may_mix() -> None:
    first, second = spoken_by(EspeakVoice(), "Мама мыла раму. Папа купил хлеб.", "ru")
    known = tracks(first, second)
    mixed = tracks(first, replace(second, phonemes=None))
    border = int(len(first.pcm) / first.sample_rate * FPS)
    assert known.shape == mixed.shape
    assert np.allclose(known[: border - 12], mixed[: border - 12], atol=1e-5)
    assert mixed[border + 3 :, OPEN].max() > 0.3


def test_noise_after_a_voice_is_not_taken_for_one() -> None:
    """A transcript that ends leaves the rest to the sound, whose measure is the voice before."""
    rate, fps = 16_000, 25
    rng = np.random.default_rng(0)
    voice = (0.3 * np.sin(2 * np.pi * 150 * np.arange(2 * rate) / rate)).astype(np.float32)
    noise = (0.004 * rng.normal(size=2 * rate)).astype(np.float32)
    spoken = Speech(0, "а", voice, rate, [Phoneme("a", 0.0, 2.0)])
    found = tracks(spoken, replace(heard(noise, rate), index=1), fps=fps)
    assert len(found) == 100
    assert found[20:40, OPEN].min() > 0.5
    assert found[60:, JAW : OPEN + 1].max() < 0.05


def test_what_is_not_needed_any_more_is_forgotten() -> None:
    pcm, rate, _ = said(TEXTS["ru"], "ru")
    pcm = np.tile(pcm, 6)
    kept, forgetting = HeardArticulation(rate, 0.0), HeardArticulation(rate, 0.0)
    kept.push(pcm, last=True)
    for second in range(len(pcm) // rate - 1):
        forgetting.push(pcm[second * rate : (second + 1) * rate])
        moments = np.arange(max(second - 0.7, 0.0), second + 0.3, 0.04)
        expected = kept.tracks(moments, 0.02)
        assert np.abs(forgetting.tracks(moments, 0.02) - expected).max() < 1e-4
        forgetting.forget(second - 0.5)
        assert len(forgetting._found) < 400
