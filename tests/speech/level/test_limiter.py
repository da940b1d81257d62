from __future__ import annotations

import numpy as np
import pytest

from app_core.speech.level.limiter import CEILING_DBTP, Limiter, limited
from app_core.types import Float32
from tests.speech.level.ffmpeg_meter import ffmpeg_meter
from tests.speech.level.sentences import SENTENCES
from tests.speech.level.sounds import RATE, in_parts, noise, sentence, speech, tone

CEILING = 10 ** (CEILING_DBTP / 20)


@pytest.mark.parametrize("language", SENTENCES)
@pytest.mark.parametrize("louder", [2.0, 8.0])
def test_speech_stays_under_minus_one(language: str, louder: float) -> None:
    pcm = limited(speech(language) * np.float32(louder), RATE)
    assert ffmpeg_meter(pcm, RATE).dbtp == pytest.approx(CEILING_DBTP, abs=0.1)


@pytest.mark.parametrize("sample_rate", [16000, 22050, 24000, 48000])
def test_noise_and_clicks_stay_under_minus_one(sample_rate: int) -> None:
    pcm = noise(0.3, sample_rate)
    pcm[sample_rate // 2 :: sample_rate // 7] = 3
    assert ffmpeg_meter(pcm, sample_rate).dbtp > 6
    assert ffmpeg_meter(limited(pcm, sample_rate), sample_rate).dbtp <= -1


def test_what_is_not_too_loud_is_the_same() -> None:
    pcm = tone(300, CEILING * 0.999)
    assert np.array_equal(limited(pcm, RATE), pcm)


@pytest.mark.parametrize("most", [5, 300, 5512, 60000])
@pytest.mark.parametrize("louder", [1.0, 1.5, 6.0])
def test_the_parts_in_which_a_sound_comes_do_not_matter(most: int, louder: float) -> None:
    pcm = sentence("kk", 3) * np.float32(louder)
    assert np.allclose(in_parts(Limiter(RATE).push, pcm, most), limited(pcm, RATE), atol=1e-6)


def test_nothing_is_shifted_or_lost() -> None:
    pcm = np.zeros(RATE, np.float32)
    pcm[:100] = 0.2
    pcm[9000], pcm[9700] = 0.5, -2.0
    found = limited(pcm, RATE)
    assert len(found) == len(pcm)
    assert np.array_equal(found[:8000], pcm[:8000]), "before anything is too loud"
    assert np.argmax(np.abs(found)) == 9700 and found[9700] == pytest.approx(-CEILING, abs=0.02)
    assert np.flatnonzero(found[8000:]).tolist() == [1000, 1700]


def test_half_a_dozen_milliseconds_are_held_back() -> None:
    limiter = Limiter(RATE)
    given = len(limiter.push(tone(300, 1.5)[:RATE]))
    assert RATE - 0.007 * RATE < given < RATE - 0.005 * RATE


def test_a_loud_end_and_a_loud_beginning_are_limited_too() -> None:
    pcm = np.full(300, 2.0, np.float32)
    found = limited(pcm, RATE)
    assert len(found) == 300 and np.abs(found).max() <= CEILING + 1e-6
    assert len(limited(pcm[:1], RATE)) == 1 and len(limited(pcm[:0], RATE)) == 0


def unlike_a_sine(pcm: Float32, frequency: int) -> float:
    """Power of all but ``frequency`` in a second of sound, decibels of that of ``frequency``."""
    power = np.abs(np.fft.rfft(pcm[RATE : 2 * RATE] * np.hanning(RATE))) ** 2
    wanted = power[frequency - 3 : frequency + 4].sum()
    return 10 * float(np.log10((power.sum() - wanted) / wanted))


@pytest.mark.parametrize("frequency", [85, 120, 220, 1000])
def test_a_steady_tone_stays_a_pure_tone(frequency: int) -> None:
    loud = tone(frequency, 1.6)
    assert unlike_a_sine(limited(loud, RATE), frequency) < -90
    assert unlike_a_sine(np.clip(loud, -CEILING, CEILING), frequency) > -30, "what a clipper does"


def test_the_gain_comes_back_smoothly() -> None:
    pcm = tone(1000, 0.4)
    pcm[RATE : RATE + 40] *= 6
    found = limited(pcm, RATE)
    hops = range(0, 40000, 22)
    gains = np.array(
        [np.abs(found[n : n + 22]).max() / np.abs(pcm[n : n + 22]).max() for n in hops]
    )
    lowest = int(np.argmin(gains))
    assert gains[lowest] < 0.5 and abs(lowest * 22 - RATE) < 0.013 * RATE
    assert np.all(np.diff(gains[lowest + 15 : lowest + 600]) > -0.01), "it only rises"
    assert np.diff(gains).max() < 0.03, "without a jump"
    assert gains[-1] == 1
