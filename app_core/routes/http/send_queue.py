"""What the kernel still holds for a client, and whether the client takes it.

The kernel takes up to 4 MiB for a connection, which is many seconds of pictures on a thin line. A
live stream asks ``full()`` before it makes a picture, and leaves out those that would only wait.
The room is counted in time at the client's own rate, so a long thick line, which always has much
under way, keeps its rate.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import sys
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if sys.platform == "linux":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Callable

WAIT_S = 0.4
"""What waits may take this long at the client's rate, beside one round trip."""
FLOOR = 64 << 10
"""Bytes that may wait whatever the rate: a picture, and the first ones of a long line."""
PACE_S = 0.5
"""The rate is that of the last so many seconds, and one round trip, in which something was under
way."""
LOSSLESS = 128 << 10
"""Bytes not yet sent that the kernel holds of a stream that loses nothing."""
PORTABLE = 256 << 10
"""Bytes of the send buffer where the kernel does not say how much of it waits."""

_SIOCOUTQ = 0x5411
_ACKED, _MIN_RTT, _INFO_BYTES = 120, 148, 152
"""Offsets in struct tcp_info (linux/tcp.h): bytes acknowledged, u64; round trip, us, u32."""


NO_ROOM = sys.maxsize


class Held(NamedTuple):
    waiting: int
    """Bytes that the client has not acknowledged; NO_ROOM when the next write would wait."""
    taken: int
    """Bytes that it has, since some time in the past."""
    round_trip_s: float
    """The shortest so far."""


def held_by_kernel(connection: socket.socket) -> Callable[[], Held]:
    """How to ask for it. The question raises OSError or ValueError when the socket is closed."""
    if sys.platform == "linux" and connection.family in (socket.AF_INET, socket.AF_INET6):
        return lambda: _asked(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PORTABLE)
    return _Guess(connection)


def _asked(connection: socket.socket) -> Held:
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
    (waiting,) = struct.unpack("=i", fcntl.ioctl(connection, _SIOCOUTQ, bytes(4)))
    (taken,) = struct.unpack_from("=Q", info, _ACKED)
    (round_trip_us,) = struct.unpack_from("=I", info, _MIN_RTT)
    if not _has_room(connection):
        waiting = NO_ROOM
    # The kernel says ~0 until it has measured one.
    return Held(waiting, taken, min(round_trip_us / 1e6, 1.0))


def _has_room(connection: socket.socket) -> bool:
    poll = select.poll()
    poll.register(connection, select.POLLOUT)
    return bool(poll.poll(0))


class _Guess:
    """Full or empty: all that a poll tells."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._taken = connection, 0

    def __call__(self) -> Held:
        if not _has_room(self._connection):
            return Held(NO_ROOM, self._taken, 0.0)
        self._taken += PORTABLE
        return Held(0, self._taken, 0.0)


class SendQueue:
    """Of one connection. ``silence_s``: a client that takes nothing for so long has stalled."""

    def __init__(
        self,
        held: Callable[[], Held],
        silence_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._held, self._silence_s, self._clock = held, silence_s, clock
        self._at_s = self._moved_s = self._room_s = clock()
        self._before: Held | None = None
        self._steps: deque[tuple[float, int]] = deque()
        self._step_s, self._step_bytes = 0.0, 0

    def full(self) -> bool:
        """Another picture would wait too long. After ``silence_s`` of that, it may as well."""
        self._look()
        return 0 < self._at_s - self._room_s < self._silence_s

    def stalled(self) -> bool:
        """Something waits, and the client has taken nothing for ``silence_s``."""
        self._look()
        return self._at_s - self._moved_s >= self._silence_s

    def _look(self) -> None:
        now, before = self._clock(), self._before
        try:
            held = self._held()
        except (OSError, ValueError):  # closed: whoever writes next learns it
            held = before or Held(0, 0, 0.0)
        moved = held.taken - before.taken if before else 0
        if before and (moved or before.waiting):
            self._step(now - self._at_s, moved, PACE_S + held.round_trip_s)
        if moved or not held.waiting:
            self._moved_s = now
        rate = self._step_bytes / self._step_s if self._step_s else 0.0
        if held.waiting <= max(FLOOR, rate * (WAIT_S + held.round_trip_s)):
            self._room_s = now
        self._at_s, self._before = now, held

    def _step(self, seconds: float, taken: int, longest_s: float) -> None:
        self._steps.append((seconds, taken))
        self._step_s += seconds
        self._step_bytes += taken
        while self._step_s - self._steps[0][0] >= longest_s:
            old_s, old = self._steps.popleft()
            self._step_s -= old_s
            self._step_bytes -= old


def bound_unsent(connection: socket.socket, count: int) -> None:
    """The kernel takes no more than so many bytes beyond those that are under way; 0: its own
    limit again."""
    option = getattr(socket, "TCP_NOTSENT_LOWAT", 25 if sys.platform == "linux" else None)
    if option is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, option, count)
