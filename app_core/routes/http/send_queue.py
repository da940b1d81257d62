"""What the kernels still hold for a client, and whether the client takes it.

The kernel takes up to 4 MiB for a connection, which is many seconds of pictures on a thin line. A
live stream asks ``full()`` before it makes a picture, and leaves out those that would only wait.
The room is counted in time at the client's own rate, so a long thick line, which always has much
under way, keeps its rate. What the client's own kernel holds until it is read is counted too: by
as much its receive window is narrower than at its widest.
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

WAIT_S = 0.5
"""What waits may take this long at the client's rate, beside one round trip."""
FLOOR = 64 << 10
"""Bytes that may wait whatever the rate: a picture, and the first ones of a long line."""
PACES_S = (0.5, 2.0)
"""The rate is that of the last so many seconds, and one round trip, in which something was under
way: the lower one, as the short look follows a line that becomes thin, and the long one is not
taken in by a client that reads in bursts."""
UNMOVED_S = 1.0
"""A window that stays narrow for so long while nothing is under way has become so for good."""
LOSSLESS = 128 << 10
"""Bytes not yet sent that the kernel holds of a stream that loses nothing."""
PORTABLE = 256 << 10
"""Bytes of the send buffer where the kernel does not say how much of it waits."""

_SIOCOUTQ = 0x5411
_ACKED, _MIN_RTT, _WINDOW, _INFO_BYTES = 120, 148, 228, 232
"""Offsets in struct tcp_info (linux/tcp.h): bytes acknowledged, u64; round trip, us, u32; the
client's window, bytes, u32, which kernels before 5.4 do not tell."""


NO_ROOM = sys.maxsize


class Held(NamedTuple):
    waiting: int
    """Bytes that the client has not read, as far as that shows; NO_ROOM when the next write would
    wait."""
    taken: int
    """Bytes that it has acknowledged, since some time in the past."""
    round_trip_s: float
    """The shortest so far."""


def held_by_kernel(connection: socket.socket) -> Callable[[], Held]:
    """How to ask for it. The question raises OSError or ValueError when the socket is closed."""
    if sys.platform == "linux" and connection.family in (socket.AF_INET, socket.AF_INET6):
        return _Asked(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PORTABLE)
    return _Guess(connection)


class _Asked:
    """Linux, of a TCP connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._widest = self._taken = 0
        self._moved_s = time.monotonic()

    def __call__(self) -> Held:
        connection = self._connection
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
        (waiting,) = struct.unpack("=i", fcntl.ioctl(connection, _SIOCOUTQ, bytes(4)))
        (taken,) = struct.unpack_from("=Q", info, _ACKED)
        (round_trip_us,) = struct.unpack_from("=I", info, _MIN_RTT)
        if len(info) >= _INFO_BYTES:
            (window,) = struct.unpack_from("=I", info, _WINDOW)
            waiting += self._unread(window, taken, waiting > 0)
        if not _has_room(connection):
            waiting = NO_ROOM
        # The kernel says ~0 until it has measured one.
        return Held(waiting, taken, min(round_trip_us / 1e6, 1.0))

    def _unread(self, window: int, taken: int, under_way: bool) -> int:
        now = time.monotonic()
        if taken != self._taken or under_way:
            self._taken, self._moved_s = taken, now
        elif now - self._moved_s > UNMOVED_S:
            self._widest = window
        self._widest = max(self._widest, window)
        return self._widest - window


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


FRESH_S = 0.005
"""A look that is no older will do."""


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
        self._paces = [_Pace(seconds) for seconds in PACES_S]

    def full(self) -> bool:
        """Another picture would wait too long. After ``silence_s`` of that, it may as well."""
        self._look()
        return 0 < self._at_s - self._room_s < self._silence_s

    def stalled(self) -> bool:
        """Something waits, and the client has taken nothing for ``silence_s``."""
        if self._clock() - self._at_s > FRESH_S:
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
            for pace in self._paces:
                pace.step(now - self._at_s, moved, held.round_trip_s)
        if moved or not held.waiting:
            self._moved_s = now
        rate = min(pace.rate for pace in self._paces)
        if held.waiting <= max(FLOOR, rate * (WAIT_S + held.round_trip_s)):
            self._room_s = now
        self._at_s, self._before = now, held


class _Pace:
    """Bytes a second, of the last ``longest_s`` that were noted and one round trip."""

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._steps: deque[tuple[float, int]] = deque()
        self._seconds, self._bytes = 0.0, 0

    @property
    def rate(self) -> float:
        return self._bytes / self._seconds if self._seconds else 0.0

    def step(self, seconds: float, taken: int, round_trip_s: float) -> None:
        self._steps.append((seconds, taken))
        self._seconds += seconds
        self._bytes += taken
        while self._seconds - self._steps[0][0] >= self._longest_s + round_trip_s:
            old_s, old = self._steps.popleft()
            self._seconds -= old_s
            self._bytes -= old


def bound_unsent(connection: socket.socket, count: int) -> None:
    """The kernel takes no more than so many bytes beyond those that are under way; 0: its own
    limit again."""
    option = getattr(socket, "TCP_NOTSENT_LOWAT", 25 if sys.platform == "linux" else None)
    if option is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, option, count)
