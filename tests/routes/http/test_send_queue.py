"""What the kernel holds for a client, on a line that is modelled and on real sockets."""

from __future__ import annotations

import select
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator

import pytest

from app_core.routes.http.send_queue import (
    FLOOR,
    NO_ROOM,
    WAIT_S,
    Held,
    SendQueue,
    bound_unsent,
    held_by_kernel,
)
from tests.conftest import until

FPS = 25
PICTURE = 50_000


class Line:
    """Bytes leave at ``rate`` and are acknowledged one round trip later. It tells the time."""

    def __init__(self, rate: float, round_trip_s: float = 0.0) -> None:
        self.rate, self.round_trip_s = rate, round_trip_s
        self.now = 0.0
        self.unsent = 0.0
        self.taken = 0.0
        self._under_way: deque[tuple[float, float]] = deque()

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        sent = min(self.unsent, self.rate * seconds)
        self.unsent -= sent
        self._under_way.append((self.now + self.round_trip_s, sent))
        while self._under_way and self._under_way[0][0] <= self.now:
            self.taken += self._under_way.popleft()[1]

    def held(self) -> Held:
        waiting = self.unsent + sum(count for _, count in self._under_way)
        return Held(int(waiting), int(self.taken), self.round_trip_s)


def shown(line: Line, seconds: float = 10.0) -> tuple[list[int], float]:
    """The pictures of a stream that are not dropped, and the longest time that one waits unsent,
    both after the first second."""
    queue = SendQueue(line.held, 10.0, lambda: line.now)
    sent, most = [], 0.0
    for index in range(int(seconds * FPS)):
        if not queue.full():
            line.unsent += PICTURE
            if index >= FPS:
                sent.append(index)
                most = max(most, line.unsent / line.rate)
        for _ in range(8):
            line.pass_time(1 / FPS / 8)
    return sent, most


@pytest.mark.parametrize("round_trip_s", [0.0, 0.05, 0.2, 0.6])
def test_a_long_thick_line_shows_every_picture(round_trip_s: float) -> None:
    sent, _ = shown(Line(3e6, round_trip_s), 20.0)
    known = 10 * FPS if round_trip_s > 0.5 else 2 * FPS  # it takes some round trips to know a line
    assert sent[known - 20 * FPS :] == list(range(known, 20 * FPS))


@pytest.mark.parametrize("round_trip_s", [0.0, 0.2])
@pytest.mark.parametrize("rate", [150e3, 400e3, 900e3])
def test_a_thin_line_is_kept_busy_but_not_filled(rate: float, round_trip_s: float) -> None:
    sent, most = shown(Line(rate, round_trip_s))
    assert len(sent) * PICTURE == pytest.approx(9 * rate, rel=0.15), "all that the line takes"
    assert most <= max(WAIT_S + round_trip_s, FLOOR / rate) + 1.2 * PICTURE / rate


class Bursts(Line):
    """A reader that takes ``burst`` bytes at once and then sleeps; its kernel has room for
    ``window`` bytes, and what is there is acknowledged."""

    def __init__(self, rate: float, burst: int, window: int = 350_000) -> None:
        super().__init__(rate)
        self.burst, self.window = burst, window
        self.unread, self._wakes = 0.0, 0.0

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        if self.now >= self._wakes:
            read = min(self.burst, self.unread)
            self.unread -= read
            self._wakes = self.now + read / self.rate
        moved = min(self.unsent, self.window - self.unread)
        self.unsent -= moved
        self.unread += moved
        self.taken += moved

    def held(self) -> Held:
        return Held(int(self.unsent + self.unread), int(self.taken), 0.0)


@pytest.mark.parametrize("burst", [16_384, 65_536, 131_072])
def test_a_reader_in_bursts_is_not_taken_for_a_fast_one(burst: int) -> None:
    line = Bursts(400e3, burst)
    queue = SendQueue(line.held, 10.0, lambda: line.now)
    sent, most = 0, 0.0
    for index in range(20 * FPS):
        if not queue.full():
            line.unsent += PICTURE
            if index >= 10 * FPS:
                sent += PICTURE
                most = max(most, (line.unsent + line.unread) / line.rate)
        for _ in range(8):
            line.pass_time(1 / FPS / 8)
    assert most <= 1.0
    assert sent == pytest.approx(10 * line.rate, rel=0.15)


