"""A bad line: a UDP relay between a server and one WebRTC peer that loses, delays and narrows.

Where the kernel has netem a network namespace could do it; a relay needs neither that nor rights.
The candidates of an answer are changed to its own address, so that all goes through it.
"""

from __future__ import annotations

import heapq
import random
import re
import select
import socket
import threading
import time
from dataclasses import dataclass
from typing import Self

MOST_WAITING_S = 0.3
"""Of what waits for the narrow place: more is lost, as in a router's queue."""
_CANDIDATE = re.compile(r"a=candidate:\S+ 1 udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host", re.I)
_LARGEST = 65_536
_HEADS = 28
"""Bytes of IP and UDP before a payload."""


@dataclass(frozen=True)
class Line:
    """The same both ways, but for the rate: that is the way to the peer."""

    loss: float = 0.0
    """0..1."""
    delay_s: float = 0.0
    """Each way."""
    bits_s: float | None = None


class Relay:
    """``line`` may be set at any time."""

    def __init__(self) -> None:
        self.line = Line()
        self.passed_bytes = self.lost = 0
        """To the peer."""
        self._peer: tuple[str, int] | None = None
        self._server: tuple[str, int] | None = None
        self._near, self._far = _bound(), _bound()
        """The peer sends to the one, the server to the other."""
        self._random = random.Random(1)
        self._free_s = 0.0
        """When the narrow place has sent all that waits."""
        self._later: list[tuple[float, int, bytes, bool]] = []
        self._count = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._thread.start()

    def through(self, sdp: str) -> str:
        """An answer whose only candidate is the relay. Raises ValueError where none is IPv4."""
        found = _CANDIDATE.search(sdp)
        if found is None:
            raise ValueError("the answer has no IPv4 candidate")
        address, port = found.groups()
        self._server = (address, int(port))
        lines = []
        for line in sdp.splitlines(keepends=True):
            if not line.startswith("a=candidate"):
                lines.append(line)
            elif line.startswith(found.group(0)):
                mine = f"{address} {self._near.getsockname()[1]}"
                lines.append(line.replace(f"{address} {port}", mine, 1))
        return "".join(lines)

    def close(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._near.close()
        self._far.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            wait_s = min(0.1, self._later[0][0] - time.monotonic()) if self._later else 0.1
            ready, _, _ = select.select([self._near, self._far], [], [], max(0.0, wait_s))
            for taken in ready:
                self._take(taken)
            while self._later and self._later[0][0] <= time.monotonic():
                _, _, data, to_peer = heapq.heappop(self._later)
                self._pass(data, to_peer=to_peer)

    def _take(self, taken: socket.socket) -> None:
        data, sender = taken.recvfrom(_LARGEST)
        line, now_s, to_peer = self.line, time.monotonic(), taken is self._far
        if not to_peer:
            self._peer = sender
        if self._random.random() < line.loss:
            self.lost += to_peer
            return
        leaves_s = now_s
        if to_peer and line.bits_s is not None:
            begins_s = max(now_s, self._free_s)
            if begins_s - now_s > MOST_WAITING_S:
                self.lost += 1
                return
            leaves_s = self._free_s = begins_s + 8 * (len(data) + _HEADS) / line.bits_s
        self._count += 1
        heapq.heappush(self._later, (leaves_s + line.delay_s, self._count, data, to_peer))

    def _pass(self, data: bytes, *, to_peer: bool) -> None:
        target = self._peer if to_peer else self._server
        if target is None:
            return
        (self._near if to_peer else self._far).sendto(data, target)
        self.passed_bytes += to_peer * len(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _bound() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("0.0.0.0", 0))
    made.setblocking(False)
    return made
