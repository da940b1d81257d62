"""Processor time of a server and of this process, its client."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from app_core.cores import Cores

if TYPE_CHECKING:
    from benchmarks.server import Server


class Lap(NamedTuple):
    wall_s: float
    server_s: float
    """Core seconds. Of a server that was not started here: all that this machine did beside the
    client, so nothing else may run on it."""
    client_s: float


class Meter:
    def __init__(self, server: Server) -> None:
        self._server, self._cores = server, Cores()
        self._began = self._read()

    def lap(self) -> Lap:
        """Since the last one. Raises RuntimeError where the kernel does not tell."""
        now = self._read()
        lap = Lap(*(after - before for after, before in zip(now, self._began, strict=True)))
        self._began = now
        return lap

    def _read(self) -> tuple[float, float, float]:
        client_s = time.process_time()
        server_s = self._server.cpu_s()
        if server_s is None:
            busy_s = self._cores.usage().busy_s
            if busy_s is None:
                raise RuntimeError("the kernel does not tell what the processors do")
            server_s = busy_s - client_s
        return time.monotonic(), server_s, client_s
