"""One end of a WebSocket, against bytes as a client sends them."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    Request,
    TextMessage,
)

from app_core.errors import BadInput
from app_core.routes.http.web_socket import SocketClosed, WebSocket
from app_core.token_bucket import TokenBucket

LARGEST = 1000
SEND_S = 0.2


class Peer:
    """The client's end, which speaks the protocol."""

    def __init__(self, ours: socket.socket) -> None:
        self.sock, self.protocol = ours, WSConnection(ConnectionType.CLIENT)
        self.request = self.protocol.send(Request(host="localhost", target="/"))

    def send(self, *events: Event) -> None:
        self.sock.sendall(b"".join(map(self.protocol.send, events)))

    def take(self) -> list[Event]:
        self.protocol.receive_data(self.sock.recv(1 << 16))
        return list(self.protocol.events())


@pytest.fixture
def ends() -> Iterator[tuple[WebSocket, Peer]]:
    theirs, ours = socket.socketpair()
    with theirs, ours:
        ours.settimeout(10)
        peer = Peer(ours)
        lines = peer.request.decode().split("\r\n")[1:]
        headers = [tuple(line.split(": ", 1)) for line in lines if line]
        headers.append(("Sec-WebSocket-Extensions", "permessage-deflate"))
        app = Flask("socket")
        with app.test_request_context(headers=headers, environ_base={"gunicorn.socket": theirs}):
            made = WebSocket.accept(LARGEST, SEND_S)
        (accepted,) = peer.take()
        assert accepted.extensions == []
        yield made, peer


def test_messages_both_ways(ends: tuple[WebSocket, Peer]) -> None:
    server, peer = ends
    peer.send(TextMessage(data="сәлем"), BytesMessage(data=b"\1\2"))
    assert server.receive(5) == "сәлем"
    assert server.receive(5) == b"\1\2"
    assert server.receive(0) is None
    server.send("да")
    server.send(b"\3")
    found: list[Event] = []
    while len(found) < 2:
        found += peer.take()
    assert found == [TextMessage(data="да"), BytesMessage(data=b"\3")]


def test_a_message_in_frames(ends: tuple[WebSocket, Peer]) -> None:
    server, peer = ends
    peer.send(
        BytesMessage(data=b"ab", message_finished=False),
        Ping(payload=b"between"),
        BytesMessage(data=b"cd"),
        TextMessage(data="one ", message_finished=False),
        TextMessage(data="two"),
    )
    assert server.receive(5) == b"abcd"
    assert server.receive(5) == "one two"
    assert peer.take() == [Pong(payload=b"between")]


@pytest.mark.parametrize("frames", [1, 3])
def test_a_message_that_is_too_large(ends: tuple[WebSocket, Peer], frames: int) -> None:
    server, peer = ends
    peer.send(BytesMessage(data=b"x" * LARGEST))
    assert server.receive(5) == b"x" * LARGEST
    parts = [
        BytesMessage(data=b"x" * (LARGEST // frames + 1), message_finished=n == frames - 1)
        for n in range(frames)
    ]
    peer.send(*parts)
    with pytest.raises(SocketClosed):
        server.receive(5)
    (told,) = peer.take()
    assert isinstance(told, CloseConnection) and told.code == 1009


def test_what_came_before_a_goodbye_is_received(ends: tuple[WebSocket, Peer]) -> None:
    server, peer = ends
    peer.send(TextMessage(data="last"), CloseConnection(code=1000))
    assert server.receive(5) == "last"
    with pytest.raises(SocketClosed):
        server.receive(5)
    (told,) = peer.take()
    assert isinstance(told, CloseConnection) and told.code == 1000
    with pytest.raises(SocketClosed):
        server.send("too late")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x02hi", 1002),  # not masked
        (b"\xf1\x80\0\0\0\0", 1002),  # reserved bits
        (b"\x81\x81\0\0\0\0\xff", 1007),  # not UTF-8
    ],
)
def test_what_is_no_websocket(ends: tuple[WebSocket, Peer], data: bytes, code: int) -> None:
    server, peer = ends
    peer.sock.sendall(data)
    with pytest.raises(SocketClosed):
        server.receive(5)
    (told,) = peer.take()
    assert isinstance(told, CloseConnection) and told.code == code


def test_unread_messages_wait_at_the_client(ends: tuple[WebSocket, Peer]) -> None:
    server, peer = ends
    peer.sock.setblocking(False)
    message = peer.protocol.send(BytesMessage(data=b"x" * LARGEST))
    sent = 0
    with pytest.raises(BlockingIOError):
        while True:
            sent += peer.sock.send(message)
    assert server.receive(5) == b"x" * LARGEST
    assert len(server._messages) * LARGEST <= 1 << 16


