from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from app_core.audio import SPILL_S, AudioBuffer
from app_core.errors import VoiceFailed
from app_core.media.wav import pcm16


def test_samples_survive_within_a_bit() -> None:
    sound = AudioBuffer(8000)
    wave = np.linspace(-1, 1, 20001, dtype=np.float32)
    for part in np.array_split(wave, 7):
        sound.append(part)
    sound.close()
    assert len(sound) == 20001
    assert np.abs(sound.samples(0, 99999) - wave).max() <= 1 / 32768
    assert (
        sound.read(0, 99999, 0)
        == np.clip(np.rint(wave * 32768), -32768, 32767).astype("<i2").tobytes()
    )


def test_too_loud_is_clipped_not_wrapped() -> None:
    sound = AudioBuffer(8000)
    sound.append(np.array([2.0, -2.0], np.float32))
    assert sound.samples(0, 2).tolist() == [32767 / 32768, -1.0]


def test_reading_waits_for_more_and_sees_the_end() -> None:
    sound = AudioBuffer(8000)
    with pytest.raises(TimeoutError):
        sound.read(0, 10, 0.01)
    threading.Timer(0.02, sound.append, [np.zeros(5, np.float32)]).start()
    assert len(sound.read(0, 10, 5.0)) == 10
    threading.Timer(0.02, sound.close).start()
    assert sound.read(5, 10, 5.0) == b""
    assert sound.complete


def test_an_error_reaches_the_reader_after_the_sound_before_it() -> None:
    sound = AudioBuffer(8000)
    sound.append(np.zeros(5, np.float32))
    sound.close(VoiceFailed("hoarse"))
    sound.close()
    assert len(sound.read(0, 10, 1.0)) == 10
    with pytest.raises(VoiceFailed, match="hoarse"):
        sound.read(5, 10, 1.0)
    assert not sound.complete


def test_length_is_bounded() -> None:
    sound = AudioBuffer(8000, limit_s=0.001)
    with pytest.raises(ValueError, match="longer"):
        sound.append(np.zeros(9, np.float32))


def test_a_long_sound_goes_on_in_a_file_without_a_name(tmp_path: Path) -> None:
    rate = 100
    long, short = (
        AudioBuffer(rate, spills=spills, spill=str(tmp_path)) for spills in (True, False)
    )
    wave = np.sin(np.arange(int(2.5 * SPILL_S * rate)) / 7).astype(np.float32)
    for part in np.array_split(wave, 9):
        long.append(part)
        short.append(part)
    assert list(tmp_path.iterdir()) == []
    assert len(long) == len(short) == len(wave)
    for start, stop in ((0, 50), (5990, 6010), (14_900, 99_999), (99_999, 99_999)):
        np.testing.assert_array_equal(long.samples(start, stop), short.samples(start, stop))
    assert long.read(5990, 100, 1.0) == short.read(5990, 100, 1.0)
    assert long._store.nbytes == 0
    for sound in (long, short):
        sound.close()
        assert sound.nbytes == 2 * len(wave)
        sound.release()
        assert sound.read(0, 10, 1.0) == b""


def test_a_film_has_the_samples_of_the_sound_to_the_bit() -> None:
    every = np.arange(-32768, 32768).astype("<i2").tobytes()
    sound = AudioBuffer(8000)
    sound.append(np.frombuffer(every, "<i2").astype(np.float32) / 32768)
    assert sound.read(0, 1 << 16, 0) == every
    assert pcm16(sound.samples(0, 1 << 16)) == every
