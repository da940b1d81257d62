"""The bytes of a WebSocket between a client and a replica, both ends in the test's hands."""

from __future__ import annotations

import json
import random
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from wsproto import ConnectionType
from wsproto.connection import Connection
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage

from app_core.cluster import tunnel as module
from app_core.cluster.tunnel import Frames, Tunnel
from app_core.routes.http.send_queue import Held

HEAD = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
LOST = {"type": "error", "error": "—", "code": "replica_lost", "field": None}
SMALL = 64 << 10
"""Bytes of a kernel's buffer."""


def frame(opcode: int, payload: bytes, *, last: bool = True) -> bytes:
    """As a server sends it (RFC 6455, section 5.2)."""
    size = len(payload)
    head = bytes([opcode | (128 if last else 0)])
    if size < 126:
        return head + bytes([size]) + payload
    if size < 1 << 16:
        return head + b"\x7e" + size.to_bytes(2, "big") + payload
    return head + b"\x7f" + size.to_bytes(8, "big") + payload


TEXT, BINARY, MORE, CLOSE, PING = 1, 2, 0, 8, 9
FRAGMENTED = [
    frame(TEXT, b"one ", last=False),
    frame(PING, b"ping"),
    frame(MORE, b"two ", last=False),
    frame(MORE, b""),
]


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000, 1 << 20])
def test_where_a_message_ends_however_it_is_cut(step: int) -> None:
    sizes = (0, 1, 125, 126, 127, 65535, 65536, 70_000)
    messages = [frame(BINARY, bytes(size)) for size in sizes]
    whole, ends = b"".join(messages), {0}
    for message in messages:
        ends.add(max(ends) + len(message))
    frames = Frames()
    for at in range(0, len(whole), step):
        frames.feed(whole[at : at + step])
        assert frames.between is (min(at + step, len(whole)) in ends)
    assert not frames.closed


def test_control_frames_stand_within_a_message() -> None:
    frames, between = Frames(), []
    for each in FRAGMENTED:
        frames.feed(each)
        between.append(frames.between)
    assert between == [False, False, False, True]
    frames.feed(frame(CLOSE, b"\x03\xe8")[:2])
    assert frames.closed and not frames.between


def pair() -> tuple[socket.socket, socket.socket]:
    """Of one TCP connection, whose kernels hold little on the way to the first."""
    near = socket.socket()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        near.connect(listener.getsockname())
        far, _ = listener.accept()
    far.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
    for each in (near, far):
        each.settimeout(10)
    return near, far


class Ends:
    """``client`` and ``replica`` are what they have in hand; the tunnel runs in a thread."""

    def __init__(self, silence_s: float) -> None:
        self.client, self._clients = pair()
        self._replicas, self.replica = pair()
        tunnel = Tunnel(self._clients, self._replicas, silence_s, LOST)
        self.thread = threading.Thread(target=tunnel.run, args=(HEAD, b""), daemon=True)
        self.protocol = Connection(ConnectionType.CLIENT)

    def start(self) -> None:
        self.thread.start()
        got = b""
        while len(got) < len(HEAD):
            got += self.client.recv(len(HEAD) - len(got))
        assert got == HEAD

    def ended(self) -> bool:
        self.thread.join(10)
        return not self.thread.is_alive()

    def take(self, count: int) -> list[Event]:
        """At least so many of the client's events; fewer at the end of the connection."""
        found: list[Event] = []
        while len(found) < count and (data := self.client.recv(1 << 16)):
            self.protocol.receive_data(data)
            found += self.protocol.events()
        return found

    def close(self) -> None:
        self.client.close()
        self.replica.close()
        assert self.ended()
        self._clients.close()
        self._replicas.close()


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Ends]]:
    monkeypatch.setattr(module, "GOODBYE_S", 0.2)
    made: list[Ends] = []

    def begin(silence_s: float = 10.0) -> Ends:
        made.append(Ends(silence_s))
        made[-1].start()
        return made[-1]

    yield begin
    for ends in made:
        ends.close()


@pytest.fixture
def ends(make: Callable[..., Ends]) -> Ends:
    return make()


def told(event: Any) -> Any:
    assert isinstance(event, TextMessage)
    return json.loads(event.data)


