"""How many bits of video a second a peer is sent, by what it reports."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from app_core.outputs.live.video_rates import LEAST_BITS_S

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST = 0.6
"""Of the ceiling, before anything was reported."""
# draft-ietf-rmcat-gcc-02, 6
_MUCH_LOST, _LITTLE_LOST = 0.10, 0.02
_RISE = 1.05
_CLEAN_RISES, _FAST_RISE = 5, 1.2
"""After so many without a fall between them the line has room again: faster."""
RISE_PAUSE_S = 1.0
"""Between two rises, and after a fall."""
FALL_PAUSE_S = 0.3
"""And a round trip: between two falls."""
REMB_SHARE = 0.9
"""Of what the receiver estimates for all tracks: the rest is for sound and headers."""
_SLOWER_S, SIGNS_S = 0.1, 3.0
"""A round trip that has grown by so much, or a loss, in the last seconds: the line is full."""


class BitrateControl:
    """By loss, as Google congestion control has it, and by the receiver's own estimate (REMB).

    An estimate counts when it is below what is sent. A receiver that is sent little, as an idle
    face is, knows no more than half as much again; and one whose packets come unevenly, because
    this machine is busy, thinks the line full: so without a loss or a slower line beside it an
    estimate does not bring the rate below the floor.

    Used by one thread. Numbers that cannot be are ignored.
    """

    def __init__(
        self,
        floor: int,
        ceiling: int,
        clock: Callable[[], float],
        sent: Callable[[], int] = lambda: 0,
    ) -> None:
        """Bits a second, 0 < ``floor`` <= ``ceiling``. ``clock`` tells seconds, ``sent`` how many
        bits left in the last one."""
        self._floor, self._most = float(floor), float(ceiling)
        self._clock, self._sent = clock, sent
        self._rate = self._bounded(_FIRST * ceiling)
        self._changed_s = clock()
        self._fell_s = self._sign_s = -math.inf
        self._rises = 0
        self._shortest_s = math.inf

    @property
    def limit(self) -> int:
        """Bits a second, from LEAST_BITS_S to the ceiling."""
        return round(self._rate)

    def remb(self, bits_s: float) -> None:
        """The receiver's estimate, of all that is sent to it."""
        if not (math.isfinite(bits_s) and bits_s > 0):
            return
        wanted = REMB_SHARE * bits_s
        if wanted >= self._sent():
            return
        if self._clock() - self._sign_s > SIGNS_S:
            wanted = max(wanted, self._floor)
        if wanted < self._rate:
            self._fall(wanted)

    def report(self, fraction_lost: float, round_trip_s: float | None) -> None:
        """Of a receiver: the share 0..1 of the packets since its last report that did not come."""
        if not 0 <= fraction_lost <= 1:
            return
        now = self._clock()
        if fraction_lost >= _LITTLE_LOST or self._is_slower(round_trip_s):
            self._sign_s, self._rises = now, 0
        if fraction_lost > _MUCH_LOST:
            # reports show the same loss until a round trip after the rate has fallen
            if now - self._fell_s >= FALL_PAUSE_S + _known(round_trip_s):
                self._fall(self._rate * (1 - 0.5 * fraction_lost))
        elif fraction_lost < _LITTLE_LOST and now - self._changed_s >= RISE_PAUSE_S:
            rise = _RISE if self._rises < _CLEAN_RISES else _FAST_RISE
            self._rate = self._bounded(self._rate * rise)
            self._rises += 1
            self._changed_s = now

    def _fall(self, rate: float) -> None:
        self._rate = self._bounded(rate)
        self._fell_s = self._changed_s = self._clock()
        self._rises = 0

    def _is_slower(self, round_trip_s: float | None) -> bool:
        """Than it once was: what is sent waits in a queue on the way."""
        known = _known(round_trip_s)
        if not known:
            return False
        self._shortest_s = min(self._shortest_s, known)
        return known > self._shortest_s + _SLOWER_S

    def _bounded(self, rate: float) -> float:
        return min(max(rate, min(LEAST_BITS_S, self._most)), self._most)


def _known(round_trip_s: float | None) -> float:
    if round_trip_s is None or not 0 <= round_trip_s < 60:
        return 0.0
    return round_trip_s
