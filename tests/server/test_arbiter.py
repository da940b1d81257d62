"""The arbiter outlives its worker, whatever that dies of, and leaves nothing of it."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest

from app_core.server import arbiter as arbiter_module
from app_core.server.arbiter import MOST, STOOD_STILL_S, WITHIN_S, Arbiter, Excuse, Pace
from app_core.server.worker import NOT_AGAIN, REPLACED
from tests.below import children_of
from tests.conftest import until
from tests.server.test_front import Door
from tests.server.test_server import ROOT, free_port

linux = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")


def test_a_few_are_replaced_at_once_and_the_next_one_waits() -> None:
    now = 100.0
    pace = Pace(lambda: now)
    for _ in range(MOST):
        assert pace.wait_s == 0.0
        pace.note()
        now += 1.0
    assert pace.wait_s == WITHIN_S - MOST
    now += WITHIN_S - MOST
    assert pace.wait_s == 0.0
    pace.note()
    assert pace.wait_s == 1.0, "one for each that is a minute old"


def test_a_worker_is_not_blamed_for_a_stop_of_the_whole_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, looks = 100.0, list[float]()
    arbiter = object.__new__(Arbiter)
    arbiter.timeout, arbiter._excuse, arbiter._needs = 30, Excuse(lambda: now), None
    monkeypatch.setattr(Arbiter.__base__, "murder_workers", lambda self: looks.append(now))
    for _ in range(3):
        now += 1.0
        arbiter.murder_workers()
    assert looks == [101.0, 102.0, 103.0]
    now += STOOD_STILL_S + 60.0
    arbiter.murder_workers()
    for _ in range(29):
        now += 1.0
        arbiter.murder_workers()
    assert len(looks) == 3, "it has as long as ever to show that it lives"
    now += 1.0
    arbiter.murder_workers()
    assert len(looks) == 4


@pytest.mark.parametrize(
    ("killer", "said"),
    [
        ("kernel", "Worker (pid:4711) was sent SIGKILL! Perhaps out of memory?"),
        ("arbiter", "Worker (pid:4711) did not end by itself: the arbiter sent it SIGKILL"),
    ],
)
def test_who_killed_a_worker(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, killer: str, said: str
) -> None:
    log = logging.getLogger("gunicorn.error.test")
    arbiter = object.__new__(Arbiter)
    arbiter.WORKERS = {4711: Mock()}
    arbiter.cfg, arbiter._killed, arbiter._stats = Mock(), set(), Counter()
    arbiter.reexec_pid = arbiter.dirty_arbiter_pid = 0
    arbiter.log = Mock(error_log=log, error=log.error)
    monkeypatch.setattr(Arbiter.__base__, "setup", lambda self, app: None)
    monkeypatch.setattr(Arbiter, "_end_orphans", lambda self: None)
    monkeypatch.setattr(os, "kill", lambda pid, number: None)
    ended = iter([(4711, signal.SIGKILL), (0, 0)])
    monkeypatch.setattr(os, "waitpid", lambda pid, how: next(ended))
    arbiter.setup(None)
    if killer == "arbiter":
        arbiter.kill_worker(4711, signal.SIGKILL)
    arbiter.reap_workers()
    assert caplog.messages == [said]
    assert not arbiter._killed, "its id may come again"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    made = Door({"threads": 8, "spare_threads": 2}, tmp_path / "log")
    try:
        yield made
    finally:
        made.process.kill()
        made.process.wait()


def worker(door: Door) -> int:
    assert until(lambda: children_of(door.process.pid), 10)
    return children_of(door.process.pid)[0]


def replaced(door: Door, before: int) -> bool:
    return until(lambda: door.answers() and worker(door) != before, 10)


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def ask(door: Door, path: str) -> bytes:
    with door.connect(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()) as c:
        answer = b""
        while part := c.recv(65536):
            answer += part
    return answer


@linux
def test_it_outlives_each_death_and_slows_down_when_they_are_many(door: Door) -> None:
    a_killed_worker_is_replaced_and_its_children_die(door)
    a_condemned_worker_tells_and_ends_itself(door)
    a_crash_says_where(door)
    os.kill(worker(door), signal.SIGKILL)
    said = f"{MOST + 1} workers have died within a minute: the next one begins in"
    assert until(lambda: said in door.log.read_text(), 5)
    assert door.process.poll() is None
    assert not children_of(door.process.pid)
    door.process.terminate()
    assert door.process.wait(5) == 0, "it hears all the same"


def a_killed_worker_is_replaced_and_its_children_die(door: Door) -> None:
    before = worker(door)
    child = int(ask(door, "/child?how=plain").rsplit(b"\r\n", 1)[-1])
    leader = int(ask(door, "/child?how=session").rsplit(b"\r\n", 1)[-1])
    for pid in (child, leader):
        held = {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()}
        assert not [name for name in held if name.startswith("socket:")], held
    with door.connect(b"GET /slow?seconds=60 HTTP/1.1\r\nHost: x\r\n\r\n") as waiting:
        time.sleep(0.1)
        os.kill(before, signal.SIGKILL)
        waiting.settimeout(1.0)
        with contextlib.suppress(ConnectionResetError):
            assert waiting.recv(1) == b"", "clients are let go at once"
    assert replaced(door, before)
    assert until(lambda: gone(child) and gone(leader), 5)


def a_condemned_worker_tells_and_ends_itself(door: Door) -> None:
    before = worker(door)
    assert b"200 OK" in ask(door, "/condemn")
    assert replaced(door, before)
    log = door.log.read_text()
    assert "the worker ends, to be replaced: a test says so" in log
    assert "most recent call first" in log, "with the stacks of its threads"
    assert f"exited with code {REPLACED}" in log


def a_crash_says_where(door: Door) -> None:
    before = worker(door)
    os.kill(before, signal.SIGSEGV)
    assert replaced(door, before)
    assert "Fatal Python error: Segmentation fault" in door.log.read_text()


@linux
def test_a_replacement_that_does_not_come_up_is_tried_again(door: Door) -> None:
    before = worker(door)
    door.log.with_name("fails").write_text("raise exit")
    os.kill(before, signal.SIGKILL)
    assert until(lambda: f"exited with code {NOT_AGAIN}" in door.log.read_text(), 10)
    assert replaced(door, before)
    log = door.log.read_text()
    assert [word in log for word in ("MemoryError", "SystemExit: 3")] == [True, True]
    assert log.count(f"exited with code {NOT_AGAIN}") == 2
    assert door.process.poll() is None


@linux
def test_the_first_worker_that_does_not_come_up_ends_the_server(tmp_path: Path) -> None:
    (tmp_path / "fails").write_text("raise")
    line = [sys.executable, "-m", "tests.front_server", str(free_port()), str(tmp_path)]
    ended = subprocess.run([*line, json.dumps({"threads": 8})], cwd=ROOT, capture_output=True)
    assert ended.returncode == 3
    assert b"MemoryError" in ended.stderr


@linux
def test_a_worker_does_not_outlive_its_arbiter(door: Door) -> None:
    orphan = worker(door)
    with door.connect(b"GET /slow?seconds=60 HTTP/1.1\r\nHost: x\r\n\r\n"):
        time.sleep(0.1)
        door.process.kill()
        door.process.wait()
        assert until(lambda: gone(orphan), 8)


@linux
def test_a_stop_ends_the_children_of_a_worker_that_is_stuck(door: Door) -> None:
    child = int(ask(door, "/child?how=session").rsplit(b"\r\n", 1)[-1])
    os.kill(worker(door), signal.SIGSTOP)
    began = time.monotonic()
    door.process.terminate()
    assert door.process.wait(10) == 0
    assert time.monotonic() - began < 6
    assert until(lambda: gone(child), 2)


@linux
def test_a_child_of_its_own_is_no_orphan(monkeypatch: pytest.MonkeyPatch) -> None:
    own = subprocess.Popen(["sleep", "60"], start_new_session=True)
    monkeypatch.setattr(arbiter_module, "_adopt", lambda: None)
    monkeypatch.setattr(Arbiter.__base__, "__init__", lambda self, app: None)
    arbiter = Arbiter(None)
    arbiter.WORKERS, arbiter.reexec_pid = {}, 0
    left = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        assert arbiter._orphans() == [left.pid]
        arbiter._end_orphans()
        assert left.wait(5) == -signal.SIGKILL
        assert own.poll() is None
    finally:
        own.kill()
        own.wait()


@linux
def test_it_ends_with_the_child_that_it_needs(tmp_path: Path) -> None:
    log = tmp_path / "log"
    door = Door({"threads": 8, "needs": ["sleep", "60"]}, log)
    needed = [
        pid
        for pid in children_of(door.process.pid)
        if Path(f"/proc/{pid}/comm").read_text() == "sleep\n"
    ]
    try:
        os.kill(needed[0], signal.SIGKILL)
        assert door.process.wait(10) == 1
        assert "a process that the server needs has ended" in log.read_text()
    finally:
        door.process.kill()
