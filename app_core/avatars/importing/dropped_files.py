"""Photos and clips that somebody put into AVATAR_DIR: each becomes an avatar, once for its content.

The file stays where it is, and its avatar stays when the file goes. An avatar that is removed does
not come back while the same content lies there. Of several servers that have the folder, one
imports each file.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app_core.avatars.importing.content import content_of, stamp_of
from app_core.errors import Busy, Cancelled
from app_core.storage.claims import Claim

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app_core.avatars.collection import Avatars
    from app_core.avatars.importing.import_queue import Import

logger = logging.getLogger(__name__)

STABLE_S = 2.0
"""A file that has not changed for so long has been copied."""
AT_ONCE = 32
"""Files that run or wait as imports; others follow at the next look."""
FAILED = 16
"""Failed ones that no other server tries. Each claim is an open file."""
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
    claim: Claim = field(default_factory=Claim)
    """Of its content, while it is imported, and as long as it is here after that has failed: no
    other server need try."""

    @property
    def running(self) -> bool:
        return self.item is not None and not self.item.ended.is_set()

    @property
    def failed(self) -> bool:
        return self.item is not None and self.item.error is not None


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
        self._memory: dict[str, Any] = {"removed": [], "files": {}}
        self._room = AT_ONCE
        self._stamp: object = None
        """Of the file that it was read from."""
        self._lock = threading.Lock()
        self._warned = False

    def scan(self) -> None:
        """Begins what is there, whole and new. What ``stopped`` raises ends it."""
        present = self._present()
        self._room = AT_ONCE - sum(file.running for file in self._files.values())
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
        failed = [file for file in self._files.values() if file.failed and file.claim.held]
        for file in failed[:-FAILED]:
            file.claim.release()
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
        row = [*file.stamp, file.sha256]
        if self._read()["files"].get(name) != row:
            self._change(lambda memory: memory["files"].update({name: row}))
        if self._is_same(name, file):
            file.settled = True
            return
        if self._room <= 0:
            return
        try:
            file.claim = self._avatars.claims.take(f"dropped.{file.sha256}")
        except BlockingIOError:
            return  # another server imports it, or could not: its avatar comes, or it ends
        try:
            if file.sha256 not in self._read()["removed"] and not self._is_there(name, file):
                file.item = self._avatars.add_dropped(path)
                self._room -= 1
                logger.info("%s becomes the avatar %s", name, file.item.id)
            file.settled = True
        except Busy:
            pass  # else at the next scan
        finally:
            if file.item is None:
                file.claim.release()

    def _is_there(self, name: str, file: _File) -> bool:
        """Whether an avatar has this content already; says so."""
        made = self._avatars.made_of(file.sha256)
        if made is not None:
            avatar_id, dropped = made
            if dropped != name:
                logger.info("%s is already the avatar %s", name, avatar_id)
        return made is not None

    def _is_same(self, name: str, file: _File) -> bool:
        """Whether another file that is here becomes, or could not be, what this one would; says
        so."""
        for other, its in self._files.items():
            if its is not file and its.item is not None and its.sha256 == file.sha256:
                logger.info("%s is the same as %s", name, other)
                return True
        return False

    def _went(self, file: _File) -> None:
        """The file is gone, or is another one now."""
        if file.item is not None:
            self._avatars.withdraw(file.item)
        file.claim.release()

    def _after(self, file: _File) -> None:
        """A person who cancels an import wants it no more than one who removes an avatar."""
        item = file.item
        if item is not None and item.ended.is_set():
            if isinstance(item.error, Cancelled):
                self._change(lambda memory: memory["removed"].append(file.sha256))
            if item.error is None or isinstance(item.error, Cancelled):
                file.item = None
                file.claim.release()

    def _forget(self) -> None:
        """What is remembered of files that have gone, once all that are there have been read."""
        if not all(file.settled for file in self._files.values()):
            return
        memory = self._read()
        if memory != self._lasting(memory):
            self._change(lambda memory: memory.update(self._lasting(memory)))

    def _lasting(self, memory: dict[str, Any]) -> dict[str, Any]:
        """What is said of the files that are here, among them those that another server alone has
        seen yet."""
        ours, rows = self._files, memory["files"]
        files = {n: row for n, row in rows.items() if n in ours or (self._folder / n).is_file()}
        content = [file.sha256 for file in ours.values()]
        content += [row[-1] for name, row in files.items() if name not in ours]
        removed = [sha256 for sha256 in dict.fromkeys(memory["removed"]) if sha256 in content]
        return {"removed": removed, "files": files}

    def _known(self, name: str, stamp: tuple[int, int]) -> str:
        row = self._read()["files"].get(name, [])
        return str(row[2]) if list(row[:2]) == list(stamp) else ""

    def _read(self) -> dict[str, Any]:
        """As the server left it that wrote last."""
        with self._lock:
            self._read_again()
            return self._memory

    def _read_again(self) -> None:
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError, LookupError):
            facts = (self._folder / MEMORY).stat()
            stamp = facts.st_mtime_ns, facts.st_size, facts.st_ino
            if stamp != self._stamp:
                self._stamp = stamp
                found = json.loads((self._folder / MEMORY).read_text("utf-8"))
                files = {str(name): [*row] for name, row in found["files"].items() if row}
                self._memory = {"removed": list(found["removed"]), "files": files}

    def _change(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Whole or not at all, and after what other servers have written; where nothing can be
        written it is remembered until the end."""
        draft = self._folder / f"{MEMORY}.{os.getpid()}"
        with self._lock, contextlib.ExitStack() as alone:
            with contextlib.suppress(BlockingIOError):
                alone.enter_context(self._avatars.claims.alone("dropped.memory"))
            self._read_again()
            change(self._memory)
            try:
                text = json.dumps(self._memory, ensure_ascii=False, indent=1)
                draft.write_text(text, "utf-8")
                draft.replace(self._folder / MEMORY)
            except OSError as error:
                if not self._warned:
                    logger.warning("%s is not kept: %s", MEMORY, error.strerror)
                self._warned = True
                with contextlib.suppress(OSError):
                    draft.unlink()