def cut(connection: socket.socket) -> None:
    """As of a process that is killed."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


def test_both_ways_whole_messages_pass(ends: Ends) -> None:
    numbers = random.Random(1)
    data = [numbers.randbytes(size) for size in (1, 300, 70_000)]
    stream = b"".join(frame(BINARY, each) for each in data)
    for at in range(0, len(stream), 999):
        ends.replica.sendall(stream[at : at + 999])
    got, pieces = [], b""
    while len(got) < 3:
        for event in ends.take(1):
            assert isinstance(event, BytesMessage)
            pieces += event.data
            if event.message_finished:
                got.append(pieces)
                pieces = b""
    assert got == data
    said = ends.protocol.send(TextMessage(data="x" * 200_000))
    threading.Thread(target=ends.client.sendall, args=(said,)).start()
    heard = b""
    while len(heard) < len(said):
        heard += ends.replica.recv(1 << 16)
    assert heard == said


@pytest.mark.parametrize("how", [cut, socket.socket.close])
@pytest.mark.parametrize("before", [b"", frame(TEXT, b"x"), b"".join(FRAGMENTED)])
def test_a_replica_that_dies_between_messages_is_spoken_for(
    ends: Ends, before: bytes, how: Callable[[socket.socket], None]
) -> None:
    ends.replica.sendall(before)
    count = {0: 0, 3: 1}.get(len(before), 4)
    early = ends.take(count) if count else []
    how(ends.replica)
    events = [e for e in early + ends.take(count + 2 - len(early)) if not isinstance(e, Ping)]
    *_, last, goodbye = events
    assert told(last) == LOST
    assert isinstance(goodbye, CloseConnection) and goodbye.code == 1011
    assert ends.ended()


@pytest.mark.parametrize("how", [cut, socket.socket.close])
@pytest.mark.parametrize(
    "before", [frame(TEXT, b"abc")[:-1], frame(TEXT, b"abc")[:1], FRAGMENTED[0]]
)
def test_one_that_dies_within_a_message_is_cut(
    ends: Ends, before: bytes, how: Callable[[socket.socket], None]
) -> None:
    ends.replica.sendall(before)
    assert ends.client.recv(len(before)) == before
    how(ends.replica)
    assert ends.ended()
    ends._clients.close()
    assert ends.client.recv(100) == b"", "nothing that could be taken for the message's rest"


def test_one_that_said_goodbye_is_not_spoken_for(ends: Ends) -> None:
    ends.replica.sendall(frame(CLOSE, b"\x03\xe8"))
    ends.replica.close()
    (goodbye,) = ends.take(1)
    assert isinstance(goodbye, CloseConnection) and goodbye.code == 1000
    assert ends.ended()
    ends._clients.close()
    assert ends.client.recv(100) == b""


def test_a_goodbye_finds_its_way_to_a_client_that_is_slow(ends: Ends) -> None:
    """Its kernel is full when the replica dies."""
    count = fill(ends.replica)
    cut_off = count % len(PICTURE)
    ends.replica.settimeout(10)
    sender = threading.Thread(
        target=lambda: (ends.replica.sendall(PICTURE[cut_off:]), ends.replica.close())
    )
    sender.start()
    events = []
    while not any(isinstance(event, CloseConnection) for event in events):
        events = ends.take(1)
        last = [event for event in events if isinstance(event, TextMessage)] or events
    sender.join(10)
    assert told(last[0]) == LOST
    assert ends.ended()


def test_a_client_that_leaves_ends_it(ends: Ends) -> None:
    ends.client.close()
    assert ends.ended()
    ends._replicas.close()
    assert ends.replica.recv(1) == b""


PICTURE = frame(BINARY, bytes(20_000))


def fill(replica: socket.socket) -> int:
    """Pictures until no more is taken. Bytes."""
    replica.settimeout(0.3)
    count = 0
    while True:
        try:
            count += replica.send(PICTURE[count % len(PICTURE) :])
        except TimeoutError:
            return count


def test_what_a_client_has_no_room_for_stays_with_the_replica(
    make: Callable[..., Ends], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which leaves out pictures then; and commands go up all the same."""
    held = [Held(1 << 24, 0, 0.0)]
    monkeypatch.setattr(module, "held_by_kernel", lambda _: lambda: held[0])
    ends = make()
    count = fill(ends.replica)
    assert count < 1 << 20
    ends.client.settimeout(0.1)
    with pytest.raises(TimeoutError):
        ends.client.recv(1)
    ends.client.sendall(ends.protocol.send(Pong(payload=b"here")))
    ends.replica.settimeout(10)
    assert len(ends.replica.recv(100)) == 10
    held[0] = Held(0, 1 << 24, 0.0)
    ends.client.settimeout(10)
    while count > 0:
        count -= len(ends.client.recv(1 << 16))
    assert count == 0


def test_commands_go_up_while_the_client_reads_nothing(ends: Ends) -> None:
    fill(ends.replica)
    ends.client.sendall(ends.protocol.send(Pong(payload=b"here")))
    ends.replica.settimeout(10)
    assert len(ends.replica.recv(100)) == 10


def test_a_side_that_takes_nothing_for_long_is_gone(make: Callable[..., Ends]) -> None:
    for side in ("client", "replica"):
        ends = make(0.3)
        other = ends.replica if side == "client" else ends.client
        other.settimeout(0.5)
        with pytest.raises(OSError):  # whatever it is told of it
            while True:
                other.sendall(PICTURE)
        assert ends.ended()
