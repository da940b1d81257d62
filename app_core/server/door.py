"""A front with its threads inside a process that has other things to do, on a port of its own."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from gunicorn.config import Config

from app_core.server.limits import connections_below, raise_descriptors
from app_core.server.serving import Serving

if TYPE_CHECKING:
    from collections.abc import Callable
    from wsgiref.types import WSGIApplication

    from app_core.server.limits import Limits

logger = logging.getLogger(__name__)

BACKLOG = 1024
MOST_FIELDS, WIDER = 200, 4
"""Heads that are passed on have been bounded already, and are written at more length."""
_CUT_S = 1.0
"""For threads whose clients are cut off."""
_JOIN_S = 5.0


class DoorServer:
    """Listens on ``host`` from ``start`` on; ``port`` is one that is free.

    ``count(method, route, status)`` is told of answers that the application never sees.
    """

    def __init__(
        self,
        host: str,
        application: WSGIApplication,
        limits: Limits,
        count: Callable[[str, str, int], None],
    ) -> None:
        """Raises OSError."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family, backlog=BACKLOG)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        cfg = Config()
        for name, value in (
            ("limit_request_line", 0),  # the loop has its own
            ("limit_request_field_size", 0),
            ("limit_request_fields", MOST_FIELDS),
            ("forwarded_allow_ips", ""),
            ("secure_scheme_headers", {}),
            ("forwarder_headers", ""),
        ):
            cfg.set(name, value)
        most = connections_below(raise_descriptors(), limits.connections)
        line, fields = WIDER * limits.line_bytes, WIDER * limits.fields_bytes
        limits = replace(limits, connections=most, line_bytes=line, fields_bytes=fields)
        self._serving = Serving(cfg, limits)
        self._application, self._count = application, count
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="door", daemon=True)

    def start(self) -> None:
        self._serving.begin(self._application, [self._listener], self._count)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def answering(self) -> bool:
        """Requests are under way, or answers are."""
        return self._serving.loop.answering

    def close(self, wait_s: float = 0.0) -> None:
        """Answers that are under way have ``wait_s`` to end."""
        self._wait_s = wait_s
        self._stopping.set()
        self._serving.poller.call(lambda: None)  # wakes the loop
        self._thread.join(wait_s + _JOIN_S)
        with contextlib.suppress(OSError):
            self._listener.close()

    def _run(self) -> None:
        loop = self._serving.loop
        try:
            while not self._stopping.is_set():
                loop.turn()
            loop.stop()
            self._wait(self._wait_s)
            loop.cut()
            self._wait(_CUT_S)
        except Exception:
            logger.critical("the door failed", exc_info=True)
        self._serving.close()

    def _wait(self, most_s: float) -> None:
        """For the answers that are under way."""
        loop, until_s = self._serving.loop, time.monotonic() + most_s
        while loop.answering and time.monotonic() < until_s:
            loop.turn()
