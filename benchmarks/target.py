"""What an attacker knows of the server, and how it asks."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

SMALL: dict[str, Any] = {"size": "128x128", "language": "en", "voice": "espeak", "fps": 10}
TIMEOUT_S = 10.0
SOURCE = "127.0.0.2"
"""Where attackers come from: another client than those that are served."""


class NoRoom(TimeoutError):
    """The server was full all the time."""


@dataclass(frozen=True)
class Target:
    address: tuple[str, int]
    count: int
    """Of connections, or of threads that ask."""
    end_s: float
    """On the monotonic clock."""
    path: str
    """Of a finished film."""
    jobs: list[str] = field(default_factory=list)
    """Films of its own, which it cancels at the end: they are no fault of the server's."""

    @property
    def over(self) -> bool:
        return time.monotonic() > self.end_s

    def connect(self, data: bytes = b"", receive_bytes: int = 1 << 16) -> socket.socket:
        """A connection that has asked, whatever became of that."""
        connection = socket.socket()
        if self.address[0] == "127.0.0.1":
            connection.bind((SOURCE, 0))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        connection.settimeout(TIMEOUT_S)
        with contextlib.suppress(OSError):
            connection.connect(self.address)
            connection.sendall(data)
        return connection

    def hold(self, data: bytes) -> list[int]:
        """``count`` connections that have sent ``data``; their ports."""
        return ports([self.connect(data) for _ in range(self.count)])

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        source: str = SOURCE,
        **headers: str,
    ) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers. Raises OSError."""
        own = (source, 0) if self.address[0] == "127.0.0.1" else None
        connection = http.client.HTTPConnection(
            *self.address, timeout=TIMEOUT_S, source_address=own
        )
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return answer.status, answer.read(), dict(answer.getheaders())
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()

    def post(self, path: str, fields: dict[str, Any], **headers: str) -> tuple[int, Any]:
        """Status and JSON."""
        body = json.dumps(fields).encode()
        headers = {"Content_Type": "application/json", **headers}
        status, data, _ = self.ask("POST", path, body, **headers)
        return status, json.loads(data)

    def session(self, **fields: Any) -> dict[str, Any]:
        """A session of its own, once there is room."""
        while True:
            status, made = self.post("/api/sessions", SMALL | fields)
            if status == 201:
                return dict(made)
            if self.over:
                kind = NoRoom if status in (429, 503) else TimeoutError
                raise kind(f"no session: {made}")
            time.sleep(0.2)

    def upgraded(self, path: str, receive_bytes: int = 1 << 16) -> socket.socket:
        """A WebSocket, as far as it was let in."""
        connection = self.connect(upgrade(path), receive_bytes)
        with contextlib.suppress(OSError):
            connection.recv(4096)
        return connection

    def keep(self, work: Callable[[], object]) -> None:
        """``count`` threads do it until the end, whatever is answered."""

        def run() -> None:
            while not self.over:
                try:
                    work()
                except (OSError, ValueError, KeyError, TimeoutError):
                    time.sleep(0.02)

        for _ in range(self.count):
            threading.Thread(target=run, daemon=True).start()


def ports(connections: list[socket.socket]) -> list[int]:
    _held.extend(connections)
    return [connection.getsockname()[1] for connection in connections]


_held: list[socket.socket] = []
"""A socket that nobody knows any more is closed."""


def upgrade(path: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()


def frame(opcode: int, data: bytes = b"") -> bytes:
    """One of a client, of less than 126 bytes; its mask is nought."""
    return bytes([0x80 | opcode, 0x80 | len(data)]) + bytes(4) + data


TEXT, BINARY, PING = 1, 2, 9
