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


class RequestRate:
    """A bucket for each client: a minute's requests may come at once, and come back evenly.
    Thread-safe; a few microseconds a request."""

    def __init__(
        self, a_minute: int, clock: Callable[[], float] = time.monotonic, most: int = MOST_CLIENTS
    ) -> None:
        """0: any number."""
        self._a_minute, self._clock, self._most = a_minute, clock, most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """How many requests each client has left, and when that was so."""
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Clients that are counted."""
        return len(self._buckets)

    def count(self, client: str) -> None:
        """One more request. Raises TooMany."""
        full = float(self._a_minute)
        if not full:
            return
        now, a_second = self._clock(), full / 60.0
        with self._lock:
            left, then = self._buckets.get(client, (full, now))
            left = min(full, left + (now - then) * a_second)
            enough = left >= 1.0
            self._buckets[client] = (left - enough, now)
            self._buckets.move_to_end(client)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
        if not enough:
            raise TooMany(
                f"You have asked as often as one client may: {self._a_minute} requests a minute"
                " (CLIENT_REQUESTS_MIN)",
                retry_after_s=math.ceil((1.0 - left) / a_second),
            )


def request_rate_of(config: Config) -> RequestRate:
    return RequestRate(resolved(config.client_requests_min, REQUESTS_MIN, config))
