"""The one thread that accepts, reads heads and bodies, sends what is finished, and closes."""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
import time
from typing import TYPE_CHECKING, Any

from app_core.server.connection import Connection, State
from app_core.server.quiet_log import QuietLog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app_core.server.front import Front
    from app_core.server.limits import Limits
    from app_core.server.poller import Poller

TICK_S = 0.25
"""Between two looks at the deadlines."""
_ACCEPTS = 64
"""Connections in a row before the others are looked at."""
_PAUSE_S = 0.2
"""Without accepting, when there is no room for a connection."""
_NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Loop:
    def __init__(
        self, poller: Poller, front: Front, listeners: Sequence[Any], cfg: Any, limits: Limits
    ) -> None:
        self._poller, self._front, self._limits = poller, front, limits
        self._listeners, self._cfg = list(listeners), cfg
        self._log = QuietLog(logging.getLogger(__name__))
        self._accepting = False
        self._paused_until = self._looked_s = 0.0

    def turn(self) -> bool:
        """Waits a tick at most. Whether the deadlines were looked at."""
        self._accept_or_not()
        for found, _ in self._poller.wait(min(TICK_S, self._front.next_turn_s)):
            if not isinstance(found, Connection):
                self._accept(found)
            elif found.state not in (State.THREAD, State.CLOSED):
                self._front.happened(found)
        self._front.take_turns()
        now = time.monotonic()
        if now - self._looked_s < TICK_S:
            return False
        self._looked_s = now
        for connection in [c for c in self._front.connections if c.deadline <= now]:
            self._front.expire(connection)
        return True

    def stop(self) -> None:
        """No new connections and requests; those that are answered go on."""
        self._front.stopping = True
        self._accept_or_not()
        self._close(State.HEAD, State.BODY, State.PACED)

    def cut(self) -> None:
        """Those that are still answered have no client any more, which their threads learn."""
        for connection in self._front.connections:
            if connection.state is State.THREAD:
                with contextlib.suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)

    @property
    def answering(self) -> bool:
        """From any thread."""
        return any(c.state in (State.THREAD, State.SEND) for c in list(self._front.connections))

    def close(self) -> None:
        self._close(*(state for state in State if state is not State.THREAD))
        self._poller.close()

    def _close(self, *states: State) -> None:
        for connection in [c for c in self._front.connections if c.state in states]:
            self._front.close(connection)

    def _accept_or_not(self) -> None:
        wanted = not self._front.stopping and time.monotonic() >= self._paused_until
        if wanted != self._accepting:
            self._accepting = wanted
            for listener in self._listeners:
                self._poller.listen(listener, wanted)

    def _accept(self, listener: Any) -> None:
        for _ in range(_ACCEPTS):
            if len(self._front.connections) >= self._limits.connections and not self._evict():
                self._pause("full", "every connection is in use: new ones wait")
                return
            try:
                sock, client = listener.accept()
            except (BlockingIOError, ConnectionAbortedError, InterruptedError):
                return
            except OSError as error:
                if error.errno not in _NO_ROOM or not self._evict():
                    self._pause("accept", f"a connection cannot be accepted: {error.strerror}")
                return
            try:
                server = listener.getsockname()
                connection = Connection(sock, client, server, self._cfg, self._limits)
            except OSError:
                sock.close()
                continue
            self._front.begin(connection)

    def _pause(self, kind: str, sentence: str) -> None:
        self._paused_until = time.monotonic() + _PAUSE_S
        self._log.say(kind, sentence)

    def _evict(self) -> int:
        """Makes room by closing those that wait longest for nothing. How many."""
        chosen = self._front.admission.dispensable(self._front.connections)
        for connection in chosen:
            self._front.close(connection, cut=connection.state is State.SEND)
        if chosen:
            self._log.say("evict", f"connections are short: {len(chosen)} idle ones are closed")
        return len(chosen)
