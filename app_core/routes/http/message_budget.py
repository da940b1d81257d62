"""How many messages a client of a socket may send: each costs a look at it, however small it is."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class MessageBudget:
    """``burst`` at once and ``rate`` a second after that. Used by one thread."""

    def __init__(
        self,
        rate: float,
        burst: int,
        patience_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``patience_s``: a client that has sent too much for so long does not mean well."""
        self._rate, self._burst, self._patience_s = rate, burst, patience_s
        self._clock = clock
        self._left, self._at_s = float(burst), clock()
        self._short_s = math.inf
        """Since when there is none left; until half of the burst is there again."""

    def take(self) -> None:
        """For a message that is looked at."""
        self._refill()
        self._left -= 1
        if self._left < 1:
            self._short_s = min(self._short_s, self._at_s)

    def wait_s(self) -> float:
        """Until the next one may be looked at, seconds."""
        self._refill()
        return max(0.0, (1 - self._left) / self._rate)

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
