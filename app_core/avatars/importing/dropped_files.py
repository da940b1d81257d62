"""Photos and clips that somebody put into AVATAR_DIR: each becomes an avatar, once for its content.

The file stays where it is, and its avatar stays when the file goes. An avatar that is removed does
not come back while the same content lies there.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app_core.avatars.importing.content import content_of, stamp_of
from app_core.errors import Busy, Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app_core.avatars.collection import Avatars
    from app_core.avatars.importing.import_queue import Import

logger = logging.getLogger(__name__)

STABLE_S = 2.0
"""A file that has not changed for so long has been copied."""
MEMORY = ".dropped.json"
SUFFIXES = frozenset(
    ".jpg .jpeg .jpe .jfif .png .webp .heic .heif .avif .gif .bmp .tif .tiff"
    " .mp4 .m4v .mov .qt .webm .mkv .avi .3gp .wmv .flv .mpg .mpeg .mts .m2ts".split()
)
"""What people take for a photo or a clip; those that cannot be read say so as avatars that failed.
Any other file is none of ours."""


@dataclass(slots=True)
class _File:
    stamp: tuple[int, int]
    since_s: float
    sha256: str = ""
    """Empty until it has been read."""
    settled: bool = False
    """Nothing is to be done until it changes."""
    item: Import | None = None


class DroppedFiles:
    """``scan`` is called by one thread; ``removed`` by any."""

    def __init__(
        self,
        folder: Path,
        avatars: Avatars,
        other: Path | None = None,
        stopped: Callable[[], None] = lambda: None,
    ) -> None:
        """``other`` is a file in the folder that is no avatar's. ``stopped`` raises at the end."""
        self._folder, self._avatars, self._stopped = folder, avatars, stopped
        self._other = other and os.path.realpath(other)
        self._files: dict[str, _File] = {}
        self._memory: dict[str, Any] | None = None
        self._lock = threading.Lock()
        self._warned = False

    def scan(self) -> None:
        """Begins what is there, whole and new. What ``stopped`` raises ends it."""
        present = self._present()
        for name in [name for name in self._files if name not in present]:
            self._went(self._files.pop(name))
        for name, stamp in present.items():
            file = self._files.get(name)
            if file is None or file.stamp != stamp:
                if file is not None:
                    self._went(file)
                self._files[name] = _File(stamp, time.monotonic())
            elif file.settled:
                self._after(file)
            elif time.monotonic() - file.since_s >= STABLE_S:
                self._begin(name, file)
        self._forget()

    def removed(self, sha256: str, dropped: str) -> None:
        """An avatar with this content has been removed by a person."""
        there = any(file.sha256 == sha256 for file in list(self._files.values()))
        if sha256 and (there or dropped):
            self._change(lambda memory: memory["removed"].append(sha256))

    def _present(self) -> dict[str, tuple[int, int]]:
        found = {}
        with contextlib.suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                path = self._folder / entry.name
                ours = not entry.name.startswith(".") and path.suffix.lower() in SUFFIXES
                with contextlib.suppress(OSError):
                    if ours and entry.is_file() and os.path.realpath(path) != self._other:
                        found[entry.name] = stamp_of(path)
        return found

    def _begin(self, name: str, file: _File) -> None:
        path = self._folder / name
        try:
            file.sha256 = self._known(name, file.stamp) or content_of(path, self._stopped)
            if stamp_of(path) != file.stamp:
                return
        except OSError as error:
            logger.warning("%s cannot be read: %s", path, error.strerror)
            file.settled = True
            return
        self._change(lambda memory: memory["files"].update({name: [*file.stamp, file.sha256]}))
        if file.sha256 in self._read()["removed"] or self._is_there(name, file):
            file.settled = True
            return
        with contextlib.suppress(Busy):  # else at the next scan
            file.item = self._avatars.add_dropped(path)
            file.settled = True
            logger.info("%s becomes the avatar %s", name, file.item.id)

    def _is_there(self, name: str, file: _File) -> bool:
        """Whether an avatar has this content already, or another file that is here; says so."""
        made = self._avatars.made_of(file.sha256)
        if made is not None:
            avatar_id, dropped = made
            if dropped != name:
                logger.info("%s is already the avatar %s", name, avatar_id)
            return True
        for other, its in self._files.items():
            if its is not file and its.settled and its.sha256 == file.sha256:
                logger.info("%s is the same as %s", name, other)
                return True
        return False

    def _went(self, file: _File) -> None:
        """The file is gone, or is another one now."""
        if file.item is not None:
            self._avatars.withdraw(file.item)

    def _after(self, file: _File) -> None:
        """A person who cancels an import wants it no more than one who removes an avatar."""
        item = file.item
        if item is not None and item.ended.is_set():
            if item.error is None:
                file.item = None
            elif isinstance(item.error, Cancelled):
                file.item = None
                self._change(lambda memory: memory["removed"].append(file.sha256))

    def _forget(self) -> None:
        """What is remembered of files that have gone, once all that are there have been read."""
        if not all(file.settled for file in self._files.values()):
            return
        memory = self._read()
        content = {file.sha256 for file in self._files.values()}
        removed = [sha256 for sha256 in dict.fromkeys(memory["removed"]) if sha256 in content]
        files = {name: row for name, row in memory["files"].items() if name in self._files}
        if removed != memory["removed"] or files != memory["files"]:
            self._change(lambda memory: memory.update(removed=removed, files=files))

    def _known(self, name: str, stamp: tuple[int, int]) -> str:
        row = self._read()["files"].get(name, [])
        return str(row[2]) if list(row[:2]) == list(stamp) else ""

    def _read(self) -> dict[str, Any]:
        with self._lock:
            if self._memory is None:
                self._memory = {"removed": [], "files": {}}
                with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
                    found = json.loads((self._folder / MEMORY).read_text("utf-8"))
                    removed, files = list(found["removed"]), dict(found["files"])
                    self._memory = {"removed": removed, "files": files}
            return self._memory

    def _change(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Whole or not at all; where nothing can be written it is remembered until the end."""
        memory = self._read()
        with self._lock:
            change(memory)
            draft = self._folder / f"{MEMORY}.{os.getpid()}"
            try:
                draft.write_text(json.dumps(memory, ensure_ascii=False, indent=1), "utf-8")
                draft.replace(self._folder / MEMORY)
            except OSError as error:
                if not self._warned:
                    logger.warning("%s is not kept: %s", MEMORY, error.strerror)
                self._warned = True
                with contextlib.suppress(OSError):
                    draft.unlink()
