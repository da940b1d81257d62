"""What lies below a folder, and below a process, while both change."""

import contextlib
import os
from pathlib import Path


def entries_below(folder: Path) -> list[Path]:
    """Files and folders; ``rglob`` raises where one is removed before it is looked into."""
    walk = os.walk(folder)
    return [Path(place, name) for place, folders, files in walk for name in folders + files]


def files_below(folder: Path) -> list[Path]:
    return [Path(place, name) for place, _, files in os.walk(folder) for name in files]


def children_of(pid: int | str) -> list[int]:
    """Processes that a thread of ``pid`` has started; none of one that has ended."""
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):  # the thread has just ended
                found += map(int, (task / "children").read_text().split())
    return found
