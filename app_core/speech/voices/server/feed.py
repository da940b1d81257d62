"""Bytes that arrive in blocks of any size, read in the sizes that a format has."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Feed:
    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._waiting = bytearray()

    def peek(self, size: int) -> bytes:
        """The next bytes, which stay: fewer than ``size`` only at the end."""
        while len(self._waiting) < size and (block := next(self._blocks, b"")):
            self._waiting += block
        return bytes(self._waiting[:size])

    def take(self, size: int) -> bytes:
        """Fewer than ``size`` only at the end."""
        found = self.peek(size)
        del self._waiting[: len(found)]
        return found

    def skip(self, size: int) -> None:
        while size > 0 and (found := self.take(min(size, 1 << 16))):
            size -= len(found)

    def units(self, unit: int, most: int | None = None) -> Iterator[bytes]:
        """What arrives, each a whole number of ``unit`` bytes, ``most`` in all; at the end of the
        stream a part of a unit is left out."""
        left = most
        while left is None or left >= unit:
            if not self.peek(unit)[unit - 1 :]:
                return
            ready = len(self._waiting) if left is None else min(len(self._waiting), left)
            found = self.take(ready - ready % unit)
            if left is not None:
                left -= len(found)
            yield found

    def rest(self) -> Iterator[bytes]:
        """All that still comes."""
        return self.units(1)
