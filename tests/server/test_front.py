"""The server's worker in its own process: what clients do on purpose or by accident."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import websocket

from app_core.server.limits import Limits
from tests.below import children_of
from tests.conftest import until
from tests.front_server import SIZE
from tests.server.test_server import ROOT, free_port, read_until

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")

THREADS = 12
SHORT = {
    "threads": THREADS,
    "spare_threads": 4,
    "uploads": 2,
    "head_s": 1.5,
    "idle_s": 1.5,
    "send_s": 1.0,
    "linger_s": 1.0,
    "longest_linger_s": 2.0,
}


class Door:
    def __init__(self, limits: dict[str, Any], log: Path, descriptors: int = 0) -> None:
        self.port, self.log = free_port(), log
        line = [sys.executable, "-m", "tests.front_server", str(self.port), str(log.parent)]
        line.append(json.dumps(limits))
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                line + [str(descriptors)] * bool(descriptors), cwd=ROOT, stdout=file, stderr=file
            )
        assert until(self.answers, 30), log.read_text()

    def connect(self, data: bytes = b"") -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        connection.sendall(data)
        return connection

    def answers(self) -> bool:
        with contextlib.suppress(OSError):
            return bool(self.live())
        return False

    def live(self) -> dict[str, Any]:
        with self.connect(get("/api/health/live", close=True)) as connection:
            return whole(connection).json()

    def worker(self) -> int:
        return children_of(self.process.pid)[0]

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(10)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    running = Door(SHORT, tmp_path_factory.mktemp("front") / "log")
    try:
        yield running
    finally:
        assert running.stop() == 0
        assert "Traceback" not in running.log.read_text()


@pytest.fixture(autouse=True)
def nothing_left(door: Door) -> Iterator[None]:
    before, worker = door.live()["descriptors"], door.worker()
    yield
    assert until(lambda: door.live()["descriptors"] <= before, 5), door.live()
    assert door.worker() == worker, "the worker was ended"


class Told:
    def __init__(self, data: bytes) -> None:
        head, _, self.body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        self.status = int(first.split()[1])
        self.fields = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines)}

    def json(self) -> Any:
        return json.loads(self.body)


def get(path: str, *lines: str, close: bool = False, method: str = "GET") -> bytes:
    more = [*lines, "Connection: close"] if close else lines
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *more, "", ""]).encode()


def post(path: str, body: bytes, *lines: str) -> bytes:
    fields = ("Content-Type: application/json", f"Content-Length: {len(body)}", *lines)
    return get(path, *fields, method="POST") + body


def whole(connection: socket.socket) -> Told:
    """The answer up to the server's end."""
    got = b""
    while part := connection.recv(1 << 16):
        got += part
    return Told(got)


def one(connection: socket.socket) -> Told:
    """One answer of a kept connection."""
    got = read_until(connection, b"\r\n\r\n")
    head, _, body = got.partition(b"\r\n\r\n")
    length = int(re.search(rb"Content-Length: (\d+)", head)[1])  # type: ignore[index]
    while len(body) < length:
        body += connection.recv(1 << 16)
    return Told(head + b"\r\n\r\n" + body)


def check_refusal(told: Told, status: int, code: str) -> None:
    assert (told.status, told.json()["code"]) == (status, code)
    assert set(told.json()) == {"error", "code", "field"}
    assert told.fields["content-type"] == "application/json"
    assert told.fields["x-content-type-options"] == "nosniff"
    assert told.fields["connection"] == "close"
    assert int(told.fields["content-length"]) == len(told.body)


@pytest.mark.parametrize(
    ("count", "data"),
    [
        pytest.param(60, get("/echo", close=True), id="closers that linger"),
        pytest.param(60, b"GET /echo HTTP/1.1\r\nHost: loc", id="half heads"),
        pytest.param(60, post("/echo", b"")[:-23] + b"20\r\n\r\n{", id="heads without a body"),
        pytest.param(60, get("/file"), id="downloads of a file that nobody reads"),
        pytest.param(8, get("/memory"), id="downloads from memory that nobody reads"),
        pytest.param(THREADS - 4, get("/stream"), id="streams that nobody reads"),
        pytest.param(200, b"", id="silent connections"),
    ],
)
def test_an_attack_holds_up_nobody_and_ends(door: Door, count: int, data: bytes) -> None:
    held = [door.connect(data) for _ in range(count)]
    try:
        for _ in range(5):
            assert door.live()
            if b"/stream" not in data:
                with door.connect(post("/echo", b"12345", "Connection: close")) as other:
                    assert whole(other).json() == {"length": 5, "query": 0}
        connected = door.live()["descriptors"]
        assert until(lambda: door.live()["descriptors"] <= connected - count * 0.9, 8)
    finally:
        for connection in held:
            connection.close()


