"""The real server: many sockets of sessions, killed rudely, and plain requests beside them."""

from __future__ import annotations

import json
import os
import socket
import struct
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket

from tests.conftest import until
from tests.server.test_server import Server, free_port

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")

MOST = 4
"""Sessions; twice as many sockets."""


@pytest.fixture(scope="module")
def small(still_avatar: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {
        "AVATAR_DIR": str(still_avatar),
        "MAX_SESSIONS": str(MOST),
        "MAX_JOBS": "1",
        "SESSION_GRACE_S": "1",
        "CPU_SHARE": "1",
    }
    running = Server([free_port()], tmp_path_factory.mktemp("work"), settings)
    try:
        assert until(running.ready, 90), running.log.read_text()
        yield running
    finally:
        assert running.stop() == 0


def post(server: Server, path: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        server.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def watch(server: Server, address: str) -> websocket.WebSocket:
    url = server.url.replace("http", "ws", 1) + address
    found: websocket.WebSocket = websocket.create_connection(url, timeout=20)
    return found


def kill(watching: websocket.WebSocket) -> None:
    sock = watching.sock
    assert sock is not None
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def sessions(server: Server) -> int:
    return int(server.json("/api/health")["sessions"]["open"])


def descriptors(server: Server) -> int:
    return len(os.listdir(f"/proc/{server.worker}/fd"))


def come_and_be_killed(server: Server) -> None:
    made = post(server, "/api/sessions", {"size": "128x128"})
    watching = [watch(server, made["socket_url"]) for _ in range(2 * MOST)]
    assert all(each.recv() for each in watching)
    for each in watching:
        kill(each)
    assert until(lambda: sessions(server) == 0, 10), "the grace time ends it"


def test_killed_sockets_leave_nothing(small: Server) -> None:
    come_and_be_killed(small)  # what the first session opens for all is the process's own
    before = descriptors(small)
    for _ in range(2):
        come_and_be_killed(small)
    assert until(lambda: descriptors(small) <= before + 2, 10)
    assert "Traceback" not in small.log.read_text()


def test_sockets_that_are_all_taken_starve_no_request(small: Server) -> None:
    made = post(small, "/api/sessions", {"size": "128x128"})
    watching = [watch(small, made["events_url"]) for _ in range(2 * MOST)]
    with pytest.raises(websocket.WebSocketBadStatusException) as full:
        watch(small, made["events_url"])
    assert full.value.status_code == 503
    assert int((full.value.resp_headers or {})["retry-after"]) >= 1
    assert post(small, "/api/text", {"text": "Да"})["said"]
    assert sessions(small) == 1
    path = f"/api/sessions/{made['session_id']}/say?token={made['token']}"
    assert post(small, path, {"text": "Да", "utterance_id": "a"})["queued"] == 0
    for each in watching:
        heard: list[dict[str, Any]] = []
        while not heard or heard[-1]["type"] != "speech_finished":
            heard.append(json.loads(each.recv()))
        assert [m["type"] for m in heard].count("speech_finished") == 1
        kill(each)
    assert until(lambda: sessions(small) == 0, 10)


def test_a_stop_ends_open_sockets(tmp_path: Path, still_avatar: Path) -> None:
    settings = {"SESSION_GRACE_S": "5", "AVATAR_DIR": str(still_avatar)}
    server = Server([free_port()], tmp_path, settings)
    try:
        assert until(server.ready, 90), server.log.read_text()
        made = post(server, "/api/sessions", {"size": "128x128"})
        watching = watch(server, made["events_url"])
        assert json.loads(watching.recv())["type"] == "ready"
    finally:
        assert server.stop() == 0
    heard = []
    while text := watching.recv():
        heard.append(json.loads(text)["type"])
    assert heard[-1] == "end"
    watching.shutdown()
