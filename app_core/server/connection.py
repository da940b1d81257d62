"""One client's connection, and who has to do something about it next."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from app_core.server.incoming import Incoming

if TYPE_CHECKING:
    from app_core.server.limits import Limits
    from app_core.server.outgoing import Outgoing
    from app_core.server.upload_place import Place

NEVER = float("inf")


class State(Enum):
    HEAD = auto()
    """A request is awaited, or its head is."""
    BODY = auto()
    PACED = auto()
    """A whole request waits for its turn."""
    THREAD = auto()
    """A thread has the connection; the loop keeps its hands off."""
    SEND = auto()
    """The rest of an answer goes out."""
    LINGER = auto()
    """All is said; the client's end is awaited, so that it is not cut off while it reads."""
    CLOSED = auto()


class Connection:
    """Only the loop's thread changes its state; ``deadline`` is on the monotonic clock."""

    def __init__(
        self, sock: socket.socket, client: Any, server: Any, cfg: Any, limits: Limits
    ) -> None:
        self.sock, self.client, self.server = sock, client, server
        self.incoming = Incoming(cfg, client, limits)
        self.state = State.HEAD
        self.since = time.monotonic()
        """When the state began, or when the client last took or sent something."""
        self.deadline = self.since + limits.head_s
        self.latest = NEVER
        """What no progress moves the deadline beyond."""
        self.events = 0
        """What the loop's selector looks for."""
        self.place: Place | None = None
        """Of an upload that a thread receives."""
        self.outgoing: Outgoing | None = None
        self.keep = False
        """Another request may follow the answer that goes out."""
        self.drained = 0
        sock.setblocking(False)
        whole, part = divmod(limits.send_s, 1)
        # Bounds every blocking send, of a WebSocket's own thread too.
        sock.setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", int(whole), int(part * 1e6))
        )

    @property
    def address(self) -> str:
        """Of the client; empty where there is no network between."""
        return str(self.client[0]) if isinstance(self.client, tuple) else ""

    @property
    def silent(self) -> bool:
        """Nothing of a request has come."""
        return self.state is State.HEAD and not self.incoming.buffer

    def enter(self, state: State, wait_s: float = NEVER, whole_s: float = NEVER) -> None:
        """``wait_s``: how long without progress; ``whole_s``: how long at all."""
        self.state, self.since = state, time.monotonic()
        self.latest = self.since + whole_s
        self.deadline = min(self.since + wait_s, self.latest)

    def progress(self, wait_s: float) -> None:
        self.since = time.monotonic()
        self.deadline = min(self.since + wait_s, self.latest)

    def finish(self) -> None:
        """Nothing more is sent."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)

    def close(self, cut: bool = False) -> None:
        """``cut``: what the kernel still holds for the client is thrown away."""
        self.state, self.deadline = State.CLOSED, NEVER
        with contextlib.suppress(OSError):
            if cut:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.sock.close()