def test_late_heads_and_bodies_are_told_so(door: Door) -> None:
    with door.connect(b"GET /echo HT") as half, door.connect(post("/echo", b"12345")[:-1]) as body:
        check_refusal(whole(half), 408, "request_timeout")
        check_refusal(whole(body), 408, "request_timeout")


def trickled(connection: socket.socket) -> Told:
    """The answer to somebody who goes on sending, a byte at a time."""
    connection.settimeout(0.1)
    for _ in range(100):
        with contextlib.suppress(TimeoutError):
            return Told(connection.recv(4096))
        connection.sendall(b"x")
    raise AssertionError("no answer")


def test_a_body_that_trickles_is_late(door: Door) -> None:
    with door.connect(post("/echo", bytes(100))[:-100]) as connection:
        check_refusal(trickled(connection), 408, "request_timeout")


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (get("/echo?text=" + "%D0%9F" * 11_000), 414, "uri_too_long"),
        (b"GET /" + b"x" * 70_000, 414, "uri_too_long"),
        (get("/echo", f"X-Long: {'x' * 9000}"), 431, "headers_too_large"),
        (get("/echo", *[f"X-{n}: {'x' * 8000}" for n in range(9)]), 431, "headers_too_large"),
        (get("/echo", *[f"X-{n}: x" for n in range(101)]), 431, "headers_too_large"),
        (b"GET /echo\r\n\r\n", 400, "bad_input"),
        (b"GET /echo HTTP/3.0\r\n\r\n", 400, "bad_input"),
        (b"GET /echo HTTP/1.1\n\n", 400, "bad_input"),
        (b"get <b>x</b> HTTP/1.1\r\n\r\n", 400, "bad_input"),
        (get("/echo", "No colon"), 400, "bad_input"),
        (get("/echo", "Content-Length: +5"), 400, "bad_input"),
        (get("/echo", "Content-Length: 5", "Content-Length: 5"), 400, "bad_input"),
        (get("/echo", "Content-Length: 5", "Transfer-Encoding: chunked"), 400, "bad_input"),
        (get("/echo", "Transfer-Encoding: odd"), 501, "not_implemented"),
        (get("/echo", "Expect: cake"), 417, "expectation_failed"),
    ],
)
def test_what_cannot_be_read(door: Door, data: bytes, status: int, code: str) -> None:
    before = door.live()["refused"].get(str(status), 0)
    with door.connect(data) as connection:
        told = whole(connection)
    check_refusal(told, status, code)
    assert "<b>" not in told.json()["error"]
    assert door.live()["refused"][str(status)] == before + 1
    assert until(lambda: f"a request is refused: {status}" in door.log.read_text(), 5)


@pytest.mark.parametrize("name", ["SCRIPT_NAME", "SCRIPT-NAME", "PATH_INFO", "X_Forwarded_Host"])
def test_no_client_changes_what_was_asked(door: Door, name: str) -> None:
    """gunicorn lets those on this machine name another place for the application."""
    with door.connect(get("/echo", f"{name}: /file")) as connection:
        told = whole(connection)
    assert (told.status, told.json()) == (200, {"length": 0, "query": 0})


def test_a_long_address_is_read(door: Door) -> None:
    with door.connect(get("/echo?text=" + "%D0%9F" * 5000, close=True)) as connection:
        assert whole(connection).json()["query"] == 30_005


def test_a_kept_connection_and_requests_in_a_row(door: Door) -> None:
    with door.connect() as connection:
        for size in (0, 5, 1 << 20):
            connection.sendall(post("/echo", bytes(size)))
            told = one(connection)
            assert (told.json()["length"], told.fields["connection"]) == (size, "keep-alive")
        # What a view does not read is not taken for the next request.
        connection.sendall(post("/ignore", bytes(3000)) + get("/echo?a=1") + get("/echo?bc=1"))
        connection.sendall(get("/echo", close=True))
        told = whole(connection)
        assert re.findall(rb'"(?:read|query)":(\d)', told.body) == [b"0", b"3", b"4", b"0"]


