"""What is said when: it grows while a job speaks, and leaves the memory when that has ended."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import fields
from typing import TYPE_CHECKING, Generic, TypeVar, overload

from app_core.types import Sentence, VoiceFallback, Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, Self

    from app_core.storage.spool import Extent, Spool

logger = logging.getLogger(__name__)

Mark = Sentence | Word | VoiceFallback
M = TypeVar("M", bound=Mark)

MARK_BYTES = 400
"""What one takes in memory, about."""
_KINDS: tuple[type[Mark], ...] = (Sentence, Word, VoiceFallback)
_FIELDS = {kind: [field.name for field in fields(kind)] for kind in _KINDS}


class Marks(Generic[M]):
    """A list that only grows. Thread-safe. What is ``put_away`` lies in a spool and is read from
    there; what comes later stays here."""

    def __init__(self, marks: Iterable[M] = ()) -> None:
        self._here = list(marks)
        self._spool: Spool | None = None
        self._away: Extent | None = None
        self._count = 0
        """Of those that are away."""
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._count + len(self._here)

    def __iter__(self) -> Iterator[M]:
        return iter(self[:])

    @overload
    def __getitem__(self, index: int) -> M: ...
    @overload
    def __getitem__(self, index: slice) -> list[M]: ...
    def __getitem__(self, index: int | slice) -> M | list[M]:
        with self._lock:
            return [*self._read(), *self._here][index] if self._count else self._here[index]

    def __iadd__(self, marks: Iterable[M]) -> Self:
        with self._lock:
            self._here += marks
        return self

    def append(self, mark: M) -> None:
        with self._lock:
            self._here.append(mark)

    @property
    def in_memory(self) -> int:
        """Bytes, about."""
        return MARK_BYTES * len(self._here)

    @property
    def nbytes(self) -> int:
        """In memory or on the disk."""
        return self.in_memory + (self._away.size if self._away is not None else 0)

    def put_away(self, spool: Spool) -> None:
        """Once. Where the spool's folder cannot be written, or is full, they stay here."""
        with self._lock:
            if self._away is not None or not self._here:
                return
            data = json.dumps([_written(mark) for mark in self._here], ensure_ascii=False).encode()
            try:
                self._away = spool.put([data], len(data))
            except OSError as error:
                logger.warning("marks of a job stay in memory: %s", error)
                return
            self._spool, self._count, self._here = spool, len(self._here), []

    def release(self) -> None:
        """There are none any more."""
        with self._lock:
            if self._spool is not None and self._away is not None:
                self._spool.free(self._away)
            self._away, self._count, self._here = None, 0, []

    def _read(self) -> list[M]:
        if self._spool is None or self._away is None:
            return []
        data = self._spool.read(self._away, 0, self._away.size)
        return [_made(written) for written in json.loads(data)] if data else []


def _written(mark: Mark) -> list[Any]:
    kind = type(mark)
    return [_KINDS.index(kind), *(getattr(mark, name) for name in _FIELDS[kind])]


def _made(written: list[Any]) -> Any:
    number, *values = written
    return _KINDS[number](*values)
