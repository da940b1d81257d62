"""What the loop waits for: connections, listeners, and calls from other threads."""

from __future__ import annotations

import contextlib
import os
import selectors
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app_core.server.connection import Connection

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_SIGNALS = 4096
"""Bytes that may lie in a pipe which only wakes."""


class Poller:
    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._calls: deque[Callable[[], None]] = deque()
        self._open = threading.Lock()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self.watch(self._wake_read)

    def call(self, function: Callable[[], None]) -> None:
        """From any thread: ``function`` is called by the thread that waits."""
        self._calls.append(function)
        with self._open, contextlib.suppress(OSError):  # full: it wakes anyway
            os.write(self._wake_write, b"\0")

    def watch(self, descriptor: int) -> None:
        """Wakes when ``descriptor``, which does not block, has something to read."""
        self._selector.register(descriptor, READ)

    def listen(self, listener: Any, wanted: bool) -> None:
        if wanted:
            listener.setblocking(False)
            self._selector.register(listener, READ, listener)
        else:
            self._selector.unregister(listener)

    def look_for(self, connection: Connection, events: int) -> None:
        """READ, WRITE, or 0 for a connection that is let alone."""
        if events == connection.events:
            return
        if not connection.events:
            self._selector.register(connection.sock, events, connection)
        elif events:
            self._selector.modify(connection.sock, events, connection)
        else:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(connection.sock)
        connection.events = events

    def wait(self, most_s: float) -> Iterator[tuple[Any, int]]:
        """Connections and listeners with their events; calls of other threads are made first."""
        happened = self._selector.select(most_s)
        for key, _ in happened:
            if key.data is None:
                with contextlib.suppress(OSError):
                    os.read(key.fd, _SIGNALS)
        while self._calls:
            self._calls.popleft()()
        for key, events in happened:
            if key.data is not None:
                yield key.data, events

    def close(self) -> None:
        """Calls that come later are never made."""
        self._selector.close()
        with self._open:
            os.close(self._wake_read)
            os.close(self._wake_write)
            self._wake_write = -1
