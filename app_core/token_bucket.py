"""How often a client may do what costs something each time, however small it is."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class TokenBucket:
    """``burst`` at once and ``rate`` a second after that. Used by one thread."""

    def __init__(
        self,
        rate: float,
        burst: int,
        patience_s: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``patience_s``: a client that wanted too much for so long does not mean well."""
        self._rate, self._burst, self._patience_s = rate, burst, patience_s
        self._clock = clock
        self._left, self._at_s = float(burst), clock()
        self._short_s = math.inf
        """Since when there is none left; until half of the burst is there again."""

    def take(self, most: int = 1) -> int:
        """As many as there are, ``most`` at most."""
        self._refill()
        taken = max(0, min(most, math.floor(self._left + _ROUNDING)))
        self._left -= taken
        if taken < most or self._left + _ROUNDING < 1:
            self._short_s = min(self._short_s, self._at_s)
        return taken

    def wait_s(self) -> float:
        """Until there is one, seconds."""
        self._refill()
        return max(0.0, (1 - _ROUNDING - self._left) / self._rate)

    @property
    def overdrawn(self) -> bool:
        """The client is not waited for any more."""
        self._refill()
        return self._at_s - self._short_s >= self._patience_s

    def _refill(self) -> None:
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at_s) * self._rate)
        self._at_s = now
        if self._left >= self._burst / 2:
            self._short_s = math.inf


_ROUNDING = 1e-9
