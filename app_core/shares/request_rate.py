"""How often each client asks."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from app_core.errors import TooMany
from app_core.shares.shares import resolved
from app_core.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.config import Config

REQUESTS_MIN = 1200
"""Of one client, where the settings say ``auto``."""
MOST_CLIENTS = 4096
"""Clients whose requests are counted: of more, those that asked longest ago begin anew."""


class RequestRate:
    """A minute's requests may come at once, and come back evenly. Thread-safe; some microseconds a
    request."""

    def __init__(
        self, a_minute: int, clock: Callable[[], float] = time.monotonic, most: int = MOST_CLIENTS
    ) -> None:
        """0: any number."""
        self._a_minute, self._clock, self._most = a_minute, clock, most
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Clients that are counted."""
        return len(self._buckets)

    def count(self, client: str) -> None:
        """One more request. Raises TooMany."""
        if not self._a_minute:
            return
        with self._lock:
            bucket = self._buckets.get(client)
            if bucket is None:
                bucket = TokenBucket(self._a_minute / 60, self._a_minute, clock=self._clock)
                self._buckets[client] = bucket
                if len(self._buckets) > self._most:
                    self._buckets.popitem(last=False)
            else:
                self._buckets.move_to_end(client)
            if bucket.take():
                return
            wait_s = bucket.wait_s()
        raise TooMany(
            f"You have asked as often as one client may: {self._a_minute} requests a minute"
            " (CLIENT_REQUESTS_MIN)",
            retry_after_s=max(1, math.ceil(wait_s)),
        )


def request_rate_of(config: Config) -> RequestRate:
    return RequestRate(resolved(config.client_requests_min, REQUESTS_MIN, config))
