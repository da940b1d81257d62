"""Who gets a thread, and whose connection is closed first when there are too many."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from app_core.server import refusal
from app_core.server.connection import State
from app_core.server.upload_place import Place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app_core.server.connection import Connection
    from app_core.server.limits import Limits

_STALLED_S = 2.0
"""A client that is in the middle of something and did nothing for this long may be let go."""
_PART = 16
"""One in so many connections is closed at once, so that the search is seldom."""
_WORTH = {State.LINGER: 0, State.PACED: 1, State.HEAD: 2, State.BODY: 3, State.SEND: 4}


class RequestAdmission:
    """Requests beyond the threads would queue in silence: they are refused instead."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._inside = 0
        self._uploads = threading.BoundedSemaphore(limits.uploads)

    def enter(self, path: str) -> None:
        """For a request that gets a thread. Raises Refusal."""
        most = self._limits.threads - self._limits.spare_threads
        if self._inside >= most and path not in self._limits.always:
            raise refusal.full()
        self._inside += 1

    def leave(self) -> None:
        self._inside -= 1

    def upload(self) -> Place:
        """For a body that a thread receives. Raises Refusal."""
        if not self._uploads.acquire(blocking=False):
            raise refusal.full()
        return Place(self._uploads)

    def dispensable(self, connections: Iterable[Connection]) -> list[Connection]:
        """Some of those that are answered, wait for nothing or do nothing: the longest first."""
        now = time.monotonic()
        found = [
            (1 if c.silent else _WORTH[c.state], c.since, id(c), c)
            for c in connections
            if c.state in _WORTH
            and (c.state not in (State.BODY, State.SEND) or now - c.since > _STALLED_S)
        ]
        found.sort()
        return [c for *_, c in found[: max(1, self._limits.connections // _PART)]]
