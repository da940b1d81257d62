"""What listeners of a job get over the wire; tests/server/test_jobs.py has the whole way."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from simple_websocket import Server

from app_core.routes.http.web_socket import CloseGuard, SocketClosed
from app_core.routes.job_events import events, tell_one


def test_nothing_follows_a_close_frame() -> None:
    """Also when it was already on its way: a browser complains of data after the close."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        last = CloseGuard(ours)
        assert last.send(b"\x81\x02hi") == 4
        last.send(b"\x88\x02\x03\xe8")
        assert last.send(b"\x81\x02no") == 4
        last.shutdown(socket.SHUT_WR)
        assert theirs.recv(100) == b"\x81\x02hi\x88\x02\x03\xe8"
        assert theirs.recv(100) == b""


def test_telling_a_listener_whose_socket_is_closed_is_no_server_error() -> None:
    class Left:
        sock, other = socket.socketpair()

    with Left.other:
        Left.sock.close()
        with pytest.raises(SocketClosed):
            tell_one(Left, {"type": "word"})


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


@pytest.mark.parametrize(
    "change",
    [
        {"Sec-WebSocket-Key": None},
        {"Sec-WebSocket-Version": None},
        {"Sec-WebSocket-Version": "7"},
        {"Sec-WebSocket-Extensions": "permessage-deflate; server_max_window_bits=x"},
    ],
)
def test_a_handshake_that_cannot_be_accepted(client: Any, change: dict[str, str | None]) -> None:
    headers = {name: value for name, value in (UPGRADE | change).items() if value is not None}
    answer = client.get("/api/jobs/x/events", base_url="ws://localhost", headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad_input")


def test_a_refused_listener_leaves_no_thread(client: Any) -> None:
    app = client.application
    ours, theirs = socket.socketpair()
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in UPGRADE.items()}
    with theirs, app.app_context():
        ws = Server(environ | {"werkzeug.socket": ours, "HTTP_HOST": "localhost"}, ping_interval=20)
        places = app.extensions["listeners"]
        while places.acquire(blocking=False):
            pass
        events(ws, "x")
        assert not ws.thread.is_alive()
        assert b'"code": "busy"' in theirs.recv(4096)
