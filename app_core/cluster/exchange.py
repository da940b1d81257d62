"""A request of a client, passed on to a replica, and the way of its answer back.

The thread of the request waits for both sides at once: what the client closes is closed towards the
replica, which has its own rules for clients that leave; what the replica sends goes to the client
as it comes, and no faster than the client takes it.
"""

from __future__ import annotations

import math
import select
import time
from typing import TYPE_CHECKING

from app_core.cluster.places import lost
from app_core.routes.http.body import ClientGone
from app_core.routes.http.send_queue import SendQueue, held_by_kernel

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    import h11

    from app_core.cluster.upstream import Upstream

_LOOK_MS = 250
_THIN_MS = 10
"""Between two looks whether a thin line has room."""
_HALF = getattr(select, "POLLRDHUP", 0)
_BROKEN = select.POLLERR | select.POLLHUP | select.POLLNVAL


class Exchange:
    """``client``: the connection of the request, where the server shows it. ``silence_s``: one that
    takes nothing for so long is gone. ``patience_s``: for the whole answer."""

    def __init__(
        self,
        upstream: Upstream,
        client: socket.socket | None,
        silence_s: float,
        patience_s: float = math.inf,
    ) -> None:
        self.upstream, self._client, self._silence_s = upstream, client, silence_s
        self._until_s = time.monotonic() + patience_s
        self._half_closed = False

    def invited(self) -> bool:
        """Waits for the replica's word whether it wants the body; else it has answered. Raises
        ReplicaLost, or ClientGone."""
        while self.upstream.head() is None:
            if self.upstream.invited:
                return True
            self._wait()
        return False

    def head(self) -> h11.Response | h11.InformationalResponse:
        """Waits for it. Raises ReplicaLost, or ClientGone."""
        while True:
            found = self.upstream.head()
            if found is not None:
                return found
            self._wait()

    def pieces(self, *, live: bool = False) -> Iterator[bytes]:
        """Of the body. ``live``: what the client has no room for stays with the replica, which
        leaves pictures out. Raises ReplicaLost, or ClientGone."""
        queue = None
        if live and self._client is not None:
            queue = SendQueue(held_by_kernel(self._client), self._silence_s)
        try:
            while (found := self.upstream.read()) is not None:
                if not found:
                    self._wait()
                    continue
                yield found
                if queue is not None:
                    self._wait_for_room(queue)
        finally:
            self.close()

    def close(self) -> None:
        self.upstream.close()

    def _wait(self) -> None:
        """Until the replica has sent something, which is taken in, or for a moment."""
        if time.monotonic() > self._until_s:
            raise lost()
        poll = select.poll()
        poll.register(self.upstream.sock, select.POLLIN)
        if self._client is not None:
            poll.register(self._client, 0 if self._half_closed else _HALF)
        for found, events in poll.poll(_LOOK_MS):
            if found == self.upstream.sock.fileno():
                self.upstream.receive()
            elif events & _BROKEN:
                raise ClientGone("the client left")
            elif events & _HALF:
                self._half_closed = True
                self.upstream.finish()

    def _wait_for_room(self, queue: SendQueue) -> None:
        poll = select.poll()
        assert self._client is not None
        poll.register(self._client, 0)
        while queue.full():
            if queue.stalled() or poll.poll(_THIN_MS):
                raise ClientGone("the viewer left, or takes nothing")
