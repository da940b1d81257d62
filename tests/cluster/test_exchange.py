"""A client's own bytes at a front door: what a service alone says to them, and the same through a
web tier and a replica's door."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app_core import create_app
from app_core.cluster.ledger import Ledger
from app_core.cluster.web_tier import create_web_app
from app_core.config import Config
from app_core.server.door import DoorServer
from app_core.server.limits import Limits
from app_core.services.lipsync_service import LipsyncService
from tests.back_end import SECRET, LocalPlaces, replica
from tests.below import files_below
from tests.conftest import until
from tests.fakes import ToneVoice, ToneVoices
from tests.server.test_front import Told, get, one, post, whole

FORM = "Content-Type: multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n'
LARGE = 3 << 20
"""Bytes of a form that a view reads as it comes."""
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LONG = b'{"text": "%s", "size": "128x128"}' % (b"a " * 300)


class Front:
    def __init__(self, service: LipsyncService, port: int, stop: Callable[[], object]) -> None:
        self.service, self._port, self.stop = service, port, stop

    def connect(self, data: bytes = b"") -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._port), timeout=10)
        connection.sendall(data)
        return connection

    def ask(self, data: bytes) -> Told:
        with self.connect(data) as connection:
            return whole(connection)


@pytest.fixture(params=["alone", "cluster"])
def begin(
    request: pytest.FixtureRequest, make_service: Callable[..., LipsyncService], config: Config
) -> Iterator[Callable[..., Front]]:
    with contextlib.ExitStack() as stack:

        def make(change: dict[str, Any] | None = None, **parts: Any) -> Front:
            changed = config.model_copy(update=change or {})
            service = make_service(config=changed, **parts)
            app, stop = create_app(service=service), service.close
            if request.param == "cluster":
                ledger = Ledger(SECRET)
                replica(service, ledger)
                app = create_web_app(changed, LocalPlaces(ledger), SECRET)
                stop = app.extensions["relay"].close
            limits = Limits(32, send_s=changed.send_timeout_s)
            door = DoorServer("127.0.0.1", app, limits, lambda *_: None)
            stack.callback(door.close)
            door.start()
            return Front(service, door.port, stop)

        yield make


@pytest.fixture
def front(begin: Callable[..., Front]) -> Front:
    return begin()


def ask_film(front: Front) -> str:
    """The address of one that is done."""
    body = b'{"text": "one", "size": "128x128"}'
    told = front.ask(post("/api/generate", body, "Prefer: respond-async", "Connection: close"))
    assert told.status == 202
    path = told.fields["location"]
    assert until(lambda: front.ask(get(path, close=True)).json()["status"] == "done")
    return f"{path}/result"


def test_a_kept_film(front: Front) -> None:
    path = ask_film(front)
    film = front.ask(get(path, close=True))
    assert (film.status, film.fields["content-type"]) == (200, "video/mp4")
    size = int(film.fields["content-length"])
    assert len(film.body) == size
    head = front.ask(get(path, close=True, method="HEAD"))
    assert (head.status, head.body, head.fields["content-length"]) == (200, b"", str(size))
    assert head.fields["accept-ranges"] == "bytes"
    part = front.ask(get(path, "Range: bytes=4-7", close=True))
    assert (part.status, part.body, part.fields["content-length"]) == (206, b"ftyp", "4")
    assert part.fields["content-range"] == f"bytes 4-7/{size}"
    same = front.ask(get(path, f"If-None-Match: {film.fields['etag']}", close=True))
    assert (same.status, same.body) == (304, b"")
    assert not {"content-type", "content-length"} & same.fields.keys()
    beyond = front.ask(get(path, f"Range: bytes={size}-", close=True))
    assert (beyond.status, beyond.fields["content-range"]) == (416, f"bytes */{size}")


def test_a_kept_connection_has_many_requests(front: Front) -> None:
    with front.connect() as connection:
        for data, status in (
            (get("/api/voices"), 200),
            (get("/api/jobs/x"), 404),
            (post("/api/text", b'{"text": "one", "language": "en"}'), 200),
            (get("/api/voices", method="HEAD"), 200),
            (get("/api/voices", method="PUT"), 405),
            (get("/api/voices", method="OPTIONS"), 200),
        ):
            connection.sendall(data)
            if b"HEAD" in data:
                told = Told(until_blank(connection))
            else:
                told = one(connection)
            assert told.status == status
            assert told.fields["connection"] == "keep-alive"
        connection.sendall(get("/api/voices", close=True))
        assert whole(connection).status == 200


def until_blank(connection: socket.socket) -> bytes:
    got = b""
    while not got.endswith(b"\r\n\r\n"):
        got += connection.recv(1)
    return got


def test_a_server_that_stops_says_so_in_its_streams(front: Front) -> None:
    with front.connect(post("/api/stream_mjpeg", LONG, "Connection: close")) as stream:
        assert until(lambda: b"X-Frame: 2" in stream.recv(1 << 16, socket.MSG_PEEK))
        front.stop()
        told = whole(stream)
    *_, last = told.body.split(b"--frame")[:-1]
    assert b"Content-Type: application/json" in last, last[:200]
    assert told.body.endswith(b"--\r\n\r\n0\r\n\r\n")
    assert front.ask(post("/api/stream_mjpeg", LONG, "Connection: close")).status == 503


@pytest.mark.parametrize(
    "line",
    [
        *("Accept-Language: \xa0kk\x85", "X-Much: " + "x" * 8000, "Accept: \xff\xfe"),
        *("Range: bytes = 4 - 7", "TE: trailers", "Trailer: X", "Upgrade: h2c", "Cookie: a=b"),
    ],
)
def test_odd_fields_are_passed_over(front: Front, line: str) -> None:
    data = get("/api/voices", close=True).replace(
        b"\r\n\r\n", f"\r\n{line}\r\n\r\n".encode("latin-1")
    )
    assert front.ask(data).status == 200


def test_many_fields_fit(front: Front) -> None:
    lines = [f"X-{n}: {'y' * 500}" for n in range(90)]
    assert front.ask(get("/api/voices", *lines, close=True)).status == 200
    query = "text=" + "%D0%B0" * 5000
    told = front.ask(get(f"/api/stream_mjpeg?{query}&size=2x2", close=True))
    assert (told.status, told.json()["field"]) == (400, "size")


@pytest.mark.parametrize("query", [b"text=a|b&size=2x2", b"text=%0d%0aX:y&size=2x2"])
def test_an_address_stays_one_line(front: Front, query: bytes) -> None:
    data = get("/api/stream_mjpeg?QUERY", close=True).replace(b"QUERY", query)
    told = front.ask(data)
    assert (told.status, told.json()["field"]) == (400, "size")


def test_a_body_in_chunks_with_trailers(front: Front) -> None:
    body = b'{"text": "one", "language": "en"}'
    chunks = b"5\r\n%b\r\n%x\r\n%b\r\n0\r\nX-Sum: 1\r\n\r\n" % (body[:5], len(body) - 5, body[5:])
    lines = ("Content-Type: application/json", "Transfer-Encoding: chunked", "Trailer: X-Sum")
    told = front.ask(get("/api/text", *lines, close=True, method="POST") + chunks)
    assert (told.status, told.json()["said"]) == (200, "one.")


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("Content-Type: application/json", 413),
        ("Content-Type: text/plain", 415),
        ("Content-Type: application/json\r\nContent-Encoding: gzip", 415),
        ("Content-Type: application/json\r\nOrigin: http://evil.example", 403),
    ],
)
@pytest.mark.parametrize("size", [(1 << 20) + 10, 5 << 20])
def test_a_large_body_is_refused_for_what_is_wrong(
    front: Front, line: str, status: int, size: int
) -> None:
    data = get("/api/generate", f"Content-Length: {size}", line, close=True, method="POST")
    told = front.ask(data + bytes(size))
    assert told.status == status
    told = front.ask(data.replace(b"/api/generate", b"/api/avatars/x") + bytes(size))
    assert told.status == (403 if status == 403 else 405)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_form_comes_whole(front: Front, chunked: bool) -> None:
    body = PART + b"no sound" + bytes(LARGE) + b"\r\n--x--\r\n"
    size = f"Content-Length: {len(body)}"
    head = get(
        "/api/generate",
        *(FORM, "Transfer-Encoding: chunked" if chunked else size, "Expect: 100-continue"),
        close=True,
        method="POST",
    )
    with front.connect(head) as connection:
        assert until_blank(connection) == CONTINUE
        connection.sendall(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if chunked else body)
        told = whole(connection)
    assert (told.status, told.json()["code"]) == (415, "unsupported_media")


def test_an_upload_that_is_refused_by_its_head_is_not_invited(front: Front) -> None:
    for size, status in ((LARGE, 403), (600 << 20, 413)):
        lines = [FORM, f"Content-Length: {size}", "Expect: 100-continue"]
        lines += ["Origin: http://evil.example"] if status == 403 else []
        told = front.ask(get("/api/generate", *lines, close=True, method="POST"))
        assert (told.status, told.fields["connection"]) == (status, "close")


def test_a_small_body_is_invited(front: Front) -> None:
    body = b'{"text": "one", "language": "en"}'
    data = post("/api/text", body, "Expect: 100-continue", "Connection: close")
    with front.connect(data[: -len(body)]) as connection:
        assert until_blank(connection) == CONTINUE
        connection.sendall(body)
        assert whole(connection).status == 200


def test_an_upload_that_stops_is_told_so(begin: Callable[..., Front]) -> None:
    front = begin({"send_timeout_s": 0.3})
    data = get("/api/generate", FORM, f"Content-Length: {LARGE}", close=True, method="POST")
    told = front.ask(data + PART + bytes(100_000))
    assert told.json() == {
        "error": "The upload stopped, or is too slow",
        "code": "bad_input",
        "field": "audio",
    }


def test_an_upload_whose_client_leaves_leaves_nothing(front: Front, config: Config) -> None:
    data = get("/api/generate", FORM, f"Content-Length: {LARGE}", close=True, method="POST")
    with front.connect(data + PART + bytes(100_000)):
        assert until(lambda: files_below(config.work_dir))
    assert until(lambda: not files_below(config.work_dir))


def abort(connection: socket.socket) -> None:
    """As a process that is killed."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def half(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("leave", [abort, half, socket.socket.close])
