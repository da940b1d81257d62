"""gunicorn's answer, whose finished bodies do not hold a thread until the client takes them."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

from gunicorn.http.wsgi import FileWrapper, Response

from app_core.server.outgoing import Outgoing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LARGEST_WHOLE = 16 << 20
"""Bytes of a body of known length that is collected before it is sent."""
_BLOCK = 1 << 16
"""Bytes that a client has to take within ``send_s``."""


class ConnectionGone(Exception):
    """Nothing more can be sent."""


class HttpAnswer(Response):  # type: ignore[misc]
    """Streams are sent by their thread, piece by piece, each within ``send_s``."""

    def __init__(
        self,
        request: Any,
        connection: socket.socket,
        cfg: Any,
        whole: Callable[[], bool],
        send_s: float,
    ) -> None:
        super().__init__(request, connection, cfg)
        self._whole = whole
        """Whether the request's body has come: nothing can follow one that has not."""
        self._send_s = send_s

    def head(self) -> bytes:
        if not self._whole():
            self.force_close()
        self.headers_sent = True
        lines = [*self.default_headers(), *(f"{name}: {value}\r\n" for name, value in self.headers)]
        return "".join([*lines, "\r\n"]).encode("latin-1")

    def send_headers(self) -> None:
        if not self.headers_sent:
            self._send(self.head())

    def finished(
        self, body: Iterable[bytes], close: Callable[[], None], room: Callable[[int], bool]
    ) -> Outgoing | None:
        """The rest of an answer whose body is finished; None when it has to be streamed.

        ``close`` is the body's; who gets an Outgoing that still has it need not call it.
        ``room(bytes)`` says whether an answer of that size may lie in memory.
        """
        if self.headers_sent or self.status is None:
            return None
        if self._omits_body:
            return self._first(self.head())
        length = self.response_length
        if length is None:
            return None
        if isinstance(body, FileWrapper):
            file = body.filelike
            fits = room(length) if hasattr(file, "getbuffer") else _has_descriptor(file)
            return Outgoing(self.head(), file, length, close) if fits else None
        if length > LARGEST_WHOLE or not room(length):
            return None
        collected = self._collected(body, length)
        return self._first(self.head() + collected)

    def _collected(self, body: Iterable[bytes], length: int) -> bytes:
        parts, size = [], 0
        for part in body:
            parts.append(part[: length - size])
            size += len(parts[-1])
        if size < length:
            self.force_close()
        return b"".join(parts)

    def _first(self, data: bytes) -> Outgoing:
        """What the client takes at once is sent here; nearly always that is all."""
        try:
            count = self.sock.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            count = 0
        except OSError as error:
            raise ConnectionGone from error
        return Outgoing(memoryview(data)[count:])

    def _emit_body(self, data: bytes) -> None:
        self._send(b"%X\r\n%b\r\n" % (len(data), data) if self.chunked else data)

    def close(self) -> None:
        self.send_headers()
        if self.chunked:
            self._send(b"0\r\n\r\n")

    def _send(self, data: bytes) -> None:
        """Raises ConnectionGone when they are not taken in time."""
        try:
            count = self.sock.send(data)
            until = time.monotonic() + self._send_s * max(1.0, len(data) / _BLOCK)
            while count < len(data):
                if time.monotonic() > until:
                    raise ConnectionGone
                count += self.sock.send(memoryview(data)[count:])
        except (OSError, ValueError) as error:
            raise ConnectionGone from error


def _has_descriptor(file: Any) -> bool:
    try:
        file.fileno()
    except (AttributeError, OSError):
        return False
    return True
