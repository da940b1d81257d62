"""How long a client may take to send a body."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Self

from app_core.threads import start_thread

SLOWEST = 64 << 10
"""Bytes a second."""
GRACE = 3
"""Times the longest silence, before the rate is looked at."""
_LOOK_S = 0.5


class MinUploadRate:
    """In its ``with`` block nothing is awaited from the client for longer than ``silence_s``, and
    one that sends less than SLOWEST on the whole is no longer listened to: ``late`` is set then,
    and what reads from the connection finds its end. Entering raises Busy when no thread is left.
    """

    def __init__(self, connection: socket.socket, silence_s: float) -> None:
        self.late = False
        self._connection, self._silence_s = connection, silence_s
        self._received = 0
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._run, name="upload-rate", daemon=True)

    def note(self, count: int) -> None:
        """So many bytes more have come."""
        self._received += count

    def _run(self) -> None:
        begins = time.monotonic() + GRACE * self._silence_s
        while not self._over.wait(min(_LOOK_S, self._silence_s)):
            if self._received < SLOWEST * (time.monotonic() - begins):
                self.late = True
                with contextlib.suppress(OSError):
                    self._connection.shutdown(socket.SHUT_RD)
                return

    def __enter__(self) -> Self:
        start_thread(self._watch)
        self._connection.settimeout(self._silence_s)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watch.join()
        if self._connection.fileno() >= 0:
            self._connection.settimeout(None)