def test_a_client_that_takes_nothing_is_gone(ends: tuple[WebSocket, Peer]) -> None:
    server, _ = ends
    with pytest.raises(SocketClosed):
        while True:
            server.send(bytes(1 << 16))
    with pytest.raises(SocketClosed):
        server.receive(5)


def test_a_large_message_is_sent_whole(ends: tuple[WebSocket, Peer]) -> None:
    server, peer = ends
    sent = os.urandom(3 << 20)
    sender = threading.Thread(target=server.send, args=(sent,))
    sender.start()
    found = bytearray()
    while len(found) < len(sent):
        for event in peer.take():
            assert isinstance(event, BytesMessage)
            found += event.data
    sender.join(5)
    assert found == sent


def test_a_pong_that_has_no_room_holds_up_no_command(ends: tuple[WebSocket, Peer]) -> None:
    server, peer = ends
    with pytest.raises(BlockingIOError):
        while True:
            server.connection.send(b"\x89\0" * 5000, socket.MSG_DONTWAIT)  # empty pings
    peer.send(Ping(payload=b"now"), TextMessage(data="interrupt"))
    assert server.receive(5) == "interrupt"
    found: list[Event] = []
    peer.sock.settimeout(0.1)
    with pytest.raises(TimeoutError):
        while True:
            found += peer.take()
    assert Pong(payload=b"now") not in found
    server.send("more")
    while len(found) < 2 or not isinstance(found[-1], Pong):
        found += peer.take()
    assert found[-2:] == [TextMessage(data="more"), Pong(payload=b"now")]


def test_a_broken_connection(ends: tuple[WebSocket, Peer]) -> None:
    server, peer = ends
    peer.sock.close()
    with pytest.raises(SocketClosed):
        server.receive(5)
    with pytest.raises(SocketClosed):
        server.send("x")


def test_silence(ends: tuple[WebSocket, Peer], monkeypatch: pytest.MonkeyPatch) -> None:
    server, peer = ends
    monkeypatch.setattr("app_core.routes.http.web_socket.SILENCE_S", 0.2)
    with pytest.raises(SocketClosed):
        while True:
            assert server.receive(0.05) is None
    assert peer.take() == [Ping()]


def test_a_sign_of_life(ends: tuple[WebSocket, Peer], monkeypatch: pytest.MonkeyPatch) -> None:
    server, peer = ends
    monkeypatch.setattr("app_core.routes.http.web_socket.SILENCE_S", 0.1)
    for _ in range(4):
        peer.sock.settimeout(0.01)
        asked: list[Event] = []
        while not asked:
            assert server.receive(0.05) is None
            try:
                asked = peer.take()
            except TimeoutError:
                continue
        assert asked == [Ping()]
        peer.send(Pong())
        assert server.receive(0.01) is None


def test_an_abort_wakes_who_receives(ends: tuple[WebSocket, Peer]) -> None:
    server, _ = ends
    timer = threading.Timer(0.05, server.abort)
    timer.start()
    with pytest.raises(SocketClosed):
        server.receive(20)
    timer.join()


def test_a_flood_waits_and_is_closed(ends: tuple[WebSocket, Peer]) -> None:
    """What came is looked at one by one; of pings and empty messages too."""
    server, peer = ends
    server._budget = TokenBucket(1000, 10, 0.05)
    peer.send(*[Ping()] * 20, *[TextMessage(data="x")] * 20)
    assert server.receive(0.001) is None, "the twenty pings cost as much as messages"
    peer.send(*[TextMessage(data="y")] * 3000)
    heard = []
    with pytest.raises(SocketClosed):
        while True:
            heard.append(server.receive(1))
    assert heard[:20] == ["x"] * 20
    assert len(heard) < 3000
    closes = [event for event in iter_events(peer) if isinstance(event, CloseConnection)]
    assert [event.code for event in closes] == [1008]


def iter_events(peer: Peer) -> Iterator[Event]:
    """Until the goodbye."""
    while True:
        for event in peer.take():
            yield event
            if isinstance(event, CloseConnection):
                return


def test_a_burst_is_no_flood(ends: tuple[WebSocket, Peer]) -> None:
    server, peer = ends
    peer.send(*[TextMessage(data="x")] * 3000)
    assert [server.receive(5) for _ in range(3000)] == ["x"] * 3000


def test_a_request_without_a_connection() -> None:
    headers: Any = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
    }
    with Flask("socket").test_request_context(headers=headers), pytest.raises(BadInput):
        WebSocket.accept(LARGEST, SEND_S)
