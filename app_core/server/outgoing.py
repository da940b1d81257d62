"""What is left of an answer, sent without waiting."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

_BLOCK = 1 << 18
"""Bytes of one client before it is the next one's turn."""


class Outgoing:
    """``data``, then ``count`` bytes of ``file``, whose place is where they begin: one on the disk
    or an ``io.BytesIO``.

    ``ended`` is called once, when everything is sent or the client is gone.
    """

    def __init__(
        self,
        data: bytes | memoryview,
        file: Any = None,
        count: int = 0,
        ended: Callable[[], None] | None = None,
    ) -> None:
        self._data = memoryview(data)
        self._file, self._left = file, count
        self._offset = file.tell() if file is not None else 0
        self._ended = ended
        self.size = len(data) + count
        self._in_memory = hasattr(file, "getbuffer")
        self.memory = len(data) + (count if self._in_memory else 0)
        """Bytes that lie in memory until they are taken."""

    @property
    def ending(self) -> bool:
        """``ended`` is still to be called."""
        return self._ended is not None

    @property
    def done(self) -> bool:
        return not self._data and not self._left

    def send(self, connection: socket.socket) -> int:
        """Bytes that the client took now. Raises BlockingIOError or another OSError."""
        if self._data:
            count = connection.send(self._data[:_BLOCK])
            self._data = self._data[count:]
            return count
        most, at = min(_BLOCK, self._left), self._offset
        if self._in_memory:
            count = connection.send(self._file.getbuffer()[at : at + most])
        else:
            count = os.sendfile(connection.fileno(), self._file.fileno(), at, most)
        if not count:
            raise OSError("the file is shorter than it was")
        self._offset += count
        self._left -= count
        return count

    def take_end(self) -> Callable[[], None] | None:
        """What is to be called; not again."""
        ended, self._ended = self._ended, None
        self._file, self._data, self._left = None, memoryview(b""), 0
        return ended
