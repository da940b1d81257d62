"""How many bits of video a second a peer is sent, by what it reports."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from app_core.outputs.live.quality_ladder import RUNGS

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST = 0.6
"""Of the ceiling, before anything was reported."""
_LEAST = RUNGS[-1].need
"""Of the floor: what the smallest pictures need."""
# draft-ietf-rmcat-gcc-02, 6
_MUCH_LOST, _LITTLE_LOST = 0.10, 0.02
_RISE = 1.05
RISE_PAUSE_S = 1.0
"""Between two rises, and after a fall."""
FALL_PAUSE_S = 0.3
"""And a round trip: between two falls."""
REMB_SHARE = 0.9
"""Of what the receiver estimates for all tracks: the rest is for sound and headers."""
REMB_S = 5.0
"""An estimate that is not repeated for so long is forgotten."""


class BitrateControl:
    """By loss, as Google congestion control has it, and below the receiver's own estimate (REMB).

    Used by one thread. Numbers that cannot be are ignored.
    """

    def __init__(self, floor: int, ceiling: int, clock: Callable[[], float]) -> None:
        """Bits a second, 0 < ``floor`` <= ``ceiling``. ``clock`` tells seconds."""
        self._least, self._most, self._clock = _LEAST * floor, float(ceiling), clock
        self._rate = self._bounded(_FIRST * ceiling)
        self._changed_s = clock()
        self._fell_s = -math.inf
        self._estimate: float | None = None
        self._estimated_s = 0.0

    @property
    def limit(self) -> int:
        """Bits a second, from a share of the floor to the ceiling."""
        return round(self._bounded(min(self._rate, self._told)))

    def remb(self, bits_s: float) -> None:
        """The receiver's estimate, of all that is sent to it."""
        if math.isfinite(bits_s) and bits_s > 0:
            self._estimate, self._estimated_s = REMB_SHARE * bits_s, self._clock()

    def report(self, fraction_lost: float, round_trip_s: float | None) -> None:
        """Of a receiver: the share 0..1 of the packets since its last report that did not come."""
        if not 0 <= fraction_lost <= 1:
            return
        now = self._clock()
        if fraction_lost > _MUCH_LOST:
            # reports show the same loss until a round trip after the rate has fallen
            if now - self._fell_s < FALL_PAUSE_S + _known(round_trip_s):
                return
            self._rate = min(self._rate, self._told) * (1 - 0.5 * fraction_lost)
            self._fell_s = self._changed_s = now
        elif fraction_lost < _LITTLE_LOST and now - self._changed_s >= RISE_PAUSE_S:
            # it does not run away above an estimate that holds it down
            if self._rate < self._told:
                self._rate *= _RISE
                self._changed_s = now
        self._rate = self._bounded(self._rate)

    @property
    def _told(self) -> float:
        """By the estimate, while it is fresh."""
        if self._estimate is None or self._clock() - self._estimated_s > REMB_S:
            return math.inf
        return self._estimate

    def _bounded(self, rate: float) -> float:
        return min(max(rate, self._least), self._most)


def _known(round_trip_s: float | None) -> float:
    if round_trip_s is None or not 0 <= round_trip_s < 60:
        return 0.0
    return round_trip_s