def test_a_line_that_becomes_thin_is_followed() -> None:
    line = Line(3e6)
    shown(line)
    line.rate = 200e3
    _, most = shown(line)
    assert most < 1.0


def test_a_pause_is_not_taken_for_a_slow_client() -> None:
    line = Line(3e6, 0.2)
    queue = SendQueue(line.held, 10.0, lambda: line.now)
    for _ in range(50):
        assert not queue.full() or line.now < 1.0
        line.unsent += PICTURE
        line.pass_time(0.04)
    for _ in range(50):
        line.pass_time(0.1)
        assert not queue.stalled()
    for _ in range(20):
        assert not queue.full()
        line.unsent += PICTURE
        line.pass_time(0.04)


def test_a_client_that_takes_nothing_has_stalled() -> None:
    line = Line(0.0)
    queue = SendQueue(line.held, 10.0, lambda: line.now)
    for _ in range(20):
        line.pass_time(1.0)
        assert not queue.stalled(), "nothing waits"
    line.unsent = 1e6
    line.pass_time(1.0)
    assert queue.full() and not queue.stalled()
    for _ in range(8):
        line.pass_time(1.0)
        assert queue.full() and not queue.stalled()
    line.pass_time(1.0)
    assert queue.stalled()
    assert not queue.full(), "nobody waits for ever"


def test_a_little_now_and_then_is_no_stall() -> None:
    line = Line(0.0)
    queue = SendQueue(line.held, 10.0, lambda: line.now)
    line.unsent = 1e6
    for _ in range(10):
        line.pass_time(9.0)
        assert not queue.stalled()
        line.taken += 1


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        served, _ = listener.accept()
    with client, served:
        yield served, client


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
def test_the_kernel_is_asked(pair: tuple[socket.socket, socket.socket]) -> None:
    served, client = pair
    held = held_by_kernel(served)
    before = held()
    assert before.waiting == 0 and 0 <= before.round_trip_s < 0.5
    served.sendall(bytes(1000))
    assert until(lambda: held().taken == before.taken + 1000)
    served.setblocking(False)
    sent = 1000 + served.send(bytes(256))
    assert until(lambda: held().taken == before.taken + sent)
    sent += _fill(served, 200_000)
    now = held()
    unacknowledged = sent - (now.taken - before.taken)
    assert unacknowledged < now.waiting <= sent, "and some of what nobody has read"
    sent += _fill(served, 1 << 30)
    assert held().waiting == NO_ROOM
    assert _drained(client, sent)
    assert until(lambda: held() == (0, before.taken + sent, held().round_trip_s))


def _fill(served: socket.socket, most: int) -> int:
    sent = 0
    while sent < most and select.select([], [served], [], 0.2)[1]:
        sent += served.send(bytes(min(65536, most - sent)))
    return sent


def _drained(client: socket.socket, count: int) -> bool:
    client.settimeout(5)
    while count:
        count -= len(client.recv(min(count, 1 << 20)))
    return True


@pytest.mark.skipif(sys.platform != "linux", reason="what others hold differs")
def test_what_is_not_sent_is_bounded(pair: tuple[socket.socket, socket.socket]) -> None:
    served, _ = pair
    served.setblocking(False)
    bound_unsent(served, 64 << 10)
    bounded = _fill(served, 1 << 30)
    bound_unsent(served, 0)
    assert _fill(served, 1 << 30) > bounded


def test_where_the_kernel_does_not_say_a_poll_does() -> None:
    served, client = socket.socketpair()
    with served, client:
        held = held_by_kernel(served)
        assert held().waiting == 0
        served.setblocking(False)
        while select.select([], [served], [], 0)[1]:
            served.send(bytes(4096))
        assert held().waiting == NO_ROOM
        queue = SendQueue(held, 10.0)
        time.sleep(0.01)
        assert queue.full()


def test_a_closed_socket_is_no_error() -> None:
    served, client = socket.socketpair()
    client.close()
    queue = SendQueue(held_by_kernel(served), 10.0)
    served.close()
    assert not queue.full()
    assert not queue.stalled()
