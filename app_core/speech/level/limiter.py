"""No peak above the ceiling, not even between samples: a limiter that looks ahead.

The gain is known before a peak comes: it falls along a curve to what the peak needs, is held for
longer than a low voice's period, so that it does not ride on the wave of a vowel, and rises again
slowly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app_core.kernels import kernel
from app_core.speech.level.true_peak import AFTER, BEFORE, INTERPOLATOR, peaks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app_core.types import Float32

CEILING_DBTP = -1.2
"""0.2 dB are left for coders and for other meters."""
_AHEAD_S = 0.005
_HOLD_S = 0.012
_RELEASE_S = 0.08
"""In which all but a third of a reduction is gone."""
_UNITY = 0.9999
"""From here on a rising gain is 1."""


class Limiter:
    """One sound in parts of any size, on which the result does not depend.

    What comes out is as long as what went in and lies at the same samples; where nothing is too
    loud it is the same. ``push`` gives what is settled, about 6 ms less than it was given.
    """

    def __init__(self, sample_rate: int, ceiling_dbtp: float = CEILING_DBTP) -> None:
        self._ahead = round(_AHEAD_S * sample_rate)
        self._window = self._ahead + 1 + round(_HOLD_S * sample_rate)
        self._ceiling = 10 ** (ceiling_dbtp / 20)
        self._rise = 1 - float(np.exp(-1 / (_RELEASE_S * sample_rate)))
        self._lowest = np.ones((2, self._window + 1))
        # Two averages one after the other reach no further than the window looks ahead.
        self._first = np.ones(self._ahead // 2 + 1)
        self._second = np.ones(self._ahead - self._ahead // 2 + 1)
        self._places = np.zeros(6, np.int64)
        self._gain = np.ones(1)
        self._idle = True
        self._unseen = np.zeros(BEFORE, np.float32)
        """Sound that was not looked at for peaks, after what a peak looks back at."""
        self._waiting = np.zeros(self._ahead, np.float32)
        """Sound that was, and waits for its gain."""
        self._lead = self._ahead
        """Samples that were waiting before the first."""

    def push(self, pcm: Float32, *, last: bool = False) -> Float32:
        """More sound. ``last``: all that is left comes out, and nothing may be pushed after."""
        sound = np.concatenate([self._unseen, pcm, np.zeros(AFTER - 1 if last else 0, np.float32)])
        count = max(len(sound) - BEFORE - AFTER + 1, 0)
        self._unseen = sound[count:].copy()
        waiting = np.concatenate([self._waiting, sound[BEFORE : BEFORE + count]])
        heights = peaks(sound, INTERPOLATOR, self._ceiling) if count else np.zeros(0, np.float32)
        if last:
            heights = np.concatenate([heights, np.zeros(self._ahead, np.float32)])
        settled, self._waiting = waiting[: len(heights)], waiting[len(heights) :].copy()
        if not self._idle or (len(heights) and float(heights.max()) > self._ceiling):
            settled = settled * self._gains(heights)
        lead = min(self._lead, len(settled))
        self._lead -= lead
        return settled[lead:].astype(np.float32)

    def _gains(self, heights: Float32) -> NDArray[np.float64]:
        found = np.empty(len(heights))
        self._idle = _follow(
            heights,
            self._ceiling,
            self._rise,
            self._window,
            self._lowest,
            self._first,
            self._second,
            self._places,
            self._gain,
            found,
        )
        return found


def limited(pcm: Float32, sample_rate: int) -> Float32:
    """A whole sound."""
    return Limiter(sample_rate).push(pcm, last=True)


@kernel
def _follow(
    heights: Float32,
    ceiling: float,
    rise: float,
    window: int,
    lowest: NDArray[np.float64],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    places: NDArray[np.int64],
    gain: NDArray[np.float64],
    found: NDArray[np.float64],
) -> bool:
    """``found``: the gain of each sample that lies the look-ahead before one of ``heights``.
    Returns whether all gains stay 1 until something is too loud again.

    ``lowest``: (2, window + 1), a ring of the gains needed in the window, each with its place,
    that have nothing lower after them (D. Lemire, "Streaming maximum-minimum filter using no
    more than three comparisons per element", Nordic J. Comput. 13, 2006). ``first`` and
    ``second``: rings of the two averages. ``places``: now, the first of ``lowest`` and how many,
    the place in each average, and for how long nothing was too loud.
    """
    now, head, size, one, two, calm = places
    ring = lowest.shape[1]
    low = gain[0]
    sums = first.sum()
    means = second.sum()
    for n in range(len(heights)):
        if heights[n] > ceiling:
            need = ceiling / heights[n]
            while size > 0 and lowest[0, (head + size - 1) % ring] >= need:
                size -= 1
            lowest[0, (head + size) % ring] = need
            lowest[1, (head + size) % ring] = now
            size += 1
        if size > 0 and lowest[1, head] <= now - window:
            head = (head + 1) % ring
            size -= 1
        target = lowest[0, head] if size > 0 else 1.0
        low = target if target < low else low + (target - low) * rise
        if size == 0 and low > _UNITY:
            low = 1.0
        sums += low - first[one]
        first[one] = low
        mean = sums / len(first)
        means += mean - second[two]
        second[two] = mean
        found[n] = means / len(second)
        one = (one + 1) % len(first)
        two = (two + 1) % len(second)
        calm = calm + 1 if low == 1.0 else 0
        now += 1
    idle = size == 0 and calm > len(first) + len(second)
    if idle:
        first[:] = 1.0
        second[:] = 1.0
    places[0], places[1], places[2] = now, head, size
    places[3], places[4], places[5] = one, two, calm
    gain[0] = low
    return bool(idle)
