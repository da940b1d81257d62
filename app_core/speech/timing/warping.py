"""Dynamic time warping: which moment of one sound is which of another.

After H. Sakoe and S. Chiba, "Dynamic programming algorithm optimization for spoken word
recognition", IEEE Trans. ASSP 26 (1978), with a price for every step that stretches or squeezes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from app_core.kernels import kernel
from app_core.speech.timing.bands import Bands

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app_core.types import Float32

_STEP_PRICE = 0.25
"""Of the median distance between two moments."""
_SLOWEST, _FASTEST = 2.2, 0.45
"""How the second sound's time may run against the first's, from any moment on, but for _SLACK."""
_SLACK = 80
_FAR = np.float32(1e9)


class Warp(NamedTuple):
    places: NDArray[np.float64]
    """(rows,): for each row of the first sound, where it is in the second. Never falls."""
    cost: float
    """Mean distance along the way, against the median of all distances: 1 is chance."""


def warp(rows: Float32, columns: Float32, *, open_end: bool) -> Warp:
    """``rows`` (n, features), all of them, onto ``columns`` (m, features) from the first one on.

    ``open_end``: only as many of the columns as fit. Neither may be empty.
    """
    distance = _distances(rows, columns)
    median = max(float(np.median(distance[::5, ::5])), 1e-6)
    price = _STEP_PRICE * median
    steps, ends = _table(distance, price, _SLOWEST, _FASTEST, _SLACK)
    count, last = distance.shape[0], distance.shape[1] - 1
    if open_end:
        last = int(np.argmin(ends / (count + np.arange(1, len(ends) + 1))))
    places, total, length = _way(distance, steps, last)
    return Warp(np.maximum.accumulate(places), total / length / median)


@kernel
def _distances(rows: Float32, columns: Float32) -> Float32:
    """(n, m). Not by a product of matrices, whose threads would wait for busy cores."""
    distance = np.empty((rows.shape[0], columns.shape[0]), np.float32)
    for i in range(rows.shape[0]):
        for j in range(columns.shape[0]):
            total = np.float32(0)
            for k in range(rows.shape[1]):
                apart = rows[i, k] - columns[j, k]
                total += apart * apart
            distance[i, j] = np.sqrt(total)
    return distance


@kernel
def _table(
    distance: Float32, price: float, slowest: float, fastest: float, slack: int
) -> tuple[NDArray[np.int8], Float32]:
    """Where each cell is reached from (0 both, 1 the row above, 2 the column before), and the
    cheapest sums of the last row."""
    n, m = distance.shape
    steps = np.zeros((n, m), np.int8)
    above = np.full(m + 1, _FAR, np.float32)
    here = np.full(m + 1, _FAR, np.float32)
    above[0] = 0
    for i in range(n):
        first = max(0, int(fastest * i) - slack)
        stop = min(m, int(slowest * i) + slack)
        if i == n - 1:
            stop = m
        here[:] = _FAR
        for j in range(first, stop):
            both, up, back = above[j], above[j + 1] + price, here[j] + price
            if both <= up and both <= back:
                best, step = both, 0
            elif up <= back:
                best, step = up, 1
            else:
                best, step = back, 2
            here[j + 1] = min(best + distance[i, j], _FAR)
            steps[i, j] = step
        above, here = here, above
    return steps, above[1:]


@kernel
def _way(
    distance: Float32, steps: NDArray[np.int8], last: int
) -> tuple[NDArray[np.float64], float, int]:
    """Back from the last row's column ``last``: the mean column of each row, the sum of the
    distances passed, and their number."""
    n = distance.shape[0]
    places, counts = np.zeros(n), np.zeros(n)
    i, j, total, length = n - 1, last, 0.0, 0
    while i >= 0 and j >= 0:
        places[i] += j
        counts[i] += 1
        total += distance[i, j]
        length += 1
        step = steps[i, j]
        if step != 2:
            i -= 1
        if step != 1:
            j -= 1
    for k in range(n):
        if counts[k] > 0:
            places[k] /= counts[k]
    return places, total, length


def warm() -> None:
    """Compiles what the first sound would wait for."""
    rows = Bands(8000, 8000).push(np.zeros(4000, np.float32), last=True)
    warp(rows, rows, open_end=False)
