"""One file without a name for the sounds of all jobs that have ended: one descriptor, and room
that is used again."""

from __future__ import annotations

import os
import threading
from typing import IO, TYPE_CHECKING, NamedTuple

from app_core.storage.nameless_file import nameless_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class Extent(NamedTuple):
    """A part of the file, bytes."""

    start: int
    size: int

    @property
    def end(self) -> int:
        return self.start + self.size


class Spool:
    """Thread-safe. The file is there from the first ``put`` on."""

    def __init__(self, folder: Path | None) -> None:
        """``folder`` None is the system's for temporary files."""
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._end = 0
        self._free: list[Extent] = []
        """In order, none beside another, none at the end."""
        self._lock = threading.Lock()

    def put(self, blocks: Iterable[bytes], size: int) -> Extent:
        """Writes ``blocks``, ``size`` bytes in all. Raises OSError, and then nothing is taken."""
        with self._lock:
            if self._file is None:
                self._file = nameless_file(self._folder)
            file, extent = self._file, self._take(size)
        try:
            at = extent.start
            for block in blocks:
                left = memoryview(block)
                while left:
                    written = os.pwrite(file.fileno(), left, at)
                    left, at = left[written:], at + written
        except BaseException:
            self.free(extent)
            raise
        return extent

    def read(self, extent: Extent, start: int, size: int) -> bytes:
        """Up to ``size`` bytes of ``extent`` from its byte ``start`` on; b"" after ``close``."""
        size = min(size, extent.size - start)
        with self._lock:
            if size <= 0 or self._file is None:
                return b""
            return os.pread(self._file.fileno(), size, extent.start + start)

    def free(self, extent: Extent) -> None:
        """Its room is used again."""
        with self._lock:
            self._give(extent)

    def close(self) -> None:
        """Everything is gone."""
        with self._lock:
            file, self._file = self._file, None
            self._end, self._free = 0, []
        if file is not None:
            file.close()

    def _take(self, size: int) -> Extent:
        """The first free part that is large enough, or the end."""
        for place, free in enumerate(self._free):
            if free.size >= size:
                rest = Extent(free.start + size, free.size - size)
                self._free[place : place + 1] = [rest] if rest.size else []
                return Extent(free.start, size)
        self._end += size
        return Extent(self._end - size, size)

    def _give(self, extent: Extent) -> None:
        """Together with the free parts beside it; the file ends where nothing follows."""
        if self._file is None:
            return
        joined: list[Extent] = []
        for free in sorted([*self._free, extent]):
            if joined and joined[-1].end == free.start:
                joined[-1] = Extent(joined[-1].start, joined[-1].size + free.size)
            else:
                joined.append(free)
        if joined and joined[-1].end == self._end:
            self._end = joined.pop().start
            os.truncate(self._file.fileno(), self._end)
        self._free = joined
