"""Peaks between the samples, by 4 times oversampling as in ITU-R BS.1770-5, annex 2.

The interpolating filter is longer than the standard's example, for rates of 16 to 24 kHz have
speech up to their edge, and the top between two oversampled points is that of a parabola.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app_core.kernels import inlined, kernel

if TYPE_CHECKING:
    from app_core.types import Float32

PHASES = 4
TAPS = 24
BEFORE = TAPS // 2
"""Samples before one that its peak looks at."""
AFTER = TAPS - BEFORE + 1
_BLOCK = 64
"""Samples that are passed over together when nothing near them can reach the floor."""
_KAISER = 6.0


def _interpolator() -> Float32:
    """(PHASES - 1, TAPS): the quarters after a sample, from BEFORE - 1 samples before it on."""
    places = np.arange(TAPS) - (BEFORE - 1)
    rows = []
    for phase in range(1, PHASES):
        apart = places - phase / PHASES
        taper = np.i0(_KAISER * np.sqrt(np.maximum(1 - (apart / BEFORE) ** 2, 0)))
        row = np.sinc(apart) * taper
        rows.append(row / row.sum())
    return np.array(rows, np.float32)


INTERPOLATOR = _interpolator()
_MOST = float(np.abs(INTERPOLATOR).sum(axis=1).max()) * 1.1
"""How far above its samples a sound can rise between them, with the parabola's share."""

_NEAR = 0.9
"""An oversampled point below this much of the floor has no top above it: cos(pi / 8) and a bit."""


@inlined
def _filter(sound: Float32, row: Float32, found: Float32) -> None:
    """Eight taps in one go, over all samples: the compiler makes vectors of it."""
    found[:] = 0
    for tap in range(0, TAPS, 8):
        a, b, c, d = row[tap], row[tap + 1], row[tap + 2], row[tap + 3]
        e, f, g, h = row[tap + 4], row[tap + 5], row[tap + 6], row[tap + 7]
        part = sound[tap:]
        for n in range(len(found)):
            left = a * part[n] + b * part[n + 1] + c * part[n + 2] + d * part[n + 3]
            right = e * part[n + 4] + f * part[n + 5] + g * part[n + 6] + h * part[n + 7]
            found[n] += left + right


@inlined
def _top(before: np.float32, here: np.float32, after: np.float32) -> np.float32:
    """Of the parabola through three neighbours, where the middle one is the highest; else it."""
    size, left, right = abs(here), abs(before), abs(after)
    bend = before - 2 * here + after
    if size < left or size < right or bend == 0:
        return size
    return abs(here - (before - after) * (before - after) / (8 * bend))


@kernel
def peaks(sound: Float32, interpolator: Float32, floor: float) -> Float32:
    """The true peak from each sample to the next one.

    ``sound``: with BEFORE samples before the first and AFTER - 1 after the last that is asked
    for, at least TAPS + 1. Where nothing can be above ``floor`` it is the sample's own size.
    """
    count = len(sound) - BEFORE - AFTER + 1
    found = np.empty(count, np.float32)
    quarters = np.empty((PHASES - 1, _BLOCK + 1), np.float32)  # from the sample before on
    for start in range(0, count, _BLOCK):
        stop = min(start + _BLOCK, count)
        highest = np.float32(0)
        for n in range(start, stop + BEFORE + AFTER - 1):
            if abs(sound[n]) > highest:
                highest = abs(sound[n])
        if highest * _MOST <= floor:
            for n in range(start, stop):
                found[n] = abs(sound[n + BEFORE])
            continue
        size = stop - start + 1
        for phase in range(PHASES - 1):
            _filter(sound[start : start + size + TAPS], interpolator[phase], quarters[phase, :size])
        for n in range(start, stop):
            at = n - start + 1
            here, following = sound[n + BEFORE], sound[n + BEFORE + 1]
            first, second, third = quarters[0, at], quarters[1, at], quarters[2, at]
            top = max(max(abs(here), abs(first)), max(abs(second), abs(third)))
            if top > _NEAR * floor:
                left = max(_top(quarters[2, at - 1], here, first), _top(here, first, second))
                right = max(_top(first, second, third), _top(second, third, following))
                top = max(left, right)
            found[n] = top
    return found
