"""``app.py`` that can be looked into: its threads have their names in /proc too, and at a signal it
writes how many asyncio tasks are alive. ``python -m benchmarks.watched``."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import signal
import sys
import threading
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

TASKS_FILE = "BENCHMARK_TASKS_FILE"
"""Of the environment: where the number of tasks goes."""
ASK_TASKS = signal.SIGRTMIN
_TICKS = os.sysconf("SC_CLK_TCK")
_LONGEST = 15
"""Bytes of a name, by the kernel."""


def times_s(pid: int) -> dict[int, tuple[str, float]]:
    """Name and processor seconds so far of each thread of a process."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            text = (task / "stat").read_text()
        except OSError:
            continue
        name = text[text.index("(") + 1 : text.rindex(")")]
        user, system = text.rpartition(")")[2].split()[11:13]
        found[int(task.name)] = name, (int(user) + int(system)) / _TICKS
    return found


def spent_s(
    before: Mapping[int, tuple[str, float]], after: Mapping[int, tuple[str, float]]
) -> dict[str, float]:
    """By threads of one name, by what it begins with, who spent most first. What a thread that has
    ended spent is missing."""
    total: dict[str, float] = defaultdict(float)
    for tid, (name, now_s) in after.items():
        told, then_s = before.get(tid, (name, 0.0))
        total[family(name)] += now_s - (then_s if told == name else 0.0)
    return dict(sorted(total.items(), key=lambda spent: -spent[1]))


def family(name: str) -> str:
    """``session-1a2b3c4d`` is a ``session``, ``request_3`` a ``request``."""
    begins = re.match(r"[A-Za-z]+", name)
    return begins[0] if begins else name


def _tell_tasks(*_: object) -> None:
    alive = sum(isinstance(each, asyncio.Task) and not each.done() for each in gc.get_objects())
    path = Path(os.environ[TASKS_FILE])
    whole = path.with_suffix(".whole")
    whole.write_text(str(alive))
    whole.replace(path)


def watch() -> None:
    """Before the server begins."""
    begin = threading.Thread._bootstrap_inner  # type: ignore[attr-defined]

    def named(thread: Any) -> None:
        name = thread.name.encode()[:_LONGEST]
        Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_bytes(name)
        begin(thread)

    threading.Thread._bootstrap_inner = named  # type: ignore[attr-defined]
    # Inherited by the process that serves.
    signal.signal(ASK_TASKS, _tell_tasks)


def main() -> int:
    watch()
    import app

    return app.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
