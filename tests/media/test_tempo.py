from __future__ import annotations

import numpy as np
import pytest

from app_core.media.ffmpeg import find_ffmpeg
from app_core.media.tempo import stretched
from app_core.types import Float32

RATE = 24000


def hum(seconds: float, hz: float = 200.0) -> Float32:
    return (0.3 * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


@pytest.mark.parametrize("speed", [0.5, 0.8, 1.3, 2.0])
def test_the_length_changes_and_the_pitch_does_not(speed: float) -> None:
    said = stretched(hum(2), RATE, speed, find_ffmpeg())
    assert said.dtype == np.float32 and len(said) == round(2 * RATE / speed)
    power = np.abs(np.fft.rfft(said * np.hanning(len(said))))
    assert np.argmax(power) * RATE / len(said) == pytest.approx(200, abs=1)


@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_sounds_stay_where_they_were(speed: float) -> None:
    pcm = np.concatenate([np.zeros(RATE), hum(0.5), np.zeros(RATE)]).astype(np.float32)
    loud = np.flatnonzero(np.abs(stretched(pcm, RATE, speed, find_ffmpeg())) > 0.1) / RATE
    assert loud[0] * speed == pytest.approx(1.0, abs=0.04)
    assert loud[-1] * speed == pytest.approx(1.5, abs=0.04)


def test_its_own_speed_changes_nothing_and_nothing_stays_nothing() -> None:
    pcm = hum(0.1)
    assert stretched(pcm, RATE, 1.0, find_ffmpeg()) is pcm
    assert len(stretched(pcm[:0], RATE, 2.0, find_ffmpeg())) == 0
    assert len(stretched(pcm[:3], RATE, 0.5, find_ffmpeg())) == 6
