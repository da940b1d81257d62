"""The real server: sockets that listen to jobs, streams, chunks, and what is left of them."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket

from tests.below import children_of, files_below
from tests.conftest import until
from tests.server.test_server import LONG, Server, free_port, read_until

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")

SMALL = {"text": LONG, "size": "256x256"}
ASYNC = {"Prefer": "respond-async"}


@pytest.fixture(autouse=True)
def nothing_left(server: Server) -> Iterator[None]:
    threads = thread_count(server)
    yield
    assert until(lambda: server.jobs() == 0, 10), "a job is still running"
    assert until(lambda: not children_of(server.worker), 5), "a child process is left"
    # The worker starts its own threads when it first needs them, and keeps them.
    assert until(lambda: thread_count(server) <= threads + 40, 3)


def thread_count(server: Server) -> int:
    return len(list(Path(f"/proc/{server.worker}/task").iterdir()))


def post(server: Server, path: str, body: dict[str, Any], **headers: str) -> Any:
    request = urllib.request.Request(
        server.url + path,
        json.dumps(body).encode(),
        {"Content-Type": "application/json", **headers},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def listen(server: Server, job_id: str) -> websocket.WebSocket:
    url = f"{server.url}/api/jobs/{job_id}/events".replace("http", "ws", 1)
    found: websocket.WebSocket = websocket.create_connection(url, timeout=20)
    return found


def hear(ear: websocket.WebSocket) -> list[dict[str, Any]]:
    """All messages until the server closes."""
    heard = []
    while text := ear.recv():
        heard.append(json.loads(text))
    ear.shutdown()
    return heard


def kill_ffmpeg(server: Server, mark: bytes) -> None:
    """The one with ``mark`` among its arguments; the server also tries encoders out."""

    def found() -> list[int]:
        running = children_of(server.worker)
        return [p for p in running if mark in Path(f"/proc/{p}/cmdline").read_bytes()]

    assert until(found, 10)
    os.kill(found()[0], signal.SIGKILL)


def test_listeners_hear_everything_and_one_end(server: Server) -> None:
    job_id = post(server, "/api/generate", SMALL, **ASYNC)["id"]
    ears = [listen(server, job_id) for _ in range(3)]
    for heard in map(hear, ears):
        kinds = [message["type"] for message in heard]
        assert kinds.count("done") == 1 and kinds[-1] == "done"
        words = [message for message in heard if message["type"] == "word"]
        assert [word["text"] for word in words] == LONG.split()
        starts = [word["start_s"] for word in words]
        assert starts == sorted(starts)
        percents = [m["percent"] for m in heard if m["type"] == "progress"]
        assert percents == sorted(percents) and percents[-1] == 100.0
        done = heard[-1]
        assert words[-1]["end_s"] <= done["seconds"]
    with urllib.request.urlopen(server.url + done["result_url"], timeout=10) as film:
        assert int(film.headers["Content-Length"]) == len(film.read()) > 10_000
    late = hear(listen(server, job_id))
    assert [m["type"] for m in late if m["type"] != "word"][-2:] == ["progress", "done"]


def test_a_cancel_and_an_unknown_job_are_errors(server: Server) -> None:
    job_id = post(server, "/api/generate", SMALL, **ASYNC)["id"]
    ear = listen(server, job_id)
    request = urllib.request.Request(f"{server.url}/api/jobs/{job_id}", method="DELETE")
    urllib.request.urlopen(request, timeout=10).close()
    heard = hear(ear)
    assert (heard[-1]["type"], heard[-1]["code"]) == ("error", "cancelled")
    assert [m["type"] for m in heard].count("error") == 1
    (only,) = hear(listen(server, "nope"))
    assert (only["type"], only["code"]) == ("error", "not_found")


def test_a_page_of_another_origin_may_not_listen(server: Server) -> None:
    job_id = post(server, "/api/generate", {"text": "Да", "size": "256x256"}, **ASYNC)["id"]
    url = f"{server.url}/api/jobs/{job_id}/events".replace("http", "ws", 1)
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        websocket.create_connection(url, timeout=10, origin="https://elsewhere.example")
    assert caught.value.status_code == 403


def test_a_listener_that_leaves_frees_its_thread(server: Server) -> None:
    with server.request("/api/stream_mjpeg", {"text": LONG}) as stream:
        named = re.search(rb"X-Job-Id: (\S+)", read_until(stream, b"X-Frame: 1"))
        assert named is not None
        job_id = named[1].decode()
        ears = [listen(server, job_id) for _ in range(8)]
        assert all(json.loads(ear.recv()) for ear in ears)
        answered = f"GET /api/jobs/{job_id}/events 200"
        assert answered not in server.log.read_text()
        for ear in ears:
            ear.sock.close()
        assert until(lambda: server.log.read_text().count(answered) == 8, 5)
        assert server.jobs() == 1, "the viewer goes on"


def test_a_listener_that_does_not_read_slows_nobody(server: Server) -> None:
    job_id = post(server, "/api/generate", SMALL, **ASYNC)["id"]
    deaf = listen(server, job_id)
    heard = hear(listen(server, job_id))
    assert heard[-1]["type"] == "done"
    deaf.shutdown()


def test_a_stream_plays_before_its_render_is_done(server: Server) -> None:
    with server.request("/api/generate", SMALL | {"stream": True}) as connection:
        head = read_until(connection, b"mdat")
        assert b"X-Codecs: avc1.64001f, mp4a.40.2" in head
        assert server.jobs() == 1, "it goes on while the first fragment is here"
        got = head + read_until(connection, b"\r\n0\r\n\r\n")
    assert got.count(b"moof") > 100


def test_leaving_a_stream_ends_it(server: Server) -> None:
    connection = server.request("/api/generate", SMALL | {"stream": True, "size": "720x720"})
    read_until(connection, b"mdat")
    assert children_of(server.worker)
    connection.close()
    assert until(lambda: not children_of(server.worker), 2)


def test_a_stream_nobody_reads_ends(server: Server) -> None:
    with server.request("/api/generate", SMALL | {"stream": True, "size": "1280x720"}):
        assert until(lambda: server.jobs() == 1, 5)
        assert until(lambda: server.jobs() == 0, 15), "a stalled reader holds its job"


def test_a_stream_is_cut_when_ffmpeg_dies(server: Server) -> None:
    with server.request("/api/generate", SMALL | {"stream": True, "size": "720x720"}) as connection:
        got = read_until(connection, b"mdat")
        kill_ffmpeg(server, b"frag_duration")
        while part := connection.recv(65536):
            got += part
    assert not got.endswith(b"0\r\n\r\n"), "a part must not look like the whole"
    assert until(lambda: "the stream is cut: ffmpeg_failed" in server.log.read_text(), 5)


def test_a_killed_ffmpeg_fails_the_chunks(server: Server) -> None:
    told = post(server, "/api/stream_chunks", SMALL | {"chunk_size": 200, "size": "720x720"})
    kill_ffmpeg(server, b".mp4.part")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(server.url + told["chunks"][0]["video_url"], timeout=10)
    with caught.value as answer:
        assert (answer.code, json.load(answer)["code"]) == (500, "ffmpeg_failed")


def test_fifty_cancels_at_random_moments(server: Server) -> None:
    """Clients of every route leave; nothing is left, and the next request works."""
    logged = len(server.log.read_text())
    dice = random.Random(5)
    asked: list[tuple[str, dict[str, Any], str]] = [
        ("/api/stream_mjpeg", {"size": "128x128"}, ""),
        ("/api/generate", {"size": "128x128"}, ""),
        ("/api/generate", {"size": "128x128", "stream": True}, ""),
        ("/api/generate", {"size": "128x128"}, "Prefer: respond-async\r\n"),
        ("/api/stream_chunks", {"size": "128x128"}, ""),
        ("/api/stream_chunks", {"size": "128x128"}, "Accept: application/x-ndjson\r\n"),
    ]

    def one(number: int) -> None:
        path, fields, header = asked[number % len(asked)]
        body = json.dumps(fields | {"text": LONG}).encode()
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(
                f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                f"{header}Content-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            time.sleep(dice.random() * 0.15)
            if "async" in header or "chunks" in path:
                connection.settimeout(30)
                head = connection.recv(4096)
                at = head.find(b"X-Job-Id: ")
                if at >= 0:
                    job_id = head[at + 10 : at + 46].decode()
                    url = f"{server.url}/api/jobs/{job_id}"
                    cancel = urllib.request.Request(url, method="DELETE")
                    urllib.request.urlopen(cancel, timeout=10).close()

    threads = []
    for number in range(50):
        threads.append(threading.Thread(target=one, args=(number,)))
        threads[-1].start()
        if len(threads) == 5:
            for thread in threads:
                thread.join(60)
            threads.clear()
    assert until(lambda: server.jobs() == 0, 5)
    assert until(lambda: not children_of(server.worker), 3)
    told = post(server, "/api/generate", {"text": "Сәлем!", "language": "kk"}, **ASYNC)
    assert hear(listen(server, told["id"]))[-1]["type"] == "done"
    kept = {path.name for path in files_below(server.work)}
    assert f"{told['id']}.mp4" in kept
    assert "Traceback" not in server.log.read_text()[logged:]


def test_folders_of_a_killed_server_are_swept(tmp_path: Path, still_avatar: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    first = Server([free_port()], work, {"AVATAR_DIR": str(still_avatar)})
    assert until(first.ready, 90), first.log.read_text()
    job_id = post(first, "/api/generate", {"text": "Да", "size": "128x128"}, **ASYNC)["id"]
    assert hear(listen(first, job_id))[-1]["type"] == "done"
    (left,) = work.iterdir()
    worker = first.worker  # a killed parent has no children to ask for
    os.kill(first.process.pid, signal.SIGKILL)
    os.kill(worker, signal.SIGKILL)
    first.process.wait(10)
    assert left.exists()
    second = Server([free_port()], work, {"AVATAR_DIR": str(still_avatar)})
    try:
        assert until(second.ready, 90), second.log.read_text()
        assert until(lambda: not left.exists(), 5)
    finally:
        second.stop()
