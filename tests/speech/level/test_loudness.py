from __future__ import annotations

import numpy as np
import pytest

from app_core.speech.level.loudness import Blocks, LoudnessMeter
from app_core.types import Float32
from tests.speech.level.ffmpeg_meter import ffmpeg_meter
from tests.speech.level.sentences import SENTENCES
from tests.speech.level.sounds import RATE, noise, sentence, speech, tone
from tests.speech.level.true_peak_meter import TruePeak


def lufs(pcm: Float32, sample_rate: int = RATE) -> float:
    meter = LoudnessMeter(sample_rate)
    meter.push(pcm)
    found = meter.lufs()
    assert found is not None
    return found


def dbtp(pcm: Float32) -> float:
    meter = TruePeak()
    meter.push(pcm, last=True)
    return meter.dbtp()


def test_a_sine_of_full_scale_is_what_the_standard_says() -> None:
    sound = tone(997, 1.0, 48000, 5.0)
    assert lufs(sound, 48000) == pytest.approx(-3.01, abs=0.05)


@pytest.mark.parametrize("language", SENTENCES)
def test_speech_has_the_level_that_ffmpeg_measures(language: str) -> None:
    pcm = speech(language)
    theirs = ffmpeg_meter(pcm, RATE)
    assert lufs(pcm) == pytest.approx(theirs.lufs, abs=0.1)
    assert dbtp(pcm) == pytest.approx(theirs.dbtp, abs=0.2)


@pytest.mark.parametrize("sample_rate", [16000, 22050, 24000, 44100, 48000])
@pytest.mark.parametrize("kind", ["bass", "middle", "treble", "noise", "a whisper and a shout"])
def test_every_rate_has_the_level_that_ffmpeg_measures(kind: str, sample_rate: int) -> None:
    sounds = {
        "bass": tone(100, 0.3, sample_rate),
        "middle": tone(1000, 0.3, sample_rate),
        "treble": tone(5000, 0.3, sample_rate),
        "noise": noise(0.1, sample_rate),
        "a whisper and a shout": np.concatenate(
            [noise(0.01, sample_rate), noise(0.2, sample_rate, seed=1)]
        ),
    }
    pcm = sounds[kind]
    theirs = ffmpeg_meter(pcm, sample_rate)
    assert lufs(pcm, sample_rate) == pytest.approx(theirs.lufs, abs=0.11)
    assert dbtp(pcm) == pytest.approx(theirs.dbtp, abs=0.2)


def test_a_peak_between_two_samples_is_seen() -> None:
    """A quarter of the rate, sampled at 45 degrees: the samples are 3 dB below the wave."""
    times = np.arange(4000)
    edges = np.minimum(1, np.minimum(times, times[::-1]) / 400)
    pcm = (0.5 * np.sin(np.pi / 2 * times + np.pi / 4) * edges).astype(np.float32)
    assert 20 * np.log10(np.abs(pcm).max()) == pytest.approx(-9.03, abs=0.01)
    assert dbtp(pcm) == pytest.approx(-6.02, abs=0.05)


@pytest.mark.parametrize("most", [7, 500, 5512, 40000])
def test_the_parts_in_which_a_sound_comes_do_not_matter(most: int) -> None:
    pcm = sentence("ru", 1)
    sizes = np.random.default_rng(most)
    loudness, peak, at = LoudnessMeter(RATE), TruePeak(), 0
    while at < len(pcm):
        size = int(sizes.integers(0, most + 1))
        loudness.push(pcm[at : at + size])
        peak.push(pcm[at : at + size])
        at += size
    peak.push(pcm[:0], last=True)
    assert loudness.lufs() == pytest.approx(lufs(pcm), abs=1e-6)
    assert peak.dbtp() == pytest.approx(dbtp(pcm), abs=1e-4)


def test_pauses_do_not_count() -> None:
    pcm = speech("en")
    longer = np.concatenate([np.zeros(5 * RATE, np.float32), pcm, noise(1e-4, seconds=10.0)])
    assert lufs(longer) == pytest.approx(lufs(pcm), abs=0.1)


def test_silence_and_a_short_sound_have_no_loudness() -> None:
    meter = LoudnessMeter(RATE)
    meter.push(np.zeros(RATE, np.float32))
    assert meter.lufs() is None
    meter = LoudnessMeter(RATE)
    meter.push(tone(500, 0.5, seconds=0.39))
    assert meter.lufs() is None
    assert dbtp(np.zeros(0, np.float32)) == -120


def test_what_was_heard_long_ago_weighs_less() -> None:
    loud, soft = 10**-1.8, 10**-2.2
    blocks = Blocks()
    blocks.add(np.full(1000, loud))
    blocks.fade(100)
    assert blocks.count == pytest.approx(100)
    blocks.add(np.full(100, soft))
    assert blocks.lufs() == pytest.approx(-0.691 + 10 * np.log10((loud + soft) / 2), abs=0.01)
    blocks.fade(1000)
    assert blocks.count == pytest.approx(200), "nothing weighs more than it did"
