"""One request to a replica, and its answer, over a connection of its own."""

from __future__ import annotations

import contextlib
import re
import select
import socket
import string
from typing import TYPE_CHECKING
from urllib.parse import quote

import h11

from app_core.cluster.places import lost, none_there
from app_core.cluster.ticket import OWN, stamps
from app_core.errors import BadInput

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from app_core.cluster.places import Door

CONNECT_S = 2.0
TAKE_S = 30.0
"""For a replica to take a piece of a body."""
BLOCK = 1 << 16
LARGEST_HEAD = 1 << 17
"""Bytes. The front door has bounded the client's already."""
LIVE_WINDOW = 64 << 10
"""Bytes that the kernel takes of a live stream before they are read: what waits there is late."""
_HOP = {
    *("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding"),
    *("upgrade", "expect", "content-length"),
}
"""Of one connection alone (RFC 9110, section 7.6.1), or written anew."""


_HOST, _ONCE = ("Host", "replica"), ("Connection", "close")
_BREAK = re.compile("[\r\n\0]")
_PRINTABLE = string.ascii_letters + string.digits + string.punctuation
_ALIVE = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 15_000}
"""Seconds, seconds, count and ms: a machine that is gone without a word is noticed, also while it
has not acknowledged what was sent, when Linux sends no other signs of life."""


class Unreached(ConnectionError):
    """Nobody is at the door: nothing of the request has been read."""


class Upstream:
    """One thread uses it. ``begin``, ``send`` for each piece of the body, ``sent``, which a body of
    known size does not need; ``head`` until it is there, and ``read`` until the end."""

    def __init__(self, door: Door, *, live: bool = False) -> None:
        """Raises Unreached, or Busy when this process can open no more."""
        try:
            self.sock = socket.socket(socket.AF_INET6 if ":" in door.host else socket.AF_INET)
        except OSError as error:
            raise none_there() from error
        try:
            if live:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LIVE_WINDOW)
            self.sock.settimeout(CONNECT_S)
            self.sock.connect((door.host, door.port))
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name, value in _ALIVE.items():
                if option := getattr(socket, name, None):
                    self.sock.setsockopt(socket.IPPROTO_TCP, option, value)
            self.sock.settimeout(TAKE_S)
        except OSError as error:
            self.sock.close()
            raise Unreached from error
        self._protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=LARGEST_HEAD)
        self._chunked = False
        self._answer: h11.Response | h11.InformationalResponse | None = None
        self.invited = False
        """The replica wants the body."""

    def begin(
        self, environ: WSGIEnvironment, secret: str, size: int | None, *, waits: bool = False
    ) -> None:
        """The head. ``size``: of the body, bytes; None: nobody knows. ``waits``: the body is sent
        once it is ``invited``. Raises ReplicaLost, or BadInput for what no head can hold."""
        headers = [*_headers(environ), *stamps(environ, secret)]
        self._chunked = size is None
        if size is None:
            headers.append(("Transfer-Encoding", "chunked"))
        elif size or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            headers.append(("Content-Length", str(size)))
        if waits:
            headers.append(("Expect", "100-continue"))
        upgrade = is_upgrade(environ)
        way = [("Connection", "Upgrade"), ("Upgrade", "websocket")] if upgrade else [_ONCE]
        self._write(_head(environ, [_HOST, *headers, *way]))
        self._await(environ["REQUEST_METHOD"], [_HOST, *way])

    def send(self, piece: bytes) -> None:
        """Of the body. Raises ReplicaLost."""
        if piece:
            self._write(b"%x\r\n%b\r\n" % (len(piece), piece) if self._chunked else piece)

    def sent(self) -> None:
        """That was all of the body."""
        if self._chunked:
            self._write(b"0\r\n\r\n")

    def answered(self) -> bool:
        """Something of the answer is here, though the body may go on."""
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return bool(poll.poll(0))

    def head(self) -> h11.Response | h11.InformationalResponse | None:
        """As soon as it is whole; None until then. 101 is the only informational one. Raises
        ReplicaLost."""
        while self._answer is None:
            event = self._next()
            if event is h11.NEED_DATA:
                return None
            if isinstance(event, h11.ConnectionClosed):
                raise lost()
            if isinstance(event, h11.Response):
                self._answer = event
            elif isinstance(event, h11.InformationalResponse):
                self.invited = self.invited or event.status_code == 100
                self._answer = event if event.status_code == 101 else None
        return self._answer

    def read(self) -> bytes | None:
        """The next bytes of the body; empty: none are here now; None: that was all. Raises
        ReplicaLost where it is cut."""
        event = self._next()
        if isinstance(event, h11.Data):
            return bytes(event.data)
        if isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            return None
        return b""

    def beyond(self) -> bytes:
        """Behind the head of an upgrade: bytes that are the new protocol's."""
        return bytes(self._protocol.trailing_data[0])

    def receive(self) -> None:
        """What has come in; waits for nothing. Raises ReplicaLost."""
        try:
            data = self.sock.recv(BLOCK, socket.MSG_DONTWAIT)
            self._protocol.receive_data(data)
        except BlockingIOError:
            return
        except (OSError, h11.RemoteProtocolError) as error:
            raise lost() from error

    def finish(self) -> None:
        """The client has closed its own side."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)

    def cut(self) -> None:
        """As if the replica were lost. From any thread."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.close()

    def _next(self) -> object:
        try:
            return self._protocol.next_event()
        except h11.RemoteProtocolError as error:
            raise lost() from error

    def _await(self, method: str, headers: list[tuple[str, str]]) -> None:
        """What has to be known of a request to read its answer. The request itself is not h11's to
        write: a client's own oddities have to reach the view that judges them."""
        method = "HEAD" if method == "HEAD" else "GET"
        self._protocol.send(h11.Request(method=method, target="/", headers=headers))
        self._protocol.send(h11.EndOfMessage())

    def _write(self, data: bytes) -> None:
        try:
            self.sock.sendall(data)
        except OSError as error:
            if not self.answered():  # else it said why it wants no more
                raise lost() from error


