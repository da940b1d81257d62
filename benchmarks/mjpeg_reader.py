"""A cheap reader of MJPEG streams: notes when each frame is there, and skips its bytes."""

from __future__ import annotations

import json
import re
import socket
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"Content-Length: (\d+)")
_FRAME = re.compile(rb"X-Frame: (\d+)")
_BLOCK = 1 << 18


class MjpegReader:
    """One request. HTTP 1.0, so that the body comes unchunked."""

    def __init__(self, address: tuple[str, int], fields: Mapping[str, Any]) -> None:
        self.began = time.monotonic()
        self.status = 0
        self.arrivals: dict[int, float] = {}
        """When the last byte of each frame was here, on the monotonic clock."""
        self.good = True
        """The status is 200 and every part is a picture."""
        self.ended = False
        self.received = 0
        """Bytes so far."""
        self._head = bytearray()
        self._block = memoryview(bytearray(_BLOCK))
        self._skip = 0
        self._frame: int | None = None
        body = json.dumps(fields).encode()
        head = "POST /api/stream_mjpeg HTTP/1.0\r\nContent-Type: application/json\r\n"
        self.socket = socket.create_connection(address, timeout=30.0)
        self.socket.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    @property
    def first_frame_s(self) -> float | None:
        """From before the connection to the whole picture of frame 0."""
        return self.arrivals[0] - self.began if 0 in self.arrivals else None

    def receive(self, most: int = _BLOCK) -> None:
        """Read once what is there, at most so many bytes."""
        count = self.socket.recv_into(self._block, min(most, _BLOCK))
        if count == 0:
            self.ended = True
            return
        self.received += count
        now, at = time.monotonic(), 0
        while at < count:
            if self._skip:
                step = min(self._skip, count - at)
                self._skip -= step
                at += step
                if self._skip == 0 and self._frame is not None:
                    self.arrivals[self._frame] = now
                    self._frame = None
            else:
                at = self._read_head(at, count)

    def close(self) -> None:
        self.socket.close()

    def _read_head(self, at: int, count: int) -> int:
        """Take bytes up to the end of a head. Where to go on."""
        before = len(self._head)
        self._head += self._block[at : min(at + 1024, count)]
        end = self._head.find(_HEAD_END, max(0, before - 3))
        if end < 0:
            return min(at + 1024, count)
        used = end + len(_HEAD_END)
        head = bytes(self._head[:used])
        self._head.clear()
        self._take(head)
        return at + used - before

    def _take(self, head: bytes) -> None:
        length, frame = _LENGTH.search(head), _FRAME.search(head)
        if self.status == 0:
            self.status = int(head.split(maxsplit=2)[1])
            if self.status == 200:
                return
        self._skip = int(length[1]) if length else 0
        self._frame = int(frame[1]) if frame else None
        self.good = self.good and self.status == 200 and frame is not None
