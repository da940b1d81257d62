"""Sound as the levels of 20 bands, a hundred times a second: what two voices are compared by."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from app_core.kernels import kernel
from app_core.types import Float32

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Spectra = NDArray[np.complexfloating]
    Hops = NDArray[np.int64]

HOPS = 100
"""Columns a second. Column k is the sound around (k + 0.5) / HOPS."""
BANDS = 20

_WINDOW_S = 0.025
_FINE = 4
"""Narrow bands that are averaged to one, in logarithms: what is between harmonics counts too."""
_LOW_HZ, _HIGH_HZ = 60.0, 7600.0
_BIN_HZ = 25.0
"""At most between two bins, or the lowest bands would be empty."""
_LEAST = 1e-10
_BLOCK = 512
"""Columns at once."""


class Bands:
    """Columns of a sound that arrives in blocks of any size; the result does not depend on them."""

    def __init__(self, sample_rate: int, other_rate: int) -> None:
        """``other_rate`` is that of the sound it is compared with: both end at the same pitch."""
        self._rate = sample_rate
        self._length = int(_WINDOW_S * sample_rate)
        self._high = min(_HIGH_HZ, 0.47 * min(sample_rate, other_rate))
        self._waiting = np.zeros(self._length // 2, np.float32)
        self._first = -(self._length // 2)
        """The sample that ``_waiting`` begins with."""
        self._columns = self._samples = 0

    def push(self, pcm: Float32, *, last: bool = False) -> Float32:
        """The columns that are settled now, (columns, BANDS): natural logarithms of power."""
        self._samples += len(pcm)
        after = np.zeros(self._length if last else 0, np.float32)
        sound = np.concatenate([self._waiting, pcm, after])
        known = self._first + len(sound) - self._length
        stop = self._samples * HOPS // self._rate
        while not last and stop > self._columns and self._start(stop - 1) > known:
            stop -= 1
        starts = np.array([self._start(k) - self._first for k in range(self._columns, stop)], int)
        self._columns = max(stop, self._columns)
        found = [np.zeros((0, BANDS), np.float32)]
        if len(starts):
            windows = sliding_window_view(sound, self._length)
            for at in range(0, len(starts), _BLOCK):
                found.append(self._levels(windows[starts[at : at + _BLOCK]]))
        passed = max(self._start(self._columns) - self._first, 0)
        self._waiting = sound[passed:]
        self._first += min(passed, len(sound))
        return np.concatenate(found)

    def _start(self, column: int) -> int:
        return (2 * column + 1) * self._rate // (2 * HOPS) - self._length // 2

    def _levels(self, windows: Float32) -> Float32:
        weights, filters, ranges = _filters(self._rate, self._length, self._high)
        size = 2 * (filters.shape[1] - 1)
        spectra = np.fft.rfft(windows * weights, size, axis=1)
        levels = np.log(_powers(spectra, filters, ranges) + np.float32(_LEAST))
        return np.asarray(levels.reshape(len(levels), BANDS, _FINE).mean(2), np.float32)


def stretched(rows: Float32, rate: float) -> Float32:
    """As if spoken ``rate`` times as slowly."""
    count = max(2, round(len(rows) * rate))
    at = np.linspace(0, len(rows) - 1, count)
    low = np.minimum(at.astype(int), len(rows) - 2) if len(rows) > 1 else np.zeros(count, int)
    part = (at - low)[:, None].astype(np.float32)
    after = rows[np.minimum(low + 1, len(rows) - 1)]
    return np.asarray(rows[low] * (1 - part) + after * part, np.float32)


def features(levels: Float32) -> Float32:
    """Levels against the mean of the louder columns, and twice their change, (columns, 40)."""
    mean = levels.mean(1)
    middle = levels[mean >= np.percentile(mean, 40)].mean(0)
    rows = np.clip((levels - middle) / 2.5, -4, 3)
    return np.concatenate([rows, 2 * np.gradient(rows, axis=0)], 1).astype(np.float32)


@kernel
def _powers(spectra: Spectra, filters: Float32, ranges: Hops) -> Float32:
    """(columns, filters). Not by a product of matrices, whose threads would wait for busy cores."""
    found = np.zeros((spectra.shape[0], filters.shape[0]), np.float32)
    for row in range(spectra.shape[0]):
        for band in range(filters.shape[0]):
            total = np.float32(0)
            for at in range(ranges[band, 0], ranges[band, 1]):
                value = spectra[row, at]
                total += filters[band, at] * (value.real**2 + value.imag**2)
            found[row, band] = total
    return found


@cache
def _filters(rate: int, length: int, high_hz: float) -> tuple[Float32, Float32, Hops]:
    """The window; triangles on the mel scale (BANDS * _FINE, bins), and the first and the stop of
    the bins that each of them takes."""
    size = 1 << int(np.ceil(np.log2(rate / _BIN_HZ)))
    weights = np.hanning(length + 2)[1:-1]
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (_LOW_HZ, high_hz))
    edges = 700 * (10 ** (np.linspace(low, high, BANDS * _FINE + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(size, 1 / rate)[:, None]
    rising = (bins - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - bins) / np.diff(edges)[1:]
    shapes = np.maximum(0, np.minimum(rising, falling))
    # Power against full scale, whatever the rate and the size of the transform are.
    shapes /= np.maximum(shapes.sum(0), 1e-9) * np.sum(weights) ** 2
    filters = np.ascontiguousarray(shapes.T, np.float32)
    taken = filters > 0
    stops = filters.shape[1] - taken[:, ::-1].argmax(1)
    ranges = np.stack([taken.argmax(1), np.where(taken.any(1), stops, 0)], 1)
    return weights.astype(np.float32), filters, ranges
