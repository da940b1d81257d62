from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app_core.speech.level.mastering import Mastering, warm
from app_core.speech.level.voice_level import VoiceLevel
from app_core.speech.voices.espeak import EspeakVoice
from app_core.types import Float32, Prosody
from tests.fakes import spoken_by
from tests.speech.level.ffmpeg_meter import ffmpeg_meter
from tests.speech.level.sentences import SENTENCES
from tests.speech.level.sounds import RATE, decibels, in_parts, noise, sentence, speech
from tests.speech.level.test_trim import padded

PART = RATE // 4


def raw(language: str, index: int, gain_db: float) -> Float32:
    """As another engine might say it: with silence at both ends, at another level."""
    return padded(sentence(language, index) * np.float32(10 ** (gain_db / 20)), 0.3, 0.4, -85)


def mastered(level: VoiceLevel, pcm: Float32, most: int = 0) -> Float32:
    mastering = Mastering(level, RATE)
    return in_parts(mastering.push, pcm, most) if most else mastering.push(pcm, last=True)


@pytest.mark.parametrize("language", SENTENCES)
def test_espeak_speaks_at_minus_eighteen(language: str) -> None:
    found = ffmpeg_meter(speech(language), RATE)
    assert found.lufs == pytest.approx(-18, abs=0.5)
    assert found.dbtp <= -1


@pytest.mark.parametrize("language", SENTENCES)
@pytest.mark.parametrize("semitones", [-12.0, 12.0])
def test_espeak_is_as_loud_at_another_pitch(language: str, semitones: float) -> None:
    text = " ".join(SENTENCES[language])
    spoken = spoken_by(EspeakVoice(), text, language, Prosody(pitch=semitones))
    found = ffmpeg_meter(np.concatenate([part.pcm for part in spoken]), RATE)
    assert found.lufs == pytest.approx(-18, abs=1)
    assert found.dbtp <= -1


@pytest.mark.parametrize("sample_rate", [8000, 16000, 24000, 44100, 48000])
def test_every_rate_is_brought_to_minus_eighteen(sample_rate: int) -> None:
    pcm = noise(0.02, sample_rate)
    pcm[sample_rate] = 0.4
    found = Mastering(VoiceLevel(), sample_rate).push(pcm, last=True)
    theirs = ffmpeg_meter(found, sample_rate)
    assert theirs.lufs == pytest.approx(-18, abs=0.6)
    assert -1.5 < theirs.dbtp <= -1, "the click alone is limited"


@pytest.mark.parametrize("gain_db", [-20.0, -8.0, 6.0])
@pytest.mark.parametrize("most", [0, PART])
def test_a_voice_of_any_level_is_brought_to_minus_eighteen(gain_db: float, most: int) -> None:
    level = VoiceLevel()
    parts = [mastered(level, raw("en", index, gain_db), most) for index in range(10)]
    found = ffmpeg_meter(np.concatenate(parts), RATE)
    assert found.lufs == pytest.approx(-18, abs=1)
    assert found.dbtp <= -1


@pytest.mark.parametrize("most", [50, PART, 3 * PART])
def test_the_parts_in_which_a_sentence_comes_do_not_matter(most: int) -> None:
    pcm = raw("ru", 2, 0.0)
    for measured in (9.0, None):
        levels = [VoiceLevel(measured), VoiceLevel(measured)]
        if measured is None:
            for level in levels:
                mastered(level, raw("ru", 0, 0.0))
        whole, cut = mastered(levels[0], pcm), mastered(levels[1], pcm, most)
        assert len(whole) == len(cut) and np.allclose(whole, cut, atol=1e-6)
        assert levels[0].gain_db == pytest.approx(levels[1].gain_db, abs=1e-6)


def test_the_first_sentence_begins_before_it_has_ended() -> None:
    mastering = Mastering(VoiceLevel(), RATE)
    pcm = raw("en", 2, -8.0)
    begun = next(at for at in range(0, len(pcm), PART) if len(mastering.push(pcm[at : at + PART])))
    assert begun / RATE <= 0.3 + 0.7 + 0.25


def test_one_gain_for_a_sentence_that_begins_loudly_and_ends_softly() -> None:
    loud, soft = noise(0.05, seconds=1.5), noise(0.005, seconds=1.5, seed=1)
    found = mastered(VoiceLevel(), np.concatenate([loud, soft]), PART)
    assert len(found) == len(loud) + len(soft)
    fall = decibels(found[:RATE]) - decibels(found[-RATE:])
    assert fall == pytest.approx(decibels(loud) - decibels(soft), abs=0.3)


def test_sentences_join_without_a_click() -> None:
    level = VoiceLevel()
    parts = [mastered(level, raw("kk", index, -8.0)) for index in range(4)]
    for part in parts:
        assert abs(part[0]) < 1e-3 and abs(part[-1]) < 1e-3
    joined = np.concatenate(parts)
    steps = np.abs(np.diff(joined))
    for edge in np.cumsum([len(part) for part in parts])[:-1]:
        assert steps[edge - 50 : edge + 50].max() < 0.02 * steps.max()


def test_a_short_word_and_nothing_at_all_come_through() -> None:
    word = padded(noise(0.05, seconds=0.1), 0.2, 0.2)
    level = VoiceLevel()
    assert len(mastered(level, word, 500)) == pytest.approx(0.19 * RATE, abs=0.012 * RATE)
    assert level.gain_db is None
    assert len(mastered(level, word[:0])) == 0
    assert len(mastered(level, np.zeros(RATE, np.float32), PART)) == 0


def test_what_is_left_out_at_the_beginning_is_told() -> None:
    pcm = padded(noise(0.05, seconds=1.0), 0.3, 0.0)
    mastering = Mastering(VoiceLevel(12.0), RATE)
    mastering.push(pcm, last=True)
    assert mastering.dropped / RATE == pytest.approx(0.27, abs=0.006)


def test_warming_is_for_every_later_sentence() -> None:
    from app_core.speech.level import limiter, true_peak, weighting

    kernels: tuple[Any, ...] = (limiter._follow, true_peak.peaks, weighting._energies)
    warm()
    for compiled in kernels:
        assert len(compiled.signatures) == 1, "parts of another kind would be compiled anew"
    mastered(VoiceLevel(), raw("ru", 1, 6.0), PART)
    for compiled in kernels:
        assert len(compiled.signatures) == 1
