"""A front door inside a process that goes on when it closes."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app_core.server.door import DoorServer
from app_core.server.limits import Limits
from tests.conftest import until
from tests.server.test_front import get, one, post, whole


class Behind:
    """A WSGI application whose view can be held; it tells how its streams ended."""

    def __init__(self) -> None:
        self.gate, self.inside = threading.Event(), threading.Semaphore(0)
        self.ends: list[str] = []

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        path = environ["PATH_INFO"]
        if path == "/held":
            self.inside.release()
            assert self.gate.wait(10)
        if path == "/stream":
            start("200 OK", [("Content-Type", "text/plain")])
            return self._stream()
        size = len(environ["wsgi.input"].read())
        body = f'{{"length": {size}, "query": {len(environ["QUERY_STRING"])}}}'.encode()
        start("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    def _stream(self) -> Iterator[bytes]:
        self.inside.release()
        try:
            while not self.gate.wait(0.01):
                yield b"x" * 1000
        finally:
            self.ends.append("closed")


class Opened:
    def __init__(self, host: str = "127.0.0.1", **limits: Any) -> None:
        self.app, self.refused = Behind(), []  # type: ignore[var-annotated]
        self.door = DoorServer(
            host,
            self.app,
            Limits(**{"threads": 12, "spare_threads": 4, **limits}),
            lambda *refused: self.refused.append(refused),
        )
        self.host = host
        self.door.start()

    def connect(self, data: bytes = b"") -> socket.socket:
        connection = socket.create_connection((self.host, self.door.port), timeout=10)
        connection.sendall(data)
        return connection


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def open_door() -> Iterator[Callable[..., Opened]]:
    """None leaves a thread or a descriptor."""
    threads, before, made = set(threading.enumerate()), descriptors(), []

    def make(*args: Any, **limits: Any) -> Opened:
        made.append(Opened(*args, **limits))
        return made[-1]

    yield make
    for opened in made:
        opened.app.gate.set()
        opened.door.close()
        opened.door.close()  # again does nothing
        assert not opened.door.alive
    assert until(lambda: not set(threading.enumerate()) - threads), threading.enumerate()
    assert descriptors() == before


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_door_answers(open_door: Callable[..., Opened], host: str) -> None:
    try:
        opened = open_door(host)
    except OSError:
        pytest.skip(f"this machine has no {host}")
    assert opened.door.alive
    with opened.connect(post("/", b"12345")) as connection:
        assert one(connection).json() == {"length": 5, "query": 0}
        connection.sendall(get("/?a=1", close=True))
        assert whole(connection).json() == {"length": 0, "query": 3}


def test_it_tells_of_what_the_application_never_sees(open_door: Callable[..., Opened]) -> None:
    opened = open_door()
    with opened.connect(b"GET / HTTP/1.1\r\nbroken\r\n\r\n") as connection:
        assert whole(connection).status == 400
    held = [opened.connect(get("/held", close=True)) for _ in range(8)]
    for _ in held:
        assert opened.app.inside.acquire(timeout=10)
    with opened.connect(get("/", close=True)) as connection:
        assert whole(connection).status == 503
    assert opened.refused == [("", "none", 400), ("GET", "none", 503)]
    opened.app.gate.set()
    for connection in held:
        with connection:
            assert whole(connection).status == 200


def test_heads_that_were_let_in_are_let_in_again(open_door: Callable[..., Opened]) -> None:
    """Those who pass them on may have written them at more length."""
    query, fields = "x" * 100_000, [f"X-{n}: {'y' * 800}" for n in range(120)]
    with open_door().connect(get(f"/?{query}", *fields, close=True)) as connection:
        assert whole(connection).json()["query"] == 100_000


def test_an_end_that_waits_lets_answers_end(open_door: Callable[..., Opened]) -> None:
    opened = open_door()
    with opened.connect(get("/held", close=True)) as connection:
        assert opened.app.inside.acquire(timeout=10)
        closing = threading.Thread(target=opened.door.close, args=(10.0,))
        closing.start()
        assert until(lambda: refuses(opened))
        opened.app.gate.set()
        assert whole(connection).status == 200
        closing.join(10)
    assert not opened.door.alive


def refuses(opened: Opened) -> bool:
    """It takes no new connection up."""
    with opened.connect(get("/", close=True)) as connection:
        connection.settimeout(0.1)
        try:
            return not connection.recv(1)
        except TimeoutError:
            return True


def test_an_end_cuts_streams_and_their_threads_learn_it(open_door: Callable[..., Opened]) -> None:
    opened = open_door()
    with opened.connect(get("/stream")) as connection:
        assert opened.app.inside.acquire(timeout=10)
        assert connection.recv(100)
        opened.door.close()
        assert until(lambda: opened.app.ends == ["closed"])
        with pytest.raises(ConnectionError):
            while connection.recv(1 << 16):
                pass
            raise ConnectionResetError("an end")


def test_an_idle_connection_is_closed(open_door: Callable[..., Opened]) -> None:
    opened = open_door(idle_s=0.2)
    with opened.connect(get("/")) as connection:
        assert one(connection).status == 200
        assert connection.recv(1) == b""
    with opened.connect() as silent, opened.connect(get("/")[:10]) as half:
        with opened.connect(get("/", close=True)) as last:
            assert whole(last).status == 200  # so those before are taken up
        opened.door.close()
        assert silent.recv(1) == half.recv(1) == b""