def is_upgrade(environ: WSGIEnvironment) -> bool:
    return str(environ.get("HTTP_UPGRADE", "")).lower() == "websocket"


def passed_on(head: h11.Response | h11.InformationalResponse) -> list[tuple[str, str]]:
    """Fields of an answer that are not of the connection between a web tier and its replica."""
    raw = head.headers.raw_items()
    named = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw]
    own = {*_HOP, "server", "date"} - {"content-length"}
    return [(n, v) for n, v in named if n.lower() not in own and not n.lower().startswith(OWN)]


def _headers(environ: WSGIEnvironment) -> list[tuple[str, str]]:
    found = [
        (key[5:].replace("_", "-").lower(), str(value))
        for key, value in environ.items()
        if key.startswith("HTTP_") and key != "HTTP_HOST"
    ]
    if environ.get("CONTENT_TYPE"):
        found.append(("content-type", environ["CONTENT_TYPE"]))
    forwarded = ("x-forwarded-", OWN)
    return [(n, v) for n, v in found if n not in _HOP and not n.startswith(forwarded)]


def _head(environ: WSGIEnvironment, headers: list[tuple[str, str]]) -> bytes:
    lines = [f"{environ['REQUEST_METHOD']} {_target(environ)} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers]
    if any(_BREAK.search(line) for line in lines):
        raise BadInput("The request cannot be read")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _target(environ: WSGIEnvironment) -> str:
    """Of ASCII alone, and the same when it is decoded."""
    path = quote(environ.get("PATH_INFO", "/"), safe="/:@!$&'()*+,;=~-._", encoding="latin-1")
    query = quote(environ.get("QUERY_STRING", ""), safe=_PRINTABLE, encoding="latin-1")
    return f"{path}?{query}" if query else path
