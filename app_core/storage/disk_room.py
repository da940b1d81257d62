"""How much of a disk may still be filled, and the refusal that says so."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from app_core.errors import DiskFull

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class DiskFacts(Protocol):
    """The part of ``os.statvfs`` that is looked at."""

    f_bavail: int
    f_frsize: int


class DiskRoom:
    """Of the disk on which ``folder`` lies, of which ``reserve`` bytes are never filled.

    ``free_more()`` gives room back that is not needed any more, a part at a time, and says whether
    it did; ``freeable()`` says how much that may be in all, bytes at the most. ``setting`` names
    the folder to clients, who are not told how much there is.
    """

    def __init__(
        self,
        folder: Path,
        reserve: int,
        free_more: Callable[[], bool] = bool,
        statvfs: Callable[[Path], DiskFacts] | None = None,
        freeable: Callable[[], int] = int,
        setting: str = "WORK_DIR",
    ) -> None:
        self.folder, self._reserve, self._setting = folder, reserve, setting
        self._free_more, self._statvfs, self._freeable = free_more, statvfs, freeable

    def free(self) -> int | None:
        """Bytes that are free, the reserve included; None where nobody knows."""
        for folder in (self.folder, *self.folder.parents):
            try:
                facts = (self._statvfs or os.statvfs)(folder)
            except FileNotFoundError:
                continue  # made when it is needed, where this lies
            except OSError:
                return None
            return facts.f_bavail * facts.f_frsize
        return None

    def lacks(self, size: int = 0) -> int:
        """Bytes by which the reserve would be filled if ``size`` bytes were written."""
        free = self.free()
        return 0 if free is None else max(0, self._reserve + size - free)

    def need(self, size: int, what: str) -> None:
        """Frees what can be freed for ``size`` bytes, where that is enough. ``what`` needs them;
        raises DiskFull."""
        while lacking := self.lacks(size):
            if lacking > self._freeable() or not self._free_more():
                raise DiskFull(
                    f"{what} has no room on the disk of {self._setting}, "
                    "of which DISK_RESERVE_MB stays free"
                )


def folder_bytes(folder: Path) -> int:
    """What all files below take; one that has two names counts once."""
    seen: set[tuple[int, int]] = set()
    total, waiting = 0, [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        facts = entry.stat(follow_symlinks=False)
                        if (facts.st_dev, facts.st_ino) not in seen:
                            seen.add((facts.st_dev, facts.st_ino))
                            total += facts.st_size
        except OSError:
            continue  # gone meanwhile
    return total
