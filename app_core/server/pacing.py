"""How fast the requests of one address are taken: those that come faster wait, without a thread.

A client's share says how many it may send in a minute, all at once too. Answered at once, so many
would take the interpreter from everybody's pictures for seconds.
"""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.server.limits import Limits

MOST_ADDRESSES = 4096
"""That are remembered: of more, those that asked longest ago begin anew."""


class Pacing:
    """``limits.paced_rate`` requests a second of one address after ``limits.paced_burst`` at once
    (the generic cell rate algorithm: ITU-T I.371, annex A); 0: any number. Used by one thread."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = limits.paced_rate, limits.paced_burst, clock
        self._free = limits.unpaced
        self._due_s: OrderedDict[str, float] = OrderedDict()
        """When all that each address asked would be paid for."""

    def wait_s(self, address: str) -> float:
        """Counts a request. How long it has to wait, seconds."""
        if not self._rate or self._is_free(address):
            return 0.0
        now = self._clock()
        before_s = max(self._due_s.get(address, now), now)
        self._due_s[address] = before_s + 1.0 / self._rate
        self._due_s.move_to_end(address)
        if len(self._due_s) > MOST_ADDRESSES:
            self._due_s.popitem(last=False)
        return max(0.0, before_s - now - (self._burst - 1) / self._rate)

    def give_back(self, address: str) -> None:
        """Of one that was counted and is refused: else those would make all that follow wait."""
        if address in self._due_s:
            self._due_s[address] -= 1.0 / self._rate

    def _is_free(self, address: str) -> bool:
        """Of a proxy, which speaks for many."""
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return True  # no network is between
        return any(found in network for network in self._free)
