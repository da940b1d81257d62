from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app_core.server.door import DoorServer
from app_core.server.limits import Limits
from app_core.server.pacing import Pacing
from tests.server.test_front import SHORT, Door, get, whole


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_what_comes_faster_waits_longer_and_others_do_not() -> None:
    clock = Clock()
    pacing = Pacing(Limits(8, paced_rate=10.0, paced_burst=3), clock)
    waits = [pacing.wait_s("1.1.1.1") for _ in range(5)]
    assert waits == pytest.approx([0.0, 0.0, 0.0, 0.1, 0.2])
    assert pacing.wait_s("2.2.2.2") == 0.0
    clock.now += 0.25
    assert pacing.wait_s("1.1.1.1") == pytest.approx(0.05)
    clock.now += 60.0
    assert [pacing.wait_s("1.1.1.1") for _ in range(4)] == pytest.approx([0.0, 0.0, 0.0, 0.1])


def test_a_named_proxy_speaks_for_many() -> None:
    limits = Limits(8, paced_rate=1.0, paced_burst=1, unpaced=(ipaddress.ip_network("10.0.0.0/8"),))
    pacing = Pacing(limits, Clock())
    assert [pacing.wait_s("10.1.2.3") for _ in range(3)] == [0.0, 0.0, 0.0]
    assert [pacing.wait_s("11.1.2.3") for _ in range(2)] == [0.0, 1.0]
    assert [pacing.wait_s("") for _ in range(2)] == [0.0, 0.0]


def test_without_a_rate_nothing_waits() -> None:
    pacing = Pacing(Limits(8), Clock())
    assert not any(pacing.wait_s("1.1.1.1") for _ in range(1000))


@pytest.fixture(scope="module")
def slow_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Nobody's turn comes again within a test."""
    paced = {"paced_rate": 0.001, "paced_burst": 2, "paced": 3}
    running = Door(SHORT | paced, tmp_path_factory.mktemp("paced") / "log")
    try:
        yield running
    finally:
        assert running.stop() == 0
        assert "Traceback" not in running.log.read_text()


def test_those_that_wait_hold_no_thread_and_are_few(slow_door: Door) -> None:
    asked = [slow_door.connect(get("/echo", close=True)) for _ in range(2)]
    assert [whole(each).status for each in asked] == [200, 200]
    waiting = [slow_door.connect(get("/echo", close=True)) for _ in range(3)]
    too_many = slow_door.connect(get("/echo", close=True))
    refused = whole(too_many)
    assert (refused.status, refused.json()["code"]) == (429, "too_many")
    assert slow_door.live()["refused"] == {"429": 1}  # always answered, and never counted
    for each in waiting:
        each.setblocking(False)
        with pytest.raises(BlockingIOError):
            each.recv(1)
    for each in (*asked, *waiting, too_many):
        each.close()
    assert Path(f"/proc/{slow_door.worker()}").exists()


def test_what_is_refused_does_not_make_others_wait() -> None:
    def application(environ: Any, start: Any) -> list[bytes]:
        start("200 OK", [("Content-Length", "0")])
        return []

    limits = Limits(16, paced_rate=2.0, paced_burst=1, paced=1)
    door = DoorServer("127.0.0.1", application, limits, lambda *_: None)
    door.start()

    def ask() -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", door.port), timeout=10)
        connection.sendall(get("/", close=True))
        return connection

    try:
        asked = [ask() for _ in range(60)]
        told = [whole(each).status for each in asked]
        assert told.count(200) >= 2 and told.count(429) > 40
        asked.append(ask())
        assert whole(asked[-1]).status == 200
        for each in asked:
            each.close()
    finally:
        door.close()
