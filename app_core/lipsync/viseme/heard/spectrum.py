"""Sound as the levels of 40 bands, a hundred times a second: what the network hears."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from app_core.kernels import kernel

if TYPE_CHECKING:
    from app_core.types import Float32

HOPS = 100
"""Rows a second. Row k is the sound around (k + 0.5) / HOPS."""
BANDS = 40
HALF_WINDOW_S = 0.0125
"""What a row looks at on either side of its middle."""

_LOW_HZ, _HIGH_HZ = 60.0, 7600.0
_OF_RATE = 0.48
"""No band reaches beyond this part of the sample rate."""
_BIN_HZ = 25.0
"""At most between two bins, or the lowest bands would be empty."""
_LEAST = np.float32(1e-12)
_BLOCK = 256
"""Rows at once."""


class _Filters(NamedTuple):
    window: Float32
    """(samples,)"""
    size: int
    """Of the transform."""
    spans: NDArray[np.int64]
    """(BANDS, 2): the bins of each band; an empty span is a band that the rate does not hold."""
    shapes: Float32
    """(BANDS, bins): overlapping triangles on the mel scale that add up to 1."""


class Spectrum:
    """Rows of a sound that arrives in blocks of any size; the result does not depend on them."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._filters = _filters(sample_rate)
        self._length = len(self._filters.window)
        self._waiting = np.zeros(self._length // 2, np.float32)
        self._first = -(self._length // 2)
        """The sample that ``_waiting`` begins with."""
        self._rows = self._samples = 0

    @property
    def present(self) -> int:
        """The bands, counted from the lowest, that the sample rate holds."""
        return int(np.count_nonzero(np.diff(self._filters.spans, axis=1)))

    def push(self, pcm: Float32, *, silent_rows: int = -1) -> Float32:
        """The rows that are settled now, (rows, BANDS): decibels of power against full scale.

        ``silent_rows`` of 0 or more ends the sound: its last rows come, and that many of silence.
        """
        self._samples += len(pcm)
        last = silent_rows >= 0
        stop = -(-self._samples * HOPS // self._rate) + silent_rows if last else 0
        after = 0
        if last:
            after = max(self._start(stop) + self._length - self._samples, 0)
        sound = np.concatenate([self._waiting, pcm, np.zeros(after, np.float32)])
        if not last:
            known = self._first + len(sound) - self._length
            stop = max(self._samples * HOPS // self._rate, self._rows)
            while stop > self._rows and self._start(stop - 1) > known:
                stop -= 1
        starts = np.array([self._start(k) - self._first for k in range(self._rows, stop)], int)
        self._rows = max(stop, self._rows)
        found = [np.zeros((0, BANDS), np.float32)]
        if len(starts):
            windows = sliding_window_view(sound, self._length)
            for at in range(0, len(starts), _BLOCK):
                found.append(self._levels(windows[starts[at : at + _BLOCK]]))
        passed = min(max(self._start(self._rows) - self._first, 0), len(sound))
        self._waiting = sound[passed:].copy()  # a view would hold the piece
        self._first += passed
        return np.concatenate(found)

    def _start(self, row: int) -> int:
        return (2 * row + 1) * self._rate // (2 * HOPS) - self._length // 2

    def _levels(self, windows: Float32) -> Float32:
        filters = self._filters
        spectra = np.fft.rfft(windows * filters.window, filters.size, axis=1)
        power = (spectra.real**2 + spectra.imag**2).astype(np.float32)
        levels = np.empty((len(power), BANDS), np.float32)
        sum_bands(power, filters.spans, filters.shapes, levels)
        return np.asarray(10 * np.log10(levels + _LEAST), np.float32)


@kernel
def sum_bands(power: Float32, spans: NDArray[np.int64], shapes: Float32, sums: Float32) -> None:
    """Not by a product of matrices, whose threads would wait for busy cores."""
    for row in range(power.shape[0]):
        for band in range(spans.shape[0]):
            total = np.float32(0)
            for column in range(spans[band, 0], spans[band, 1]):
                total += power[row, column] * shapes[band, column]
            sums[row, band] = total


@cache
def _filters(rate: int) -> _Filters:
    length = max(int(2 * HALF_WINDOW_S * rate), 2)
    size = max(1 << int(np.ceil(np.log2(rate / _BIN_HZ))), length)
    window = np.hanning(length + 2)[1:-1]
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (_LOW_HZ, _HIGH_HZ))
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(size, 1 / rate)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    shapes = np.maximum(0, np.minimum(rising, falling))
    shapes[edges[2:] > _OF_RATE * rate] = 0
    # A sine's whole power, whatever the rate and the size of the transform are.
    shapes *= 2 / (size * np.sum(window**2))
    inside = shapes > 0
    spans = np.zeros((BANDS, 2), np.int64)
    for band in np.flatnonzero(inside.any(1)):
        places = np.flatnonzero(inside[band])
        spans[band] = places[0], places[-1] + 1
    return _Filters(window.astype(np.float32), size, spans, shapes.astype(np.float32))
