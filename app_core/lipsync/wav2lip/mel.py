"""Sound to the mel columns that Wav2Lip was trained on, piece by piece.

80 bands, 80 columns a second. The recipe is that of the published hyper-parameters: 16 kHz, pre-
emphasis, a periodic Hann window of 800 samples every 200, Slaney's mel scale with areas of one
(as in librosa), decibels of the magnitude, -100..0 dB under a reference of 20 dB to -4..4.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from app_core.lipsync.wav2lip.dimensions import BANDS

if TYPE_CHECKING:
    from app_core.types import Float32

SAMPLE_RATE = 16_000
HOP = 200
COLUMNS_A_SECOND = SAMPLE_RATE // HOP
SILENCE = -4.0
"""What every band of silence is."""

_WINDOW = 800
_HALF = _WINDOW // 2
_LOW_HZ, _HIGH_HZ = 55.0, 7600.0
_PREEMPHASIS = 0.97
_REFERENCE_DB, _LEAST_DB, _LEAST = 20.0, -100.0, 1e-5
_CHUNK = 4096
"""Columns at once, so that a long sound does not take its size in memory many times over."""


class MelStream:
    """The columns of one sound; the same ones however it is cut into pieces.

    Column m looks at samples 200 m - 400 .. 200 m + 400; the sound is mirrored at both ends.
    """

    def __init__(self) -> None:
        self._waiting = np.zeros(0)
        """Emphasised samples from the first that a column to come looks at."""
        self._last = 0.0
        self._samples = 0
        self._started = False

    def push(self, pcm: Float32) -> Float32:
        """``pcm`` (samples,) at 16 kHz, -1..1. Returns the columns settled now, (n, 80)."""
        if len(pcm):
            whole = np.concatenate([[self._last], pcm])  # float64: the log of a quiet band is steep
            emphasised = whole[1:] - _PREEMPHASIS * whole[:-1]
            self._last = float(pcm[-1])
            self._waiting = np.concatenate([self._waiting, emphasised])
            self._samples += len(pcm)
        if not self._started:
            if len(self._waiting) <= _HALF:
                return np.zeros((0, BANDS), np.float32)
            self._begin()
        return self._columns((len(self._waiting) - _WINDOW) // HOP + 1)

    def finish(self) -> Float32:
        """The columns that are left: 1 + samples // 200 in all, none for no sound."""
        if not self._samples:
            return np.zeros((0, BANDS), np.float32)
        if not self._started:
            short = _HALF + 1 - len(self._waiting)
            self._waiting = np.concatenate([self._waiting, np.zeros(max(short, 0))])
            self._begin()
            left = 1 + self._samples // HOP
        else:
            left = (len(self._waiting) - _HALF) // HOP + 1
        tail = self._waiting[-_HALF - 1 : -1][::-1]
        self._waiting = np.concatenate([self._waiting, tail])
        return self._columns(left)

    def _begin(self) -> None:
        self._started = True
        head = self._waiting[1 : _HALF + 1][::-1]
        self._waiting = np.concatenate([head, self._waiting])

    def _columns(self, count: int) -> Float32:
        if count <= 0:
            return np.zeros((0, BANDS), np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(self._waiting, _WINDOW)[::HOP][:count]
        parts = [_decibels(windows[at : at + _CHUNK]) for at in range(0, count, _CHUNK)]
        self._waiting = self._waiting[count * HOP :].copy()
        return np.concatenate(parts)


def mel(pcm: Float32) -> Float32:
    """The columns (1 + samples // 200, 80) of a whole sound at 16 kHz."""
    stream = MelStream()
    return np.concatenate([stream.push(pcm), stream.finish()])


def _decibels(windows: np.ndarray) -> Float32:
    magnitudes = np.abs(np.fft.rfft(windows * _hann(), axis=1))
    bands = magnitudes @ _filters().T
    level = 20 * np.log10(np.maximum(_LEAST, bands)) - _REFERENCE_DB
    scaled = 8 * (level - _LEAST_DB) / -_LEAST_DB - 4
    return np.asarray(np.clip(scaled, -4, 4), np.float32)


@cache
def _hann() -> np.ndarray:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)


@cache
def _filters() -> np.ndarray:
    """(80, 401): triangles on Slaney's scale (Auditory Toolbox, 1998), each of area one."""
    edges = _to_hz(np.linspace(_to_mel(_LOW_HZ), _to_mel(_HIGH_HZ), BANDS + 2))
    bins = np.fft.rfftfreq(_WINDOW, 1 / SAMPLE_RATE)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    area = 2 / (edges[2:] - edges[:-2])
    return np.asarray(np.maximum(0, np.minimum(rising, falling)) * area[:, None])


_LINEAR_HZ, _LINEAR_MEL = 1000.0, 15.0
_LOG_STEP = np.log(6.4) / 27


def _to_mel(hz: float) -> float:
    if hz < _LINEAR_HZ:
        return hz * _LINEAR_MEL / _LINEAR_HZ
    return _LINEAR_MEL + float(np.log(hz / _LINEAR_HZ)) / float(_LOG_STEP)


def _to_hz(mels: np.ndarray) -> np.ndarray:
    above = _LINEAR_HZ * np.exp(_LOG_STEP * (mels - _LINEAR_MEL))
    return np.where(mels < _LINEAR_MEL, mels * _LINEAR_HZ / _LINEAR_MEL, above)
