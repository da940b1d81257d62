"""The bytes of a WebSocket, passed both ways between a client and a replica.

A replica that is lost cannot say goodbye: then the client is told in its place, if the last message
had been sent whole.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import time
from typing import TYPE_CHECKING, Any

from wsproto import ConnectionType
from wsproto.connection import Connection
from wsproto.events import CloseConnection, TextMessage
from wsproto.frame_protocol import CloseReason

from app_core.routes.http.send_queue import SendQueue, held_by_kernel

if TYPE_CHECKING:
    from collections.abc import Mapping

BLOCK = 1 << 16
GOODBYE_S = 2.0
_LOOK_MS = 1000
_THIN_MS = 10
"""Between two looks whether a thin line has room."""
_CLOSE = 8
"""Opcode of a close frame (RFC 6455, section 5.2)."""


class Frames:
    """Where in the frames of a server a stream of bytes is."""

    def __init__(self) -> None:
        self._head, self._rest = b"", 0
        self._in_message = False
        self.closed = False
        """A close frame has begun."""

    def feed(self, data: bytes) -> None:
        at = 0
        while at < len(data):
            if self._rest:
                taken = min(self._rest, len(data) - at)
                self._rest -= taken
                at += taken
                continue
            self._head += data[at : at + 1]
            at += 1
            self._look()

    @property
    def between(self) -> bool:
        """No message is half sent."""
        return not (self._head or self._rest or self._in_message)

    def _look(self) -> None:
        head = self._head
        more = {126: 2, 127: 8}.get(head[1] & 127, 0) if len(head) > 1 else 0
        if len(head) < 2 + more:
            return
        self._rest = int.from_bytes(head[2:], "big") if more else head[1] & 127
        opcode = head[0] & 15
        if opcode < _CLOSE:  # control frames may stand within a message
            self._in_message = not head[0] & 128
        self.closed = self.closed or opcode == _CLOSE
        self._head = b""


class _Way:
    """What one side sent and the other has not taken yet."""

    def __init__(self, source: socket.socket, to: socket.socket) -> None:
        self.source, self.to = source, to
        self._waiting = memoryview(b"")
        self.moved_s = time.monotonic()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, data: bytes) -> None:
        self._waiting, self.moved_s = memoryview(data), time.monotonic()
        self.push()

    def push(self) -> None:
        """Raises OSError where the other side is gone."""
        with contextlib.suppress(BlockingIOError):
            count = self.to.send(self._waiting, socket.MSG_DONTWAIT)
            self._waiting, self.moved_s = self._waiting[count:], time.monotonic()

    def take(self) -> bytes | None:
        """Empty at the end, also at one that is cut; None: nothing is here."""
        try:
            return self.source.recv(BLOCK, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError:
            return b""


class Tunnel:
    """``silence_s``: a side that takes nothing for so long is gone. ``lost``: the last message for
    a client whose replica is. One thread uses it."""

    def __init__(
        self,
        client: socket.socket,
        replica: socket.socket,
        silence_s: float,
        lost: Mapping[str, Any],
    ) -> None:
        self._down, self._up = _Way(replica, client), _Way(client, replica)
        self._silence_s, self._lost = silence_s, lost
        self._frames = Frames()
        self._queue = SendQueue(held_by_kernel(client), silence_s)
        for each in (client, replica):
            each.setblocking(True)  # with a time-out Python waits, whatever a call's own flags say

    def run(self, head: bytes, early: bytes) -> None:
        """Until either side ends. ``head``: of the answer; ``early``: bytes of the replica's behind
        it that are here already."""
        with contextlib.suppress(OSError):
            self._frames.feed(early)
            self._down.put(head + early)
            while self._turn():
                pass

    def _turn(self) -> bool:
        """Raises OSError, also where a side takes nothing."""
        full = bool(self._down) or self._queue.full()
        wanted: dict[socket.socket, int] = {}
        for way, closed in ((self._down, full), (self._up, bool(self._up))):
            if way:
                wanted[way.to] = wanted.get(way.to, 0) | select.POLLOUT
            elif not closed:
                wanted[way.source] = wanted.get(way.source, 0) | select.POLLIN
        # Nothing is asked of a side that cannot be served now: its end would be told at every turn.
        poll = select.poll()
        for each, events in wanted.items():
            poll.register(each, events)
        ready = dict(poll.poll(_THIN_MS if full and not self._down else _LOOK_MS))
        for way in (self._down, self._up):
            if way and ready.get(way.to.fileno()):
                way.push()
            if way and time.monotonic() - way.moved_s > self._silence_s:
                return False
            if not way and ready.get(way.source.fileno(), 0) & ~select.POLLOUT:
                data = way.take()
                if data == b"":
                    if way is self._down and not self._frames.closed:
                        self._say_lost()
                    return False
                if data:
                    if way is self._down:
                        self._frames.feed(data)
                    way.put(data)
        return True

    def _say_lost(self) -> None:
        if not self._frames.between:
            return
        protocol = Connection(ConnectionType.SERVER)
        text = json.dumps(self._lost, ensure_ascii=False)
        goodbye = CloseConnection(code=CloseReason.INTERNAL_ERROR, reason=None)
        self._down.put(protocol.send(TextMessage(data=text)) + protocol.send(goodbye))
        until_s = time.monotonic() + GOODBYE_S  # or the unread goodbye would be cut off
        while time.monotonic() < until_s and self._up.take() != b"":
            self._down.push()
            time.sleep(_THIN_MS / 1000)
