"""What the C heap is told, and when it is trimmed."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
import weakref

import pytest

from app_core import heap
from app_core.heap import Trimmer
from tests.conftest import until

glibc = pytest.mark.skipif(heap._glibc() is None, reason="only glibc has arenas")

ARENAS = """
import ctypes, os, threading
from app_core.heap import bound_arenas

bounded = bound_arenas()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
start = threading.Barrier(24)

def take():
    start.wait()
    for _ in range(200):
        libc.malloc(5000)
    start.wait()

threads = [threading.Thread(target=take) for _ in range(24)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fdopen(os.dup(1), b"w"))
libc.malloc_info(0, out)
libc.fclose(out)
print(bounded)
"""


def arenas(**environment: str) -> tuple[int, bool]:
    """Of a process with 24 threads, and whether they were bounded by us."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_"))}
    told = subprocess.run(
        [sys.executable, "-c", ARENAS],
        env=clean | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    return told.count("<heap nr="), told.strip().endswith("True")


@glibc
def test_threads_share_two_arenas() -> None:
    assert arenas() == (heap.ARENAS, True)


@glibc
@pytest.mark.parametrize(
    "environment", [{"MALLOC_ARENA_MAX": "1"}, {"GLIBC_TUNABLES": "glibc.malloc.arena_max=1"}]
)
def test_what_the_environment_says_of_arenas_stays(environment: dict[str, str]) -> None:
    assert arenas(**environment) == (1, False)


def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap, "_glibc", lambda: None)
    assert not heap.bound_arenas()
    trimmer = Trimmer(lambda: False)
    trimmer.start()
    trimmer.ask()
    trimmer.close()


class Library:
    def __init__(self) -> None:
        self.trims = 0

    def malloc_trim(self, pad: int) -> int:
        self.trims += 1
        return 1


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    library = Library()
    monkeypatch.setattr(heap, "_glibc", lambda: library)
    monkeypatch.setattr(heap, "QUIET_S", 0.01)
    return library


class Loop:
    """Held by itself alone."""

    def __init__(self) -> None:
        self.own = self


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Its bytes in memory, to be changed."""
    process = [100 << 20]
    monkeypatch.setattr(heap, "resident", lambda: process[0])
    return process


def test_a_process_that_has_not_grown_keeps_its_memory(
    library: Library, process: list[int]
) -> None:
    """What is given back is faulted in again by the next render; but what was let go, goes."""
    trimmer = Trimmer(lambda: False)
    trimmer.start()
    try:
        trimmer.ask()
        assert until(lambda: library.trims == 1)
        process[0] += heap.GROWN - 1
        trimmer.ask()
        assert not until(lambda: library.trims > 1, seconds=0.1)
        process[0] += 1
        trimmer.ask()
        assert until(lambda: library.trims == 2)
        trimmer.ask(gone=True)
        assert until(lambda: library.trims == 3)
        trimmer.ask()
        assert not until(lambda: library.trims > 3, seconds=0.1)
    finally:
        trimmer.close()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone says what a process has")
def test_the_memory_of_this_process_is_known() -> None:
    """In a process of its own: here others allocate and free meanwhile."""
    code = (
        "from app_core import heap\n"
        "before = heap.resident()\n"
        "held = bytearray(64 << 20)\n"
        "held[::4096] = b'x' * len(held[::4096])\n"
        "print(heap.resident() - before)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True, timeout=60
    )
    assert 60 << 20 < int(run.stdout) < 80 << 20


def test_memory_goes_back_once_for_each_end(library: Library, process: list[int]) -> None:
    loop = weakref.ref(Loop())
    trimmer = Trimmer(lambda: False)
    trimmer.start()
    try:
        assert not until(lambda: library.trims, seconds=0.1)
        for asked in (1, 2):
            process[0] += heap.GROWN
            trimmer.ask()
            assert until(lambda asked=asked: library.trims == asked)
            assert not until(lambda asked=asked: library.trims > asked, seconds=0.1)
        assert loop() is None
    finally:
        trimmer.close()


def test_a_server_that_is_never_quiet_is_trimmed_seldom(
    library: Library, process: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two requests that follow each other it would be paid by the second."""
    monkeypatch.setattr(heap, "QUIET_S", 0.2)
    monkeypatch.setattr(heap, "LATEST_S", 0.5)
    trimmer = Trimmer(lambda: False)
    trimmer.start()

    def asked_until(trims: int) -> float:
        began = time.monotonic()
        while library.trims < trims and time.monotonic() - began < 5:
            process[0] += heap.GROWN
            trimmer.ask()
            time.sleep(0.01)
        return time.monotonic() - began

    try:
        assert 0.5 <= asked_until(1) < 5
        assert 0.5 <= asked_until(2) < 5
    finally:
        trimmer.close()


def test_nothing_is_trimmed_while_live_work_runs(library: Library) -> None:
    live = threading.Event()
    live.set()
    trimmer = Trimmer(live.is_set)
    trimmer.start()
    try:
        trimmer.ask()
        assert not until(lambda: library.trims, seconds=0.1)
        live.clear()
        assert until(lambda: library.trims == 1)
    finally:
        trimmer.close()
    assert not trimmer._thread.is_alive()
    gc.collect()