def test_heads_that_come_in_pieces(door: Door) -> None:
    data = b"\r\n" + post("/echo", b"12345", "Connection: close")
    with door.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(len(data)):
            connection.sendall(data[at : at + 1])
        assert whole(connection).json()["length"] == 5


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    return b"".join(b"%x;a=b\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + end


@pytest.mark.parametrize("end", [b"0\r\n\r\n", b"0\r\nX-Sum: 1\r\n\r\n"])
def test_a_body_in_chunks(door: Door, end: bytes) -> None:
    head = get("/echo", "Transfer-Encoding: chunked", method="POST")
    body = chunked(b"12", b"x" * 70_000, b"\r\n0\r\n\r\n", end=end)
    with door.connect(head) as connection:
        for at in range(0, len(body), 9_001):
            connection.sendall(body[at : at + 9_001])
        connection.sendall(get("/echo?a=1", close=True))
        told = whole(connection)
        assert re.findall(rb'"length":(\d+)', told.body) == [b"70009", b"0"]


def test_expect_is_answered_before_the_body(door: Door) -> None:
    data = post("/echo", b"12345", "Expect: 100-continue", "Connection: close")
    with door.connect(data[:-5]) as connection:
        assert read_until(connection, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(data[-5:])
        assert whole(connection).json()["length"] == 5


def form(size: int, *lines: str, path: str = "/upload") -> bytes:
    fields = ("Content-Type: multipart/form-data; boundary=x", f"Content-Length: {size}", *lines)
    return get(path, *fields, method="POST")


def test_a_large_form_is_read_as_it_comes(door: Door) -> None:
    with door.connect(form(SIZE, "Expect: 100-continue")) as connection:
        assert read_until(connection, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(bytes(SIZE))
        told = one(connection)
        assert (told.json()["read"], told.fields["connection"]) == (SIZE, "keep-alive")
        connection.sendall(get("/echo", close=True))
        assert whole(connection).status == 200


def test_an_upload_that_is_refused_is_not_invited(door: Door) -> None:
    with door.connect(form(SIZE, "Expect: 100-continue", path="/upload?read=no")) as connection:
        told = whole(connection)
        assert (told.status, told.json()["read"], told.fields["connection"]) == (200, 0, "close")


def test_uploads_take_few_threads(door: Door) -> None:
    held = [door.connect(form(SIZE) + b"x") for _ in range(2)]
    with door.connect(form(SIZE)) as third:
        check_refusal(whole(third), 503, "busy")
    for connection in held:
        connection.close()
    assert until(lambda: b"1" in ask_form(door), 5), "their places are free again"


def test_an_upload_that_trickles_ends(door: Door) -> None:
    with door.connect(form(SIZE)) as connection:
        told = trickled(connection)
        assert (told.status, told.fields["connection"]) == (400, "close")


def ask_form(door: Door) -> bytes:
    size = 2 << 20
    with door.connect(form(size, "Connection: close") + bytes(size)) as connection:
        return b"1" if whole(connection).status == 200 else b""


@pytest.mark.parametrize("path", ["/echo", "/upload?read=no"])
def test_a_body_that_nobody_wants_does_not_hide_the_answer(door: Door, path: str) -> None:
    size = 8 << 20
    head = post(path, b"")[:-5] + b"%d\r\n\r\n" % size if path == "/echo" else form(size, path=path)
    with door.connect(head) as connection:
        connection.sendall(bytes(size))
        told = whole(connection)
    assert told.status == (413 if path == "/echo" else 200)
    assert told.fields["connection"] == "close"


def test_a_full_server_says_so(door: Door, tmp_path: Path) -> None:
    before, go_on = door.live()["held"], tmp_path / "go on"
    ask = get(f"/held?until={quote(str(go_on))}", close=True)
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(door.connect(ask)) for _ in range(THREADS - 4)]
        assert until(lambda: door.live()["held"] == before + len(held), 10)
        assert refused(door)
        with door.connect(get("/echo", method="HEAD")) as connection:
            told = whole(connection)
            assert (told.status, told.fields["retry-after"], told.body) == (503, "1", b"")
        go_on.touch()
        assert [whole(connection).status for connection in held] == [200] * len(held)
    assert not refused(door)
    assert until(lambda: "a request is refused: 503" in door.log.read_text(), 5)


def refused(door: Door) -> bool:
    with door.connect(get("/echo", close=True)) as connection:
        return whole(connection).status == 503


@pytest.mark.parametrize("path", ["/file", "/memory"])
@pytest.mark.parametrize("how", ["whole", "part", "head", "leave"])
def test_files_are_sent_and_closed_once(door: Door, path: str, how: str) -> None:
    before = door.live()["closed"].get(path, 0)
    lines = ["Range: bytes=300-1000000"] if how == "part" else []
    method = "HEAD" if how == "head" else "GET"
    with door.connect(get(path, *lines, close=True, method=method)) as connection:
        if how == "leave":
            read_until(connection, b"\r\n\r\n")
        else:
            told = whole(connection)
            data = bytes(range(256)) * (SIZE // 256)
            expected = {"whole": data, "part": data[300:1_000_001], "head": b""}[how]
            assert told.status == (206 if how == "part" else 200)
            assert told.body == expected
            length = len(expected) if how != "head" else SIZE
            assert int(told.fields["content-length"]) == length

    def closed() -> int:
        return int(door.live()["closed"].get(path, 0)) - before

    assert until(lambda: closed() == 1, 5)
    assert not until(lambda: closed() != 1, 0.3)


def test_a_file_without_a_name_is_sent_from_its_descriptor(door: Door) -> None:
    with door.connect(get("/unlinked", close=True)) as connection:
        assert whole(connection).body == bytes(5000)
    assert until(lambda: door.live()["closed"].get("/unlinked") == 1, 5)


@pytest.mark.parametrize("how", ["cut", "bug"])
def test_a_broken_stream_is_not_taken_for_whole(door: Door, how: str) -> None:
    with door.connect(get(f"/broken?how={how}")) as connection:
        got = b""
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(4096):
                got += part
        assert got.endswith(b"3\r\none\r\n")
    said = until(lambda: "RuntimeError: bug" in door.log.read_text(), 5 if how == "bug" else 0.1)
    assert said == (how == "bug")
    door.log.write_text("")


def test_sockets_of_threads_block(door: Door) -> None:
    with door.connect(get("/slow?seconds=0", close=True)) as connection:
        assert whole(connection).json() == {"blocking": True}


def test_a_websocket_outlives_every_deadline(door: Door) -> None:
    ws = websocket.create_connection(f"ws://127.0.0.1:{door.port}/socket", timeout=10)
    for size in (1, 200_000):
        ws.send_binary(bytes(size))
        assert len(ws.recv()) == size
        time.sleep(2)
    ws.send("end")
    ws.shutdown()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_end_waits_for_answers(tmp_path: Path, number: int) -> None:
    other = Door(SHORT, tmp_path / "log")
    go_on = tmp_path / "go on"
    idle, busy = other.connect(), other.connect(get(f"/held?until={quote(str(go_on))}"))
    assert until(lambda: other.live()["held"] == 1)
    threading.Timer(0.3, go_on.touch).start()
    assert other.stop(number) == 0
    if number == signal.SIGTERM:
        assert one(busy).status == 200
    idle.close()
    busy.close()
    assert "Traceback" not in other.log.read_text()


def test_descriptors_run_out_and_the_worker_lives(tmp_path: Path) -> None:
    other = Door(SHORT | {"head_s": 20}, tmp_path / "log", descriptors=100)
    worker = other.worker()
    held = []
    try:
        for _ in range(300):
            with contextlib.suppress(OSError):
                held.append(other.connect())
        for _ in range(10):
            assert other.live()["descriptors"] < 100
        assert other.worker() == worker
        assert "connections are short" in other.log.read_text()
    finally:
        for connection in held:
            connection.close()
        other.stop()


def test_connections_stay_below_the_descriptors() -> None:
    from app_core.server.limits import connections_below

    assert connections_below(1 << 16, Limits(1).connections) == 4096
    assert connections_below(1024, 4096) == 512
    assert connections_below(100, 4096) == 36
