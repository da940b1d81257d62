"""Sound as loud as it is heard: the K weighting of ITU-R BS.1770-5, annex 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app_core.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app_core.types import Float32

_SHELF_HZ, _SHELF_DB, _SHELF_Q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
"""The head: treble is louder."""
_HIGH_PASS_HZ, _HIGH_PASS_Q = 38.13547087602444, 0.5003270373238773
"""The analogue filters whose forms at 48 kHz are the standard's tables."""
_SMALLEST = 1e-20
"""Below it a filter's memory is nothing; denormal numbers would be slow."""


class HopEnergies:
    """Weighted energy of a sound that comes in parts of any size, hop by hop. The result does not
    depend on the parts."""

    def __init__(self, sample_rate: int, hop: int) -> None:
        """``hop``: samples of one energy."""
        self._filters = _filters(sample_rate)
        self._memory = np.zeros(5)
        self._hop, self._filled = hop, 0

    def push(self, pcm: Float32) -> NDArray[np.float64]:
        """Mean square of each hop that is now full: 1 is a full-scale square wave."""
        found = np.empty((self._filled + len(pcm)) // self._hop)
        self._filled = _energies(pcm, self._filters, self._memory, self._hop, self._filled, found)
        return found


def _filters(sample_rate: int) -> NDArray[np.float64]:
    """(2, 5): b0, b1, b2, a1, a2 of the shelf and the high pass, by the bilinear transform."""
    k = np.tan(np.pi * _SHELF_HZ / sample_rate)
    high = 10 ** (_SHELF_DB / 20)
    band = high**0.4996667741545416
    a0 = 1 + k / _SHELF_Q + k * k
    shelf = [
        (high + band * k / _SHELF_Q + k * k) / a0,
        2 * (k * k - high) / a0,
        (high - band * k / _SHELF_Q + k * k) / a0,
        2 * (k * k - 1) / a0,
        (1 - k / _SHELF_Q + k * k) / a0,
    ]
    k = np.tan(np.pi * _HIGH_PASS_HZ / sample_rate)
    a0 = 1 + k / _HIGH_PASS_Q + k * k
    high_pass = [1.0, -2.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / _HIGH_PASS_Q + k * k) / a0]
    return np.array([shelf, high_pass])


@kernel
def _energies(
    pcm: Float32,
    filters: NDArray[np.float64],
    memory: NDArray[np.float64],
    hop: int,
    filled: int,
    found: NDArray[np.float64],
) -> int:
    """``memory``: two numbers of each filter, and the sum of the hop that is not full yet, of
    which ``filled`` samples are there; returns how many are then."""
    b0, b1, b2, a1, a2 = filters[0]
    c0, c1, c2, d1, d2 = filters[1]
    s1, s2, t1, t2, total = memory
    at = 0
    for n in range(len(pcm)):
        x = np.float64(pcm[n])
        y = b0 * x + s1
        s1 = b1 * x - a1 * y + s2
        s2 = b2 * x - a2 * y
        z = c0 * y + t1
        t1 = c1 * y - d1 * z + t2
        t2 = c2 * y - d2 * z
        total += z * z
        filled += 1
        if filled == hop:
            found[at] = total / hop
            at += 1
            filled, total = 0, 0.0
            if abs(t1) < _SMALLEST and abs(t2) < _SMALLEST:
                s1, s2, t1, t2 = 0.0, 0.0, 0.0, 0.0
    memory[0], memory[1], memory[2], memory[3], memory[4] = s1, s2, t1, t2, total
    return filled
