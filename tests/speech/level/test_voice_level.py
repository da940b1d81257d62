from __future__ import annotations

import threading

import numpy as np
import pytest

from app_core.speech.level.loudness import Blocks
from app_core.speech.level.voice_level import MEASURED_DB, TARGET_LUFS, VoiceLevel


def heard(lufs: float, seconds: float = 3.0) -> Blocks:
    blocks = Blocks()
    blocks.add(np.full(int(seconds * 10), 10 ** ((lufs + 0.691) / 10)))
    return blocks


def say(level: VoiceLevel, lufs: float) -> float:
    """The gain of a sentence of that loudness."""
    gain = level.gain_db
    if gain is None:
        gain = level.first(lufs)
    level.heard(heard(lufs))
    return gain


def test_the_first_sentence_has_the_gain_that_it_needs() -> None:
    level = VoiceLevel()
    assert level.learns and level.gain_db is None
    assert level.first(-26.0) == pytest.approx(8.0)
    assert level.gain_db == pytest.approx(8.0)
    assert level.first(-10.0) == pytest.approx(8.0), "somebody else was first"


@pytest.mark.parametrize(("lufs", "gain"), [(-60.0, 24.0), (0.0, -12.0)])
def test_a_gain_has_bounds(lufs: float, gain: float) -> None:
    assert VoiceLevel().first(lufs) == gain


def test_a_word_too_short_to_measure_decides_nothing() -> None:
    level = VoiceLevel()
    assert 0 <= level.first(None) <= 8
    assert level.gain_db is None
    assert level.first(-30.0) == pytest.approx(12.0)


def test_a_gain_moves_by_one_decibel_a_sentence_at_most_and_settles() -> None:
    level = VoiceLevel()
    sizes = np.random.default_rng(0)
    gains = [say(level, -17.0)]
    gains += [say(level, -24.0 + sizes.normal()) for _ in range(40)]
    assert np.abs(np.diff(gains)).max() <= 1.0
    assert gains[-1] == pytest.approx(6.0, abs=0.7)
    assert np.abs(np.diff(gains[25:])).max() < 0.2


def test_a_whisper_stays_softer_than_a_shout() -> None:
    level = VoiceLevel()
    for _ in range(10):
        usual = say(level, -22.0)
    whispered = [say(level, -38.0) for _ in range(3)]
    assert whispered == pytest.approx([usual] * 3, abs=0.3)
    shouted = say(level, -14.0)
    assert shouted == pytest.approx(usual, abs=0.3)


def test_a_voice_that_has_changed_is_followed() -> None:
    level = VoiceLevel()
    for _ in range(100):
        say(level, -20.0)
    for _ in range(60):
        gain = say(level, -25.0)
    assert gain == pytest.approx(TARGET_LUFS + 25, abs=0.5)


def test_a_measured_voice_does_not_change() -> None:
    level = VoiceLevel.of("espeak", "ru")
    assert level.gain_db == MEASURED_DB["espeak", "ru"] and not level.learns
    say(level, -40.0)
    assert level.gain_db == MEASURED_DB["espeak", "ru"]
    assert VoiceLevel.of("silero:ru_aigul", "ru").learns


def test_many_threads_agree_on_the_first_gain() -> None:
    level, gains = VoiceLevel(), []
    ready = threading.Barrier(8)

    def begin(lufs: float) -> None:
        ready.wait(10)
        gains.append(level.first(lufs))

    threads = [threading.Thread(target=begin, args=(-20.0 - n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(gains) == 8 and len(set(gains)) == 1
