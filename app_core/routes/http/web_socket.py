"""WebSockets on the connections of requests.

``WebSocket`` is for what goes both ways at a rate: whole messages out, each within a time; bounded
messages in, no faster than they are taken, so that a client that sends too much waits in its own
kernel. No extension is agreed on: zlib over every picture would cost more than it saves.
"""

from __future__ import annotations

import contextlib
import math
import select
import socket
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from wsproto.events import (
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    Ping,
    Pong,
    TextMessage,
)
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError, ProtocolError

from app_core.errors import BadInput
from app_core.routes.http.context import client_socket
from app_core.routes.http.file_response import FileResponse
from app_core.routes.http.handshake import shake_hands
from app_core.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsproto import WSConnection

SILENCE_S = 10.0
"""A client that says nothing for this long is asked for a sign of life, and is gone when none
comes within as much again."""
GOODBYE_S = 1.0
"""For the client's own goodbye."""
PATIENCE = 3
"""Time-outs of a send that a whole message may take."""
_BLOCK = 1 << 16
MESSAGES_A_SECOND, MESSAGES_AT_ONCE, FLOOD_S = 1000, 5000, 20.0
"""Sound comes in up to 400 pieces a second, and faster where it is not live. Beyond this a client
waits in its own kernel, and one that goes on for FLOOD_S is gone."""


class SocketClosed(Exception):
    """The client is gone, takes nothing any more, or the goodbye has been said."""


