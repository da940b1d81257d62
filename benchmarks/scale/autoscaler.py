"""How many replicas there should be, by ongoing work, as Ray Serve decides it."""

from __future__ import annotations

import math

LOOK_S, UP_S, DOWN_S = 10.0, 30.0, 600.0
"""Between two looks, and for how long it has to see the same before it acts: Ray Serve's own."""


class Autoscaler:
    def __init__(self, least: int, most: int, each: float) -> None:
        """Replicas, and how much ongoing work each is meant for."""
        self._least, self._most, self._each = least, most, each
        self._sign, self._since_s = 0, 0.0

    def more(self, now_s: float, ongoing: int, there: int) -> int:
        """Replicas to start; to drain, where it is negative. ``there``: that are up or coming."""
        wanted = min(max(math.ceil(ongoing / self._each), self._least), self._most)
        sign = (wanted > there) - (wanted < there)
        if sign != self._sign:
            self._sign, self._since_s = sign, now_s
        if not sign or now_s - self._since_s < (UP_S if sign > 0 else DOWN_S):
            return 0
        self._sign = 0
        return wanted - there
