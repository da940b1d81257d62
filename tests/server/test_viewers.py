"""The real server and clients that are slow, stall, or close their own side."""

from __future__ import annotations

import json
import re
import socket
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import until
from tests.server.test_server import LONG, Server, read_until

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")

SHORT = "Мама мыла раму, а папа читал газету у окна."


@pytest.fixture(autouse=True)
def nothing_left(server: Server) -> Iterator[None]:
    logged = len(server.log.read_text())
    yield
    assert until(lambda: server.jobs() == 0, 5), "a job is still running"
    said = server.log.read_text()[logged:]
    assert "Traceback" not in said and " ERROR " not in said, said


def ask(server: Server, path: str, body: dict[str, Any], headers: str = "") -> socket.socket:
    """A request whose client takes in little by itself."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 10)
    connection.settimeout(20)
    connection.connect(("127.0.0.1", server.port))
    data = json.dumps(body).encode()
    connection.sendall(
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"{headers}Content-Length: {len(data)}\r\n\r\n".encode()
        + data
    )
    return connection


def rest(connection: socket.socket) -> bytes:
    """What comes until the last chunk or the end."""
    got = b""
    while not got.endswith(b"\r\n0\r\n\r\n") and (part := connection.recv(65536)):
        got += part
    return got


def test_a_slow_viewer_stays_near_now_and_sees_the_last_picture(server: Server) -> None:
    job_id = str(uuid.uuid4())
    body = {"text": SHORT * 2, "size": "512x512", "job_id": job_id}
    seen: list[int] = []
    behind: list[int] = []
    got = b""
    with ask(server, "/api/stream_mjpeg", body) as connection:
        while part := connection.recv(16384):
            got = got[-4096:] + part
            found = [int(index) for index in re.findall(rb"X-Frame: (\d+)", got)]
            if found and found[-1] not in seen:
                seen.append(found[-1])
                frames = server.json(f"/api/jobs/{job_id}")["frames"]
                behind.append(frames["done"] + frames["dropped"] - found[-1])
            if got.endswith(b"\r\n0\r\n\r\n"):
                break
            time.sleep(0.05)
    frames = server.json(f"/api/jobs/{job_id}")["frames"]
    assert seen[-1] == frames["total"] - 1
    assert frames["dropped"] > frames["total"] / 3
    assert max(behind) <= 25, behind


@pytest.mark.parametrize(
    ("path", "fields", "headers", "end"),
    [
        ("/api/stream_mjpeg", {}, "", b"--\r\n\r\n0\r\n\r\n"),
        ("/api/stream_mjpeg", {"pace": "asap"}, "", b"--\r\n\r\n0\r\n\r\n"),
        ("/api/generate", {"stream": True}, "", b"\r\n0\r\n\r\n"),
        ("/api/stream_chunks", {}, "Accept: application/x-ndjson\r\n", b'"success": true'),
    ],
)
def test_a_stream_goes_on_after_a_half_close(
    server: Server, path: str, fields: dict[str, Any], headers: str, end: bytes
) -> None:
    body = {"text": SHORT, "size": "128x128"} | fields
    with ask(server, path, body, headers) as connection:
        connection.shutdown(socket.SHUT_WR)
        got = rest(connection)
    assert got.startswith(b"HTTP/1.1 200"), got[:300]
    assert end in got[-400:]


def test_a_growing_sound_goes_on_after_a_half_close(server: Server) -> None:
    with server.request("/api/stream_mjpeg", {"text": LONG, "size": "128x128"}) as viewer:
        head = read_until(viewer, b"X-Frame: 1")
        named = re.search(rb"X-Audio-Url: (\S+)", head)
        assert named is not None
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as listener:
            listener.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % named[1])
            listener.shutdown(socket.SHUT_WR)
            assert b"WAVE" in read_until(listener, b"data")
            assert len(listener.recv(4096)) > 0


@pytest.mark.parametrize("path", ["/api/generate", "/api/stream_chunks"])
def test_a_half_close_before_a_whole_answer_is_leaving(server: Server, path: str) -> None:
    job_id = str(uuid.uuid4())
    body = {"text": LONG * 3, "size": "720x720", "job_id": job_id}
    with ask(server, path, body) as connection:
        connection.shutdown(socket.SHUT_WR)
        got = rest(connection)
    assert got.startswith(b"HTTP/1.1 409"), got[:300]
    assert server.json(f"/api/jobs/{job_id}")["status"] == "cancelled"


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/api/stream_mjpeg", {}),
        ("/api/stream_mjpeg", {"pace": "asap"}),
        ("/api/generate", {"stream": True}),
    ],
)
def test_a_full_close_cancels_within_some_frames(
    server: Server, path: str, fields: dict[str, Any]
) -> None:
    job_id = str(uuid.uuid4())
    body = {"text": LONG, "size": "512x512", "job_id": job_id} | fields
    connection = ask(server, path, body)
    read_until(connection, b"mdat" if "stream" in fields else b"X-Frame: 3")
    connection.close()
    assert until(lambda: server.json(f"/api/jobs/{job_id}")["status"] == "cancelled", 3)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/api/stream_mjpeg", {"size": "1280x720"}),
        ("/api/stream_mjpeg", {"size": "1280x720", "pace": "asap"}),
        ("/api/generate", {"stream": True, "size": "1280x720"}),
    ],
)
def test_a_stalled_reader_is_one_line_of_the_log(
    server: Server, path: str, fields: dict[str, Any]
) -> None:
    logged = len(server.log.read_text())
    with ask(server, path, {"text": LONG} | fields):
        assert until(lambda: server.jobs() == 1, 5)
        assert until(lambda: server.jobs() == 0, 15), "a stalled reader holds its job"
        assert until(lambda: "the stream is cut" in server.log.read_text()[logged:], 5)
    said = server.log.read_text()[logged:]
    lines = [line for line in said.splitlines() if "the stream is cut" in line]
    assert len(lines) == 1, said
    assert " INFO " in lines[0]


@pytest.mark.parametrize(
    ("path", "fields", "headers", "mark"),
    [
        ("/api/stream_mjpeg", {}, "", b"X-Frame: 1"),
        ("/api/stream_mjpeg", {"pace": "asap"}, "", b"X-Frame: 1"),
        ("/api/generate", {"stream": True}, "", b"mdat"),
        ("/api/stream_chunks", {}, "Accept: application/x-ndjson\r\n", b"duration"),
    ],
)
def test_a_reset_is_no_error_of_the_server(
    server: Server, path: str, fields: dict[str, Any], headers: str, mark: bytes
) -> None:
    job_id = str(uuid.uuid4())
    body = {"text": LONG, "size": "128x128", "job_id": job_id} | fields
    connection = ask(server, path, body, headers)
    read_until(connection, mark)
    reset(connection)
    urllib.request.urlopen(
        urllib.request.Request(f"{server.url}/api/jobs/{job_id}", method="DELETE"), timeout=10
    ).close()


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


def test_listeners_that_reset_or_stall_are_no_errors(server: Server) -> None:
    with server.request("/api/stream_mjpeg", {"text": LONG, "size": "128x128"}) as viewer:
        named = re.search(rb"X-Job-Id: (\S+)", read_until(viewer, b"X-Frame: 1"))
        assert named is not None
        path = f"/api/jobs/{named[1].decode()}"
        for upgrade in ("events", "audio.wav"):
            listener = socket.create_connection(("127.0.0.1", server.port), timeout=10)
            listener.sendall(
                f"GET {path}/{upgrade} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
            )
            read_until(listener, b"\r\n\r\n")
            reset(listener)
        answered = f"GET {path}/events 200"
        assert until(lambda: answered in server.log.read_text(), 5)
