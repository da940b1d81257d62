"""A request to a replica, byte by byte."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from app_core.cluster import ticket
from app_core.cluster.places import Door, ReplicaLost
from app_core.cluster.upstream import Unreached, Upstream, is_upgrade, passed_on
from app_core.errors import BadInput

ENVIRON: dict[str, Any] = {
    "REQUEST_METHOD": "GET",
    "PATH_INFO": "/api/voices",
    "QUERY_STRING": "",
    "SCRIPT_NAME": "/below",
    "SERVER_PROTOCOL": "HTTP/1.0",
    "REMOTE_ADDR": "10.0.0.1",
    "wsgi.url_scheme": "https",
    "HTTP_HOST": "soyle.kz",
}


class Line:
    """``upstream`` and the replica's end of its connection."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.upstream = Upstream(Door("127.0.0.1", listener.getsockname()[1]))
            self.replica, _ = listener.accept()
        self.replica.settimeout(10)

    def heard(self) -> tuple[str, set[str], bytes]:
        """Request line, fields and what follows."""
        got = b""
        while b"\r\n\r\n" not in got:
            got += self.replica.recv(1 << 16)
        head, _, body = got.partition(b"\r\n\r\n")
        first, *fields = head.decode("latin-1").split("\r\n")
        return first, set(fields), body

    def says(self, data: bytes) -> None:
        """It is here when this returns."""
        self.replica.sendall(data)
        while not self.upstream.answered():
            pass
        self.upstream.receive()

    def close(self) -> None:
        self.upstream.close()
        self.replica.close()


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    yield made
    made.close()


def begun(line: Line, size: int | None = 0, waits: bool = False, **change: Any) -> Any:
    line.upstream.begin(ENVIRON | change, "secret", size, waits=waits)
    return line.heard()


def test_a_request_is_as_the_client_made_it(line: Line) -> None:
    first, fields, rest = begun(
        line,
        PATH_INFO="/api/jobs/%2F \u00d0\u00b0?#",
        QUERY_STRING="text=\u00d0\u00b0&a=%41+b c|d",
        CONTENT_TYPE="text/plain",
        HTTP_ACCEPT="  x\u00a0",
        HTTP_CONNECTION="keep-alive",
        HTTP_TE="trailers",
        HTTP_EXPECT="100-continue",
        HTTP_TRANSFER_ENCODING="chunked",
        HTTP_X_FORWARDED_FOR="6.6.6.6",
        HTTP_X_CLUSTER_SECRET="forged",
        CONTENT_LENGTH="5",
    )
    path, query = "/api/jobs/%252F%20%D0%B0%3F%23", "text=%D0%B0&a=%41+b%20c|d"
    assert first == f"GET {path}?{query} HTTP/1.1"
    assert rest == b""
    assert {field.partition(":")[0].lower() for field in fields} == {
        *("host", "connection", "content-type", "accept"),
        *(f"x-cluster-{name}" for name in ("secret", "client", "scheme", "host", "prefix")),
        "x-cluster-protocol",
    }
    assert {"Host: replica", "Connection: close", "X-Cluster-Secret: secret"} <= fields


def test_a_replica_knows_the_client_by_it(line: Line) -> None:
    _, fields, _ = begun(line)
    environ: dict[str, Any] = {"wsgi.url_scheme": "http", "HTTP_HOST": "replica"}
    for field in fields:
        name, _, value = field.partition(": ")
        environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    assert ticket.admit(environ, "secret")
    told = {name: value for name, value in ENVIRON.items() if name in environ}
    assert {name: environ[name] for name in told} == told
    assert set(told) == {
        *("SCRIPT_NAME", "SERVER_PROTOCOL", "REMOTE_ADDR", "wsgi.url_scheme", "HTTP_HOST")
    }
    assert not any(name.startswith("HTTP_X_CLUSTER") for name in environ)


@pytest.mark.parametrize("secret", ["", "secre", "secret2", "ключ"])
def test_nobody_else_is_admitted(secret: str) -> None:
    environ = {"HTTP_X_CLUSTER_SECRET": secret.encode().decode("latin-1"), "REMOTE_ADDR": "a"}
    assert not ticket.admit(environ, "secret")
    assert environ == {"REMOTE_ADDR": "a"}


