"""The real server in its own process: ports, vanishing clients, killed children, shutdown."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from app_core.config import ROOT
from tests.below import children_of
from tests.conftest import until

LONG = "Мама мыла раму, а папа читал газету у окна. " * 20

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    def __init__(
        self, ports: list[int], work: Path, settings: Mapping[str, str] | None = None
    ) -> None:
        self.url = f"http://127.0.0.1:{ports[0]}"
        self.port = ports[0]
        self.work = work
        self.log = work.parent / f"server-{ports[0]}.log"
        environ = os.environ | {
            "LISTEN": ",".join(f"127.0.0.1:{port}" for port in ports),
            "WORK_DIR": str(work),
            "SEND_TIMEOUT_S": "1",
            **(settings or {}),
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "app.py"], cwd=ROOT, env=environ, stderr=log, stdout=log
            )

    def ready(self) -> bool:
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(f"{self.url}/api/health", timeout=5).status == 200
        return False

    def json(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)

    @property
    def worker(self) -> int:
        return children_of(self.process.pid)[0]

    def request(self, path: str, body: dict[str, Any]) -> socket.socket:
        """Sends a request and hands over the open connection."""
        data = json.dumps(body).encode()
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(data)}\r\n\r\n".encode()
            + data
        )
        return connection

    def jobs(self) -> int:
        return int(self.json("/api/health")["capacity"]["jobs"])

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)


@pytest.fixture(scope="module")
def server(short_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    work = tmp_path_factory.mktemp("work")
    running = Server([free_port(), free_port()], work, {"AVATAR_DIR": str(short_clip)})
    try:
        assert until(running.ready, 90), running.log.read_text()
        assert until(lambda: not children_of(running.worker), 60), "the clip is still being decoded"
        yield running
    finally:
        running.stop()


@pytest.fixture(autouse=True)
def nothing_left(server: Server) -> Iterator[None]:
    yield
    assert until(lambda: server.jobs() == 0, 3), "a job is still running"
    assert until(lambda: not children_of(server.worker), 3), "a child process is left"
    assert until(lambda: not list(server.work.iterdir()), 3), list(server.work.iterdir())


def read_until(connection: socket.socket, mark: bytes) -> bytes:
    got = b""
    while mark not in got:
        part = connection.recv(65536)
        assert part, got[-500:]
        got += part
    return got


def test_both_ports_answer(server: Server) -> None:
    assert server.json("/api/health")["status"] == "ready"
    assert server.json("/api/health/live") == {"status": "live"}
    assert "starting" in server.log.read_text().splitlines()[0]


def test_nobody_is_believed_to_be_a_proxy(server: Server) -> None:
    """gunicorn itself would believe this machine."""
    said = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Ssl": "on",
        "X-Forwarded-Protocol": "ssl",
        "X-Forwarded-Prefix": "/api",
        "Script_Name": "/api",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-For": "203.0.113.9",
    }

    def answer(path: str, headers: dict[str, str]) -> bytes:
        asked = urllib.request.Request(server.url + path, headers=headers)
        with urllib.request.urlopen(asked, timeout=10) as found:
            body: bytes = found.read()
        return body

    for path in ("/docs", "/api/health/live", "/embed"):
        assert answer(path, said) == answer(path, {}), path
    assert f"{server.url}/api/voices".encode() in answer("/docs", said)


def test_a_long_text_in_an_address(server: Server) -> None:
    text = urllib.parse.quote(("Мама мыла раму. " * 400)[:5000])
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        address = f"/api/stream_mjpeg?text={text}"
        connection.sendall(f"GET {address} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert read_until(connection, b"X-Frame: 1").startswith(b"HTTP/1.1 200 ")


def test_a_body_over_the_limit_ends_its_connection(server: Server) -> None:
    with server.request("/api/generate", {"text": "а" * (1 << 20)}) as connection:
        head, _, body = read_until(connection, b"}").partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 413 ") and b"\r\nConnection: close" in head
        assert json.loads(body)["code"] == "too_large"
        assert connection.recv(100).strip() == b""


@pytest.mark.parametrize("chunk", [1 << 16, 16])
def test_a_body_in_chunks_over_the_limit_is_413_too(server: Server, chunk: int) -> None:
    data = json.dumps({"text": "one", "voice": "x" * (3 << 20)}).encode()
    pieces = (data[at : at + chunk] for at in range(0, len(data), chunk))
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(
            b"POST /api/generate HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        connection.sendall(body + b"0\r\n\r\n")
        head, _, told = read_until(connection, b"}").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413 "), told
    assert json.loads(told)["error"] == "The body is larger than 1 MiB"


def test_what_the_server_refuses_by_itself_is_counted_and_logged(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"GET /" + b"x" * 70_000)
        assert read_until(connection, b"}").startswith(b"HTTP/1.1 414 ")
    with urllib.request.urlopen(server.url + "/metrics", timeout=10) as answer:
        counted = 'soyle_http_requests_total{method="other",route="none",status="414"} 1.0'
        assert counted in answer.read().decode()
    assert "a request is refused: 414" in server.log.read_text()


def test_a_client_that_vanishes_in_the_middle(server: Server) -> None:
    connection = server.request("/api/stream_mjpeg", {"text": LONG})
    read_until(connection, b"X-Frame: 3")
    assert server.jobs() == 1
    connection.close()
    assert until(lambda: server.jobs() == 0, 2)


def test_a_client_that_vanishes_before_the_first_byte(server: Server) -> None:
    for path in ("/api/generate", "/api/stream_mjpeg"):
        server.request(path, {"text": LONG}).close()
    assert until(lambda: server.jobs() == 0, 2)


def test_a_client_that_resets(server: Server) -> None:
    connection = server.request("/api/stream_mjpeg", {"text": LONG})
    read_until(connection, b"X-Frame: 1")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()
    assert until(lambda: server.jobs() == 0, 2)


def test_a_client_that_stops_reading(server: Server) -> None:
    connection = server.request(
        "/api/stream_mjpeg", {"text": LONG, "size": "1280x720", "pace": "asap"}
    )
    try:
        assert until(lambda: server.jobs() == 1, 5)
        assert until(lambda: server.jobs() == 0, 15), "a stalled reader holds its job"
    finally:
        connection.close()


def test_generate_survives_the_death_of_ffmpeg(server: Server) -> None:
    answers: list[tuple[int, Any]] = []

    def ask() -> None:
        request = urllib.request.Request(
            f"{server.url}/api/generate",
            json.dumps({"text": LONG}).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                answers.append((answer.status, None))
        except urllib.error.HTTPError as error:
            with error:
                answers.append((error.code, json.load(error)))

    asking = threading.Thread(target=ask)
    asking.start()
    assert until(lambda: children_of(server.worker), 10)
    time.sleep(0.3)
    os.kill(children_of(server.worker)[0], signal.SIGKILL)
    asking.join(20)
    status, told = answers[0]
    assert status == 500
    assert told["code"] == "ffmpeg_failed"
    assert "ffmpeg" in told["error"]


def test_many_cancels_at_odd_moments(server: Server) -> None:
    connections = []
    for number in range(12):
        path = "/api/generate" if number % 4 == 0 else "/api/stream_mjpeg"
        connections.append(server.request(path, {"text": LONG, "size": "256x256"}))
        time.sleep(0.013 * (number % 5))
    for connection in connections[::2] + connections[1::2]:
        connection.close()
        time.sleep(0.01)
    assert until(lambda: server.jobs() == 0, 3)
    connection = server.request("/api/stream_mjpeg", {"text": "Сәлем!", "language": "kk"})
    with connection:
        read_until(connection, b"\r\n0\r\n\r\n")


def test_a_taken_port_is_named_and_the_other_goes_on(tmp_path: Path, still_avatar: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        work = tmp_path / "work"
        work.mkdir()
        second = Server([port, free_port()], work, {"AVATAR_DIR": str(still_avatar)})
        second.url = second.url.replace(str(port), environ_port(second))
        try:
            assert until(second.ready, 90), second.log.read_text()
            assert f"cannot listen on 127.0.0.1:{port}" in second.log.read_text()
        finally:
            assert second.stop() == 0


def environ_port(server: Server) -> str:
    """The second of the ports that it was given."""
    environ = Path(f"/proc/{server.process.pid}/environ")
    until(lambda: b"LISTEN=" in environ.read_bytes(), 5)
    listen = next(v for v in environ.read_bytes().split(b"\0") if v.startswith(b"LISTEN="))
    return listen.decode().rpartition(":")[2]


def test_what_ends_takes_running_streams_along(tmp_path: Path, still_avatar: Path) -> None:
    """A killed worker, which is replaced, then a server that is asked to stop."""
    work = tmp_path / "work"
    work.mkdir()
    running = Server([free_port()], work, {"AVATAR_DIR": str(still_avatar)})
    try:
        assert until(running.ready, 90), running.log.read_text()
        killed = running.worker
        with (
            running.request("/api/stream_mjpeg", {"text": LONG}) as stream,
            running.request("/api/generate", {"text": LONG}) as film,
        ):
            read_until(stream, b"X-Frame: 2")
            assert until(lambda: children_of(killed), 10), "the film has no encoder"
            orphans = children_of(killed)
            os.kill(killed, signal.SIGKILL)
            for client in (stream, film):
                client.settimeout(5)
                with contextlib.suppress(ConnectionResetError):
                    while client.recv(1 << 20):
                        pass
        assert until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in orphans), 5)
        assert until(running.ready, 90), running.log.read_text()
        assert running.worker != killed
        assert not list(work.iterdir()), "what the dead one left is gone"
        connection = running.request("/api/stream_mjpeg", {"text": LONG})
        read_until(connection, b"X-Frame: 2")
        worker = running.worker
    finally:
        assert running.stop() == 0
    connection.close()
    assert until(lambda: not Path(f"/proc/{worker}").exists(), 5)
