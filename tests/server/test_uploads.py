"""The real server: uploads that never end, or are sent so that no server could read them."""

from __future__ import annotations

import re
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app_core.avatars.importing.import_queue import PLACES
from tests.conftest import until
from tests.server.test_server import Server, free_port, read_until

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")

HEAD = (
    b"POST /api/avatars HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: multipart/form-data; boundary=x\r\n"
)
FILE = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'


@pytest.fixture(scope="module")
def server(short_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("avatars")
    shutil.copytree(short_clip / "aigul", home / "aigul")
    settings = {"AVATAR_DIR": str(home), "SEND_TIMEOUT_S": "0.5"}
    running = Server([free_port()], tmp_path_factory.mktemp("work"), settings)
    try:
        assert until(running.ready, 90), running.log.read_text()
        yield running
    finally:
        running.stop()


def connect(server: Server, data: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    connection.sendall(data)
    return connection


def status(connection: socket.socket) -> int:
    said = read_until(connection, b"}")
    found = re.match(rb"HTTP/1\.1 (\d+)", said)
    assert found, said
    return int(found[1])


def test_trickling_clients_hold_no_places(server: Server) -> None:
    trickling = [connect(server, HEAD + b"Content-Length: 9999999\r\n\r\n") for _ in range(PLACES)]
    stop = threading.Event()

    def trickle() -> None:
        while not stop.wait(0.1):
            for connection in trickling:
                try:
                    connection.send(FILE[:1])
                except OSError:
                    return

    sender = threading.Thread(target=trickle)
    sender.start()
    try:
        assert [status(connection) for connection in trickling] == [400] * PLACES
        no_face = HEAD + b"Content-Length: 5\r\n\r\n12345"
        with connect(server, no_face) as other:
            assert status(other) == 400  # and not 503
        assert until(lambda: not list(server.work.iterdir()), 3)
    finally:
        stop.set()
        sender.join()
        for connection in trickling:
            connection.close()


@pytest.mark.parametrize("path", ["/api/avatars", "/api/generate"])
@pytest.mark.parametrize("body", [b"zz\r\nx", b"%x\r\n%sZZ\r\n" % (len(FILE), FILE)])
def test_chunks_that_are_none(server: Server, path: str, body: bytes) -> None:
    head = HEAD.replace(b"/api/avatars", path.encode())
    if path == "/api/generate":
        head = head.replace(b"multipart/form-data; boundary=x", b"application/json")
    with connect(server, head + b"Transfer-Encoding: chunked\r\n\r\n" + body) as connection:
        assert status(connection) == 400
    assert until(lambda: not list(server.work.iterdir()), 3)