@pytest.mark.parametrize("size", [11, None])
def test_a_body_in_pieces(line: Line, size: int | None) -> None:
    _, fields, body = begun(line, size, REQUEST_METHOD="POST")
    line.upstream.send(b"one")
    line.upstream.send(b"")
    line.upstream.send(b"two three"[:8])
    line.upstream.sent()
    wanted = b"3\r\none\r\n8\r\ntwo thre\r\n0\r\n\r\n" if size is None else b"onetwo thre"
    while len(body) < len(wanted):
        body += line.replica.recv(100)
    assert body == wanted
    framing = "Transfer-Encoding: chunked" if size is None else "Content-Length: 11"
    assert framing in fields


def test_a_post_without_a_body_says_so(line: Line) -> None:
    assert "Content-Length: 0" in begun(line, 0, REQUEST_METHOD="POST")[1]


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_an_answer_however_it_is_cut(line: Line, step: int) -> None:
    begun(line)
    head = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nServer: s\r\nTransfer-Encoding: chunked\r\n\r\n"
    whole, got, found = head + b"3\r\none\r\n4\r\n two\r\n0\r\n\r\n", b"", None
    piece: bytes | None = b""
    for at in range(0, len(whole), step):
        line.says(whole[at : at + step])
        found = line.upstream.head()
        assert (found is not None) is (at + step >= len(head))
        while found is not None and (piece := line.upstream.read()):
            got += piece
    assert found is not None and found is line.upstream.head()
    assert passed_on(found) == [("X-A", "1"), ("x-a", "2")]
    assert (got, piece) == (b"one two", None)


def test_an_upload_is_invited_or_answered(line: Line) -> None:
    _, fields, _ = begun(line, 900, True, REQUEST_METHOD="POST")
    assert "Expect: 100-continue" in fields
    assert (line.upstream.head(), line.upstream.invited) == (None, False)
    line.says(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert (line.upstream.head(), line.upstream.invited) == (None, True)
    line.says(b"HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n")
    found = line.upstream.head()
    assert found is not None and found.status_code == 413
    assert line.upstream.read() is None


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1234",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n",
    ],
)
def test_what_ends_too_early_is_lost(line: Line, said: bytes) -> None:
    begun(line)
    if said:
        line.says(said)
    line.replica.close()
    with pytest.raises(ReplicaLost):
        while line.upstream.head() is None:
            line.upstream.receive()
        while line.upstream.read() is not None:
            line.upstream.receive()


def test_an_answer_to_head_has_no_body(line: Line) -> None:
    begun(line, REQUEST_METHOD="HEAD")
    line.says(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n")
    assert line.upstream.head() is not None
    assert line.upstream.read() is None


def test_an_upgrade_leaves_what_follows_it(line: Line) -> None:
    upgrade = {"HTTP_UPGRADE": "WebSocket", "HTTP_SEC_WEBSOCKET_KEY": "k"}
    assert is_upgrade(upgrade) and not is_upgrade({"HTTP_UPGRADE": "h2c"})
    _, fields, _ = begun(line, **upgrade)
    assert {"Connection: Upgrade", "Upgrade: websocket", "sec-websocket-key: k"} <= fields
    line.says(b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x01x")
    found = line.upstream.head()
    assert found is not None and found.status_code == 101
    assert line.upstream.beyond() == b"\x81\x01x"


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\0"])
@pytest.mark.parametrize("name", ["HTTP_ACCEPT", "HTTP_HOST", "SCRIPT_NAME", "REQUEST_METHOD"])
def test_a_head_has_no_line_too_many(line: Line, name: str, break_: str) -> None:
    with pytest.raises(BadInput):
        line.upstream.begin(ENVIRON | {name: f"x{break_}Y: z"}, "secret", 0)


def test_nobody_at_a_door() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unreached):
        Upstream(Door("127.0.0.1", port))


def test_who_answers_before_the_body_is_listened_to(line: Line) -> None:
    begun(line, 1 << 30, REQUEST_METHOD="POST")
    line.says(b"HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n")
    line.replica.close()
    for _ in range(100):
        line.upstream.send(bytes(1 << 16))
    found = line.upstream.head()
    assert found is not None and found.status_code == 413


def test_a_machine_that_is_gone_is_noticed_whatever_is_under_way(line: Line) -> None:
    def option(level: int, name: int) -> int:
        return line.upstream.sock.getsockopt(level, name)

    assert option(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        assert option(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 15_000
