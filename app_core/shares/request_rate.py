"""How often each client asks."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from app_core.errors import TooMany
from app_core.shares.shares import resolved

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.config import Config

REQUESTS_MIN = 1200
"""Of one client, where the settings say ``auto``."""
MOST_CLIENTS = 4096
"""Clients whose requests are counted: of more, those that asked longest ago begin anew."""
_ROUNDING = 1e-9


class RequestRate:
    """A minute's requests may come at once, and come back evenly. One that is heavy counts as many:
    it is let in while one is left, and the next waits until all are paid. Thread-safe; some
    microseconds a request."""

    def __init__(
        self, a_minute: int, clock: Callable[[], float] = time.monotonic, most: int = MOST_CLIENTS
    ) -> None:
        """0: any number."""
        self._a_minute, self._clock, self._most = a_minute, clock, most
        self._clients: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """How many requests each has left, below nought what it owes, and when that was so."""
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Clients that are counted."""
        return len(self._clients)

    def count(self, client: str, weight: int = 1) -> None:
        """One more request, which counts as ``weight``. Raises TooMany."""
        full = float(self._a_minute)
        if not full:
            return
        now, a_second = self._clock(), full / 60.0
        with self._lock:
            left, then = self._clients.get(client, (full, now))
            left = min(full, left + (now - then) * a_second)
            enough = left >= 1.0 - _ROUNDING
            self._clients[client] = (left - min(weight, full) if enough else left, now)
            self._clients.move_to_end(client)
            if len(self._clients) > self._most:
                self._clients.popitem(last=False)
        if not enough:
            raise TooMany(
                f"You have asked as often as one client may: {self._a_minute} requests a minute"
                " (CLIENT_REQUESTS_MIN)",
                retry_after_s=max(1, math.ceil((1.0 - left) / a_second - _ROUNDING)),
            )


def requests_min(config: Config) -> int:
    """Requests a minute of one client; 0: any number."""
    return resolved(config.client_requests_min, REQUESTS_MIN, config)


def request_rate_of(config: Config) -> RequestRate:
    return RequestRate(requests_min(config))
