"""How many bits of video a second a peer is sent, by what it reports."""

from __future__ import annotations

import math
from collections import deque
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
_KNOWN_RISES, _KNOWN_RISE, _KNOWN = 2, 1.5, 0.9
"""After so many, up to that share of what the line was seen to carry: faster still."""
_FORGOTTEN = 0.99
"""Of what it was seen to carry, a report."""
RISE_PAUSE_S = 1.0
"""Between two rises, and after a fall."""
FALL_PAUSE_S = 0.3
"""And a round trip: between two falls."""
REMB_SHARE = 0.9
"""Of what the receiver estimates for all tracks: the rest is for sound and headers."""
REMB_PAUSE_S, _REMB_FALL = 1.0, 0.5
"""Between two falls by estimates, and to how much of the rate each goes at most."""
_LOWER, _SIGN_FALL = 0.95, 0.85
"""Of the highest estimate since the last fall: less is a fall of it. And of what is sent, where the
line is full, but the estimate was low before."""
_SLOWER_S, _TRIPS, SIGNS_S = 0.1, 10, 3.0
"""A round trip that has grown by so much over the shortest of the last reports, or a loss, in the
last seconds: the line is full."""


class BitrateControl:
    """By loss, as Google congestion control has it, and by the receiver's own estimate (REMB).

    An estimate counts when it is below what is sent, and falls: a receiver that is sent little, as
    an idle face is, knows no more than half as much again, and grows its estimate slowly. One whose
    packets come unevenly, because this machine is busy, thinks the line full: so without a loss or
    a slower line beside it an estimate does not bring the rate below the floor.

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
        self._trips: deque[float] = deque(maxlen=_TRIPS)
        self._highest = 0.0
        """Estimate since the last fall."""
        self._carried = 0.0
        """Bits a second that came through without a loss."""

    @property
    def limit(self) -> int:
        """Bits a second, from LEAST_BITS_S to the ceiling."""
        return round(self._rate)

    def remb(self, bits_s: float) -> None:
        """The receiver's estimate, of all that is sent to it."""
        if not (math.isfinite(bits_s) and bits_s > 0):
            return
        now, sent, wanted = self._clock(), self._sent(), REMB_SHARE * bits_s
        self._highest = max(self._highest, bits_s)
        if wanted >= sent or now - self._fell_s < REMB_PAUSE_S:
            return
        signed = now - self._sign_s <= SIGNS_S
        if bits_s < _LOWER * self._highest:
            wanted = max(wanted, _REMB_FALL * self._rate, 0 if signed else self._floor)
        elif signed:  # it was too low before, and says nothing of the line
            wanted = _SIGN_FALL * sent
        else:
            return
        self._highest = bits_s
        if wanted < self._rate:
            self._fall(wanted)

    def report(self, fraction_lost: float, round_trip_s: float | None) -> None:
        """Of a receiver: the share 0..1 of the packets since its last report that did not come."""
        if not 0 <= fraction_lost <= 1:
            return
        now = self._clock()
        if fraction_lost >= _LITTLE_LOST or self._is_slower(round_trip_s):
            self._sign_s, self._rises = now, 0
        else:
            self._carried = max(_FORGOTTEN * self._carried, self._sent())
        if fraction_lost > _MUCH_LOST:
            # reports show the same loss until a round trip after the rate has fallen
            if now - self._fell_s >= FALL_PAUSE_S + _known(round_trip_s):
                self._fall(self._rate * (1 - 0.5 * fraction_lost))
        elif fraction_lost < _LITTLE_LOST and now - self._changed_s >= RISE_PAUSE_S:
            self._rate = self._bounded(self._rate * self._rise())
            self._rises += 1
            self._changed_s = now

    def _rise(self) -> float:
        if self._rises >= _KNOWN_RISES and self._rate < _KNOWN * self._carried:
            return min(_KNOWN_RISE, self._carried / self._rate)
        return _RISE if self._rises < _CLEAN_RISES else _FAST_RISE

    def _fall(self, rate: float) -> None:
        if self._rises > _KNOWN_RISES:  # it went up too far
            self._carried = min(self._carried, self._rate)
        self._rate = self._bounded(rate)
        self._fell_s = self._changed_s = self._clock()
        self._rises = 0

    def _is_slower(self, round_trip_s: float | None) -> bool:
        """Than it was: what is sent waits in a queue on the way."""
        known = _known(round_trip_s)
        if not known:
            return False
        self._trips.append(known)
        return known > min(self._trips) + _SLOWER_S

    def _bounded(self, rate: float) -> float:
        return min(max(rate, min(LEAST_BITS_S, self._most)), self._most)


def _known(round_trip_s: float | None) -> float:
    if round_trip_s is None or not 0 <= round_trip_s < 60:
        return 0.0
    return round_trip_s