class WebSocket:
    """One thread receives; any may send. ``largest``: bytes of a message from the client.
    ``send_s``: a client that takes nothing for so long is gone. ``budget``: of what it may send.
    """

    def __init__(
        self,
        connection: socket.socket,
        protocol: WSConnection,
        largest: int,
        send_s: float,
        budget: TokenBucket,
    ) -> None:
        self.connection = connection
        self._protocol, self._largest, self._send_s = protocol, largest, send_s
        self._budget = budget
        self.patience = 1
        """How many times SILENCE_S a client may say nothing."""
        self._came: Iterator[Event] | None = None
        """Of what was received and not looked at yet."""
        self._lock = threading.Lock()
        self._owed: Ping | Pong | None = None
        self._messages: deque[str | bytes] = deque()
        self._parts: list[str | bytes | bytearray] = []
        self._size = 0
        self._over = False
        self._heard_s, self._asked_s = time.monotonic(), math.inf
        self.left_s: float | None = None
        """When the goodbye was said, by time.monotonic()."""
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @classmethod
    def accept(cls, largest: int, send_s: float, budget: TokenBucket | None = None) -> WebSocket:
        """The connection of this request. Raises BadInput, or SocketClosed when the client is gone
        before the answer."""
        protocol, answer = shake_hands()
        connection = client_socket()
        if connection is None:
            raise BadInput("This connection cannot become a WebSocket")
        if budget is None:
            budget = TokenBucket(MESSAGES_A_SECOND, MESSAGES_AT_ONCE, FLOOD_S)
        made = cls(connection, protocol, largest, send_s, budget)
        with made._lock:
            made._write(answer)
        return made

    def receive(self, timeout_s: float) -> str | bytes | None:
        """The next whole message; None when there is none in time. Raises SocketClosed."""
        until_s = time.monotonic() + timeout_s
        while not self._messages:
            if self._over:
                raise SocketClosed
            left_s = until_s - time.monotonic()
            if self._came is not None:
                wait_s = self._budget.wait_s()
                if self._budget.overdrawn:
                    self._end(CloseReason.POLICY_VIOLATION)
                elif wait_s > left_s:
                    time.sleep(max(left_s, 0.0))
                    return None
                else:
                    time.sleep(wait_s)
                    self._look(self._came)
                continue
            if not self._ready(select.POLLIN, max(left_s, 0.0)):
                self._look_for_life()
                if left_s <= 0:
                    return None
                continue
            try:
                data = self.connection.recv(_BLOCK, socket.MSG_DONTWAIT)
            except (BlockingIOError, InterruptedError):
                continue
            except OSError as error:
                raise SocketClosed from error
            if not data:
                raise SocketClosed
            self._heard_s, self._asked_s = time.monotonic(), math.inf
            self._take(data)
        return self._messages.popleft()

    def send(self, *messages: str | bytes) -> None:
        """All in one go. Raises SocketClosed."""
        with self._lock:
            parts = [self._encoded(_event(message)) for message in messages]
            self._write(parts[0] if len(parts) == 1 else b"".join(parts))
            self._pay()

    def close(self, code: int = CloseReason.NORMAL_CLOSURE, reason: str = "") -> None:
        """Says goodbye, once; nothing can be sent behind it. Does not wait for the client's."""
        if self._lock.acquire(timeout=self._send_s):
            try:
                if self.left_s is None:
                    self.left_s = time.monotonic()
                    self._write(self._encoded(CloseConnection(code=code, reason=reason or None)))
            except SocketClosed:
                pass
            finally:
                self._lock.release()

    def abort(self) -> None:
        """Whoever receives or sends gets SocketClosed."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _ready(self, wanted: int, timeout_s: float) -> bool:
        """Also when the connection is broken. Raises SocketClosed when it has been closed."""
        poll = select.poll()
        try:
            poll.register(self.connection, wanted)
            return bool(poll.poll(timeout_s * 1000))
        except (OSError, ValueError) as error:
            raise SocketClosed from error

    def _look_for_life(self) -> None:
        """What counts is what was not said since it was asked for: the reader itself may have been
        away for long."""
        now, silence_s = time.monotonic(), self.patience * SILENCE_S
        if now - self._asked_s > silence_s:
            raise SocketClosed
        if now - self._heard_s > silence_s and math.isinf(self._asked_s):
            self._asked_s = now
            self._owe(Ping())

    def _take(self, data: bytes) -> None:
        try:
            self._protocol.receive_data(data)
        except ProtocolError:
            self._end(CloseReason.PROTOCOL_ERROR)
        else:
            self._came = self._protocol.events()

    def _look(self, came: Iterator[Event]) -> None:
        """At the next thing that came."""
        try:
            event = next(came, None)
        except ProtocolError:
            self._end(CloseReason.PROTOCOL_ERROR)
            return
        if event is None:
            self._came = None
        else:
            self._budget.take()
            self._happened(event)

    def _happened(self, event: Event) -> None:
        if isinstance(event, Message):
            self._parts.append(event.data)
            self._size += max(1, len(event.data))  # empty ones take room too
            if self._size > self._largest:
                self._end(CloseReason.MESSAGE_TOO_BIG)
            elif event.message_finished:
                empty: str | bytes = "" if isinstance(event, TextMessage) else b""
                self._messages.append(empty.join(self._parts))  # type: ignore[arg-type]
                self._parts, self._size = [], 0
        elif isinstance(event, Ping):
            self._owe(event.response())
        elif isinstance(event, CloseConnection):
            self._end(event.code)

    def _end(self, code: int) -> None:
        self._over = True
        # These two are never sent.
        silent = (CloseReason.NO_STATUS_RCVD, CloseReason.ABNORMAL_CLOSURE)
        self.close(CloseReason.NORMAL_CLOSURE if code in silent else code)

    def _owe(self, sign: Ping | Pong) -> None:
        """Whoever receives waits neither for whoever sends nor for room: the next message that is
        sent pays."""
        self._owed = sign
        if self._lock.acquire(blocking=False):
            try:
                if self._ready(select.POLLOUT, 0):
                    self._pay()
            finally:
                self._lock.release()

    def _pay(self) -> None:
        sign, self._owed = self._owed, None
        if sign is not None:
            self._write(self._encoded(sign))

    def _encoded(self, event: Event) -> bytes:
        try:
            return self._protocol.send(event)
        except LocalProtocolError as error:
            raise SocketClosed from error

    def _write(self, data: bytes) -> None:
        """All of it, with the lock held."""
        view, until_s = memoryview(data), time.monotonic() + PATIENCE * self._send_s
        while view:
            if time.monotonic() > until_s or not self._ready(select.POLLOUT, self._send_s):
                self.abort()
                raise SocketClosed
            try:
                view = view[self.connection.send(view, socket.MSG_DONTWAIT) :]
            except (BlockingIOError, InterruptedError):
                continue
            except OSError as error:
                raise SocketClosed from error


def _event(message: str | bytes) -> Message[Any]:
    return TextMessage(data=message) if isinstance(message, str) else BytesMessage(data=message)


class SocketEnded(FileResponse):
    """What a view returns when its WebSocket is over: nothing more is sent. Of the app's own class
    of answers, or Flask would make another of it.
    """

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if "gunicorn.socket" in environ:
            raise StopIteration
        return super().__call__(environ, start_response)