@pytest.mark.parametrize("path", ["/api/generate", "/api/stream_chunks"])
def test_who_does_not_wait_for_a_film_has_it_cancelled(
    begin: Callable[..., Front], path: str, leave: Callable[[socket.socket], None]
) -> None:
    front = begin(voices=ToneVoices(ToneVoice(delay_s=0.05)))
    connection = front.connect(post(path, LONG, "Connection: close"))
    with connection:
        assert until(front.service.jobs.running)
        (job,) = front.service.jobs.running()
        leave(connection)
        assert until(lambda: job.ended)
    assert job.status.value == "cancelled"


@pytest.mark.parametrize("leave", [abort, socket.socket.close])
def test_who_leaves_a_stream_has_it_cancelled(
    begin: Callable[..., Front], leave: Callable[[socket.socket], None]
) -> None:
    front = begin(voices=ToneVoices(ToneVoice(delay_s=0.05)))
    with front.connect(post("/api/stream_mjpeg", LONG, "Connection: close")) as connection:
        while b"image/jpeg" not in connection.recv(1 << 16):
            pass
        (job,) = front.service.jobs.running()
        leave(connection)
    assert until(lambda: job.ended)
    assert job.status.value == "cancelled"


def test_a_stream_goes_on_for_who_has_closed_only_the_own_side(front: Front) -> None:
    body = b'{"text": "one two", "size": "128x128", "pace": "asap"}'
    with front.connect(post("/api/stream_mjpeg", body, "Connection: close")) as connection:
        connection.shutdown(socket.SHUT_WR)
        told = whole(connection)
    assert told.status == 200
    assert told.body.count(b"image/jpeg") == 10
    assert told.body.endswith(b"4\r\n--\r\n\r\n0\r\n\r\n")
