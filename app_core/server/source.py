"""Where gunicorn's reader of heads and bodies takes its bytes from."""

from __future__ import annotations

import select
import time
from typing import TYPE_CHECKING

from gunicorn.http.unreader import Unreader

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from app_core.server.body_end import BodyEnd
    from app_core.server.limits import Limits

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_BLOCK = 8192
_LARGEST_BLOCK = 1 << 20


class Source(Unreader):  # type: ignore[misc]
    """Bytes that are here; after ``follow`` also those that are still to come."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.unread(data)
        self._socket: socket.socket | None = None
        self._invites = False

    def follow(
        self,
        connection: socket.socket,
        limits: Limits,
        end: BodyEnd,
        ended: Callable[[], None],
        *,
        invites: bool,
    ) -> None:
        """The rest of a body, up to its ``end``; ``ended`` is called once it is there. ``invites``:
        the client waits to hear that it is wanted."""
        self._socket, self._limits, self._invites = connection, limits, invites
        self._end, self._ended = end, ended
        self._began, self._received = time.monotonic(), 0

    @property
    def whole(self) -> bool:
        """Nothing of this request is still to come."""
        return self._socket is None

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Raises TimeoutError for a client that sends nothing, or too little on the whole. Nothing
        at the end."""
        if self._socket is None:
            return b""
        if self._invites:
            self._invites = False
            self._socket.sendall(CONTINUE)
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        if not poll.poll(self._limits.send_s * 1000):
            raise TimeoutError("the client sends nothing")
        if time.monotonic() - self._began > self._limits.upload_time_s(self._received):
            raise TimeoutError("the client sends too little")
        data = self._socket.recv(min(max(size_hint or 0, _BLOCK), _LARGEST_BLOCK))
        self._received += len(data)
        self._end.feed(data)
        if self._end.whole:
            self._socket = None
            self._ended()
        return data
