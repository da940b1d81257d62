"""The server under measurement: started on a free loopback port, and stopped again."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from benchmarks.watched import ASK_TASKS, TASKS_FILE, times_s
from tests.below import children_of, files_below

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent
_START_S = 300.0
_STOP_S = 15.0
_TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """``url`` names one that runs already; its processor time is then unknown.

    ``settings`` are NAME=value pairs for the environment of one that is started here, by Python
    with ``entry``.
    """

    def __init__(
        self, url: str = "", settings: Sequence[str] = (), entry: Sequence[str] = ("app.py",)
    ) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._entry = entry
        self._folder = tempfile.TemporaryDirectory()
        self.url = url.rstrip("/")
        if not url:
            self._start(dict(pair.split("=", 1) for pair in settings))

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "127.0.0.1", parts.port or 80

    def health(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/api/health", timeout=10) as answer:
            report: dict[str, Any] = json.load(answer)
        return report

    def wait_idle(self, timeout_s: float = 30.0) -> None:
        """Until no job runs."""
        deadline = time.monotonic() + timeout_s
        while self.health()["capacity"]["jobs"]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"jobs still run after {timeout_s:.0f} s")
            time.sleep(0.2)

    @property
    def pid(self) -> int:
        """Of a server that was started here."""
        if self._child is None:
            raise ValueError("the server was not started here")
        return self._child.pid

    def cpu_s(self) -> float | None:
        """Processor seconds of the server and its workers so far."""
        if self._child is None:
            return None
        return sum(_cpu_s(pid) for pid in _family(self._child.pid))

    def held(self) -> dict[str, int]:
        """What the process that serves holds, of a server that was started here."""
        worker = children_of(self.pid)[0]
        return {
            "sessions": self.health()["sessions"]["open"],
            "threads": len(os.listdir(f"/proc/{worker}/task")),
            "descriptors": len(os.listdir(f"/proc/{worker}/fd")),
            "sockets": _sockets(worker),
            "memory_mb": memory(self.pid)[0] >> 20,
            "children": len(children_of(worker)),
        }

    def threads_s(self) -> dict[int, tuple[str, float]]:
        """Name and processor seconds so far of each thread of the process that serves; none of a
        server that was not started here."""
        return {} if self._child is None else times_s(children_of(self._child.pid)[0])

    def tasks(self, timeout_s: float = 10.0) -> int:
        """asyncio tasks that are alive, where the entry is ``benchmarks.watched``."""
        file = Path(self._folder.name) / "tasks"
        file.unlink(missing_ok=True)
        os.kill(children_of(self.pid)[0], ASK_TASKS)
        deadline = time.monotonic() + timeout_s
        while not file.exists():
            if time.monotonic() > deadline:
                raise TimeoutError("the server does not tell its tasks")
            time.sleep(0.05)
        return int(file.read_text())

    def log(self) -> str:
        """What a server that was started here has logged."""
        if self._log is None:
            return ""
        self._log.seek(0)
        return self._log.read().decode("utf-8", "replace")

    def errors(self) -> list[str]:
        """Of the log, each with its traceback."""
        found: list[str] = []
        inside = False
        for line in self.log().splitlines():
            if " ERROR " in line or " CRITICAL " in line:
                found.append(line)
                inside = True
            elif inside and line.startswith("  "):
                found[-1] += "\n" + line
            else:
                inside = False
        return found

    def wait(self, timeout_s: float) -> int | None:
        """The exit status of one that was asked to end; None: it goes on."""
        if self._child is None:
            raise ValueError("the server was not started here")
        try:
            return self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        self._folder.cleanup()
        if self._child is None or self._log is None:
            return
        self._child.terminate()
        try:
            self._child.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._log.close()
        self._child = None

    def _start(self, settings: dict[str, str]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        environment = os.environ | {"LISTEN": f"127.0.0.1:{port}", "LOG_LEVEL": "warning"}
        environment[TASKS_FILE] = str(Path(self._folder.name) / "tasks")
        self._log = tempfile.TemporaryFile()
        self._child = subprocess.Popen(
            [sys.executable, *self._entry],
            cwd=ROOT,
            env=environment | settings,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        deadline = time.monotonic() + _START_S
        while not self._ready():
            if self._child.poll() is not None or time.monotonic() > deadline:
                said = self.log()
                self.stop()
                raise RuntimeError(f"the server did not start:\n{said}")
            time.sleep(0.2)

    def _ready(self) -> bool:
        try:
            return bool(self.health()["status"] in ("ready", "degraded"))
        except (urllib.error.URLError, OSError):
            return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and self._child is not None:
            ended = self._child.poll()
            state = "still runs" if ended is None else f"ended with {ended}"
            print(f"the server {state}; its log:\n{self.log()}", file=sys.stderr)
        self.stop()


def _family(pid: int) -> list[int]:
    """A process and all below it."""
    return [pid, *(each for child in children_of(pid) for each in _family(child))]


def _cpu_s(pid: int) -> float:
    """User and system time, its reaped children included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


def memory(pid: int) -> tuple[int, int]:
    """Resident bytes of the server's process that serves, and of all processes below that."""
    workers = [child for child in children_of(pid) if "python" in _command(child)]
    own = below = 0
    for worker in workers:
        own += _resident(worker)
        # A child that has not become ffmpeg yet looks as large as its parent.
        others = [each for each in _family(worker)[1:] if "ffmpeg" in _command(each)]
        below += sum(_resident(each) for each in others)
    return own, below


def written(server: Server, folder: Path) -> int:
    """Bytes on the disk in ``folder``, with the files without a name that the server has open."""
    total = 0
    for path in files_below(folder):
        with contextlib.suppress(OSError):
            total += path.stat().st_blocks * 512
    for link in Path(f"/proc/{children_of(server.pid)[0]}/fd").iterdir():
        with contextlib.suppress(OSError):
            target = os.readlink(link)
            if target.startswith(f"{folder}/") and target.endswith("(deleted)"):
                total += link.stat().st_blocks * 512
    return total


def _sockets(pid: int) -> int:
    found = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found += os.readlink(link).startswith("socket:")
        except OSError:  # it has just been closed
            continue
    return found


def _command(pid: int) -> str:
    return _text(Path(f"/proc/{pid}/cmdline"))


def _resident(pid: int) -> int:
    fields = _text(Path(f"/proc/{pid}/statm")).split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") if fields else 0


def _text(path: Path) -> str:
    """Empty when the process has just ended."""
    try:
        return path.read_text()
    except OSError:
        return ""
