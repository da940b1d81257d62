"""A bounded, closable queue between two threads: one writer, one reader.

The writer asks ``room()`` first and then ``put``s without waiting, so a thread that serves many
jobs is never blocked by one stalled reader. The reader's every wait has a timeout. The first
``close`` wins: a tidy-up that closes again cannot erase an error.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from typing import Generic, TypeVar

from app_core.errors import afresh

T = TypeVar("T")


class ChannelFull(Exception):
    """The writer did not ask for room."""


class ChannelClosed(Exception):
    """Nothing can be put any more; a reader gets it when the channel ended without an error."""


class Channel(Generic[T]):
    def __init__(self, size: int) -> None:
        self._size = size
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._error: Exception | None = None
        self._offered_s = math.inf
        """Since when there is something that nobody took; never, if there is nothing."""
        self.visited = False
        """A reader has come."""

    def room(self) -> int:
        """Items that can be put now. 0 when closed."""
        with self._changed:
            return 0 if self._closed else self._size - len(self._items)

    def __len__(self) -> int:
        return len(self._items)

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def untaken_s(self) -> float:
        """How long something has been here, an item or an error, and nobody took any."""
        with self._changed:
            return max(0.0, time.monotonic() - self._offered_s)

    def put(self, item: T) -> None:
        """Never waits. Raises ChannelFull or ChannelClosed."""
        with self._changed:
            if self._closed:
                raise ChannelClosed
            if len(self._items) >= self._size:
                raise ChannelFull(f"{self._size} items wait already")
            self._items.append(item)
            self._offered_s = min(self._offered_s, time.monotonic())
            self._changed.notify_all()

    def get(self, timeout_s: float) -> T:
        """The next item. Raises TimeoutError, the error it was closed with, or ChannelClosed."""
        end = time.monotonic() + timeout_s
        with self._changed:
            self.visited = True
            while not self._items:
                if self._error is not None:
                    self._offered_s = math.inf
                    raise afresh(self._error)
                if self._closed:
                    raise ChannelClosed
                left = end - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                self._changed.wait(left)
            item = self._items.popleft()
            more = self._items or self._error is not None
            self._offered_s = time.monotonic() if more else math.inf
            return item

    def close(self, error: Exception | None = None, *, now: bool = False) -> None:
        """No more items. What waits is still read before the error, or thrown away ``now``."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._error = error and afresh(error)
            if now:
                self._items.clear()
            if error is not None:
                self._offered_s = min(self._offered_s, time.monotonic())
            elif not self._items:
                self._offered_s = math.inf
            self._changed.notify_all()
