from __future__ import annotations

import numpy as np
import pytest

from app_core.speech.level.trim import FADE_S, Trim
from app_core.types import Float32
from tests.speech.level.sounds import RATE, decibels, in_parts, noise, sentence, tone

LEVEL = -18.0


def trimmed(pcm: Float32) -> tuple[Float32, int]:
    trim = Trim(RATE, LEVEL)
    found = trim.push(pcm, last=True)
    assert trim.dropped is not None
    return found, trim.dropped


def ms(samples: float) -> float:
    return samples / RATE * 1000


def padded(pcm: Float32, before_s: float, after_s: float, floor_db: float = -100.0) -> Float32:
    """Between two stretches of silence with a noise floor, decibels of full scale."""
    before, after = int(before_s * RATE), int(after_s * RATE)
    whole = noise(10 ** (floor_db / 20), seconds=(before + len(pcm) + after + 1) / RATE)
    whole = whole[: before + len(pcm) + after]
    whole[before : before + len(pcm)] += pcm
    return whole


@pytest.mark.parametrize("floor_db", [-100.0, -75.0, -58.0])
def test_silence_at_both_ends_goes(floor_db: float) -> None:
    word = noise(0.1, seconds=0.5)
    pcm = padded(word, 0.3, 0.4, floor_db)
    found, dropped = trimmed(pcm)
    assert ms(dropped) == pytest.approx(300 - 30, abs=6)
    assert ms(len(found)) == pytest.approx(30 + 500 + 60, abs=12)
    inner = slice(int(0.01 * RATE), len(found) - int(0.01 * RATE))
    assert np.array_equal(found[inner], pcm[dropped:][: len(found)][inner])


@pytest.mark.parametrize("most", [3, 200, 5512])
@pytest.mark.parametrize("language", ["ru", "en"])
def test_the_parts_in_which_a_sound_comes_do_not_matter(language: str, most: int) -> None:
    pcm = padded(sentence(language, 3), 0.31, 0.43, -70)
    expected, _ = trimmed(pcm)
    found = in_parts(Trim(RATE, LEVEL).push, pcm, most)
    assert len(found) == len(expected) and np.allclose(found, expected, atol=1e-7)


def test_a_pause_inside_stays() -> None:
    first, second = noise(0.1, seconds=0.4), noise(0.1, seconds=0.4, seed=1)
    pcm = padded(np.concatenate([first, np.zeros(RATE, np.float32), second]), 0.2, 0.2)
    found, _ = trimmed(pcm)
    assert ms(len(found)) == pytest.approx(30 + 400 + 1000 + 400 + 60, abs=12)


def test_the_closure_before_a_last_burst_stays() -> None:
    """As in "cat": the sound is gone for a tenth of a second before its last consonant."""
    vowel, burst = tone(200, 0.3, seconds=0.3), noise(0.02, seconds=0.015)
    pcm = padded(np.concatenate([vowel, np.zeros(RATE // 10, np.float32), burst]), 0.2, 0.5)
    found, dropped = trimmed(pcm)
    assert ms(dropped + len(found)) == pytest.approx(200 + 300 + 100 + 15 + 60, abs=6)


def test_a_soft_last_consonant_is_not_cut() -> None:
    """A last f is 30 dB below the vowels."""
    vowel, hiss = tone(200, 0.3, seconds=0.3), noise(0.004, seconds=0.15)
    assert decibels(vowel) - decibels(hiss) > 30
    pcm = padded(np.concatenate([vowel, hiss]), 0.2, 0.5)
    found, dropped = trimmed(pcm)
    assert ms(dropped + len(found)) >= 200 + 300 + 150


@pytest.mark.parametrize("most", [200, 200000])
def test_both_ends_fade_without_a_click(most: int) -> None:
    pcm = padded(tone(150, 0.5)[RATE : RATE + 4000], 0.0, 0.0)
    found = in_parts(Trim(RATE, LEVEL).push, pcm, most)
    fade = round(FADE_S * RATE)
    assert len(found) == len(pcm)
    shares = found[:fade] / pcm[:fade]
    assert shares[0] < 0.01 and shares[-1] > 0.99 and np.all(np.diff(shares) > 0)
    assert shares[fade // 2] == pytest.approx(0.5, abs=0.03)
    shares = found[-fade:] / pcm[-fade:]
    assert shares[-1] < 0.01 and shares[0] > 0.99 and np.all(np.diff(shares) < 0)
    assert np.array_equal(found[fade:-fade], pcm[fade:-fade])


def test_sound_is_given_while_it_comes_and_a_quiet_tail_is_held() -> None:
    trim = Trim(RATE, LEVEL)
    assert len(trim.push(np.zeros(RATE, np.float32))) == 0
    word = noise(0.1, seconds=1.0)
    given = len(trim.push(word))
    assert ms(given) == pytest.approx(30 + 1000 - 5, abs=6)
    assert ms(len(trim.push(np.zeros(RATE, np.float32)))) == pytest.approx(60, abs=6)
    assert len(trim.push(np.zeros(RATE, np.float32))) == 0
    assert ms(len(trim.push(np.zeros(0, np.float32), last=True))) == pytest.approx(5, abs=0.1)


def test_nothing_comes_of_silence() -> None:
    trim = Trim(RATE, LEVEL)
    assert len(trim.push(noise(0.0005), last=True)) == 0
    assert trim.dropped is None
    assert len(Trim(RATE, LEVEL).push(np.zeros(0, np.float32), last=True)) == 0
