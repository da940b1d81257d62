"""Where a body ends, found while it comes in. What it says is read later, by gunicorn's reader."""

from __future__ import annotations

from typing import Protocol

_LONGEST_LINE = 8192
"""Bytes of a chunk's size with its extensions, or of all trailers."""


class BodyEnd(Protocol):
    """``whole`` once every byte has come."""

    whole: bool

    def feed(self, data: bytes | bytearray) -> None: ...


class LengthEnd:
    """Of a body whose length is known."""

    def __init__(self, length: int) -> None:
        self.left = length
        self.whole = length == 0

    def feed(self, data: bytes | bytearray) -> None:
        self.left -= len(data)
        self.whole = self.left <= 0


class ChunkedEnd:
    """Of a body in chunks (RFC 9112, section 7.1). One that cannot be read ends where that shows:
    the reader then says what is wrong with it."""

    def __init__(self) -> None:
        self.whole = False
        self._skip = 0
        """Bytes of a chunk and its CRLF that are still to come."""
        self._line = bytearray()
        self._trailers = False

    def feed(self, data: bytes | bytearray) -> None:
        at = 0
        while at < len(data) and not self.whole:
            if self._skip:
                step = min(self._skip, len(data) - at)
                self._skip -= step
                at += step
                continue
            end = data.find(b"\n", at)
            stop = len(data) if end < 0 else end + 1
            self._line += data[at:stop]
            at = stop
            if end >= 0:
                self._take_line()
            elif len(self._line) > _LONGEST_LINE:
                self.whole = True

    def _take_line(self) -> None:
        line = bytes(self._line)
        self._line.clear()
        if not line.endswith(b"\r\n"):
            self.whole = True
        elif self._trailers:
            self.whole = line == b"\r\n"
        else:
            size = line[:-2].partition(b";")[0].rstrip(b" \t")
            if not size or size.strip(b"0123456789abcdefABCDEF"):
                self.whole = True
            elif int(size, 16):
                self._skip = int(size, 16) + 2
            else:
                self._trailers = True
