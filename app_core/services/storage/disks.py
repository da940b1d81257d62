"""The folders of the settings: whether they can be written, what room they have, and what is done
when a disk fills."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app_core.avatars.importing.avatar_room import AvatarRoom
from app_core.errors import DiskFull
from app_core.services.storage.film_room import FilmRoom, too_large_to_keep
from app_core.storage.disk_room import DiskFacts, DiskRoom
from app_core.storage.scratch import writable

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.avatars.importing.import_queue import Imports
    from app_core.config import Config
    from app_core.job import Job
    from app_core.job_table import JobTable

WRITE_S = 30.0
"""Between two tries to write into the folders."""
_MEBIBYTE = 1 << 20


@dataclass(slots=True, eq=False)
class Folder:
    """``writable`` and ``free`` are those of the last look."""

    setting: str
    path: Path
    needed: bool
    """Without it something that clients ask for fails."""
    instead: str = ""
    """What is done where it cannot be written."""
    writable: bool = True
    free: int | None = None
    """Bytes; None where nobody knows."""
    full: bool = False

    @property
    def reason(self) -> str:
        """What is wrong with it, a sentence; empty when nothing is."""
        if not self.writable:
            instead = f": {self.instead}" if self.instead else ""
            return f"{self.setting}={self.path} cannot be written{instead}"
        if self.full:
            free = (self.free or 0) // _MEBIBYTE
            return f"the disk of {self.setting}={self.path} is full: {free} MiB are free"
        return ""


class Disks:
    """``look`` is called now and then by one thread; the rest from any."""

    def __init__(
        self,
        config: Config,
        work_dir: Path | None,
        jobs: JobTable,
        statvfs: Callable[[Path], DiskFacts] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``work_dir`` is what the settings named, ``config.work_dir`` what is taken."""
        reserve = config.disk_reserve_mb << 20
        self._jobs, self._quota, self._clock = jobs, config.cache_mb << 20, clock
        taken = config.work_dir or Path(tempfile.gettempdir())
        self.work = DiskRoom(taken, reserve, jobs.forget_oldest, statvfs, jobs.held)
        self._avatars = DiskRoom(config.avatar_dir, reserve, statvfs=statvfs, setting="AVATAR_DIR")
        self.films = FilmRoom(self.work, self._quota)
        self.faces = AvatarRoom(
            config.avatar_dir, config.avatars_mb << 20, self.work, self._avatars
        )
        self._models = DiskRoom(config.models_dir, reserve, statvfs=statvfs, setting="MODELS_DIR")
        self._rooms = {
            "WORK_DIR": self.work,
            "AVATAR_DIR": self._avatars,
            "MODELS_DIR": self._models,
        }
        fallen = work_dir is not None and work_dir != config.work_dir
        lost = f"{taken} is taken" if fallen else "no film can be made"
        self._folders = [
            Folder("WORK_DIR", work_dir if work_dir and fallen else taken, True, lost),
            Folder("AVATAR_DIR", config.avatar_dir, True, "no face can be added"),
            Folder("MODELS_DIR", config.models_dir, False),
        ]
        self._tried_s = clock() - WRITE_S
        self._measure()

    def look(self, end: Callable[[Job, Exception], object], imports: Imports) -> None:
        """Frees what nobody asks for any more, and ends what would fill a disk all the same:
        ``end`` ends a job."""
        self._measure()
        while self.work.lacks() and self._jobs.forget_oldest():
            pass
        for job in self._jobs.running():
            with contextlib.suppress(OSError):
                result = job.result
                if result is not None and (size := result.stat().st_size) > self._quota:
                    end(job, too_large_to_keep(size, self._quota))
        if self.work.lacks():
            films = [job for job in self._jobs.running() if job.on_disk]
            for job in films[-1:]:  # the others may have room now
                end(job, DiskFull("The disk is full: the video could not be written"))
        if self._avatars.lacks():
            imports.stop(DiskFull("The disk is full: the face could not be written"))

    def reasons(self) -> list[str]:
        """Why the server is degraded, a sentence each."""
        return [folder.reason for folder in self._folders if folder.needed and folder.reason]

    def describe(self) -> list[dict[str, Any]]:
        return [
            {
                "setting": folder.setting,
                "writable": folder.writable,
                "free_mb": None if folder.free is None else folder.free // _MEBIBYTE,
                "reason": folder.reason or None,
            }
            for folder in self._folders
        ]

    def _measure(self) -> None:
        now = self._clock()
        tries = now - self._tried_s >= WRITE_S
        self._tried_s = now if tries else self._tried_s
        for folder in self._folders:
            room = self._rooms[folder.setting]
            folder.free, folder.full = room.free(), bool(room.lacks())
            if tries:
                folder.writable = can_be_written(folder.path)


def can_be_written(folder: Path) -> bool:
    """Of one that is not there yet, whether it can be made; it is not."""
    # What may not even be looked at counts as not there; Path.exists raises then.
    there = next(each for each in (folder, *folder.parents) if os.path.exists(each))
    return os.path.isdir(there) and writable(there)
