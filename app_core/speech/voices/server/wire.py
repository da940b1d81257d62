"""A connection to a server, every wait of which ends when nobody wants its answer any more."""

from __future__ import annotations

import io
import os
import select
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from app_core.channel import Channel
from app_core.errors import Cancelled
from app_core.threads import start_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.cancel_scope import Stale
    from app_core.speech.voices.server.address import Address

T = TypeVar("T")

_LOOK_S = 0.1
"""Between two looks at whether the answer is still wanted."""


class Deadline:
    """How long may be waited, all waits together. What the reader does between them is free."""

    def __init__(self, stale: Stale, seconds: float) -> None:
        self._stale = stale
        self._left_s = seconds
        self.waited_s = 0.0
        """Since it was made."""

    def renew(self, seconds: float) -> None:
        self._left_s = seconds

    def check(self) -> None:
        """Raises Cancelled when ``stale`` says so, TimeoutError when no patience is left."""
        if self._stale():
            raise Cancelled("Nobody waits for the speech any more")
        if self._left_s <= 0:
            raise TimeoutError

    def wait(self, ready: Callable[[float], T]) -> T:
        """``ready(seconds)`` until it gives what is true. Raises as ``check``."""
        while True:
            self.check()
            began_s = time.monotonic()
            found = ready(min(_LOOK_S, self._left_s))
            passed_s = time.monotonic() - began_s
            self._left_s -= passed_s
            self.waited_s += passed_s
            if found:
                return found

    def pause(self, seconds: float) -> None:
        """Raises as ``check``."""
        end_s = time.monotonic() + seconds

        def over(most: float) -> bool:
            time.sleep(max(min(most, end_s - time.monotonic()), 0.0))
            return time.monotonic() >= end_s

        self.wait(over)


class Wire:
    """One TCP connection, under TLS where there is a context. For one thread at a time."""

    def __init__(self, place: _Place, patience: Deadline) -> None:
        """Connects. Raises OSError, also TimeoutError, and Cancelled."""
        family, kind, protocol, _, where = place
        self.patience = patience
        self._socket = socket.socket(family, kind, protocol)
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self._socket.connect(where)
            except BlockingIOError:
                self._wait(select.POLLOUT)
                code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code:
                    raise OSError(code, os.strerror(code)) from None
        except BaseException:
            self._socket.close()
            raise

    def secure(self, context: ssl.SSLContext, host: str) -> None:
        """Raises OSError, ssl.SSLError among them, and Cancelled; the wire is closed then."""
        try:
            # A body without a length ends with the connection: only the peer's own goodbye says
            # that it is whole.
            wrapped = context.wrap_socket(
                self._socket,
                server_hostname=host,
                do_handshake_on_connect=False,
                suppress_ragged_eofs=False,
            )
            self._socket = wrapped
            self._patiently(wrapped.do_handshake, select.POLLIN)
        except BaseException:
            self._socket.close()
            raise

    def send(self, data: bytes) -> None:
        left = memoryview(data)

        def put() -> int:
            return self._socket.send(left)

        while left:
            left = left[self._patiently(put, select.POLLOUT) :]

    def receive(self, into: memoryview) -> int:
        """Bytes; 0 at the end of the connection."""
        self.patience.check()
        return self._patiently(lambda: self._socket.recv_into(into), select.POLLIN)

    def makefile(self, mode: str) -> io.BufferedReader:
        """As ``http.client`` asks a socket for it. Closing it leaves the wire open."""
        return io.BufferedReader(_Reader(self))

    def quiet(self) -> bool:
        """Open, with nothing to be read: it can carry another request."""
        try:
            self._socket.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            pass
        return False

    def close(self) -> None:
        """At once: the peer sees it. Safe to do again."""
        self._socket.close()

    def _patiently(self, act: Callable[[], T], event: int) -> T:
        while True:
            try:
                return act()
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
                wanted = event
                if isinstance(error, ssl.SSLWantReadError):
                    wanted = select.POLLIN
                elif isinstance(error, ssl.SSLWantWriteError):
                    wanted = select.POLLOUT
            self._wait(wanted)

    def _wait(self, event: int) -> None:
        poll = self._poll(event)
        self.patience.wait(lambda most: poll.poll(most * 1000))

    def _poll(self, event: int) -> select.poll:
        poll = select.poll()
        poll.register(self._socket, event)
        return poll


class _Reader(io.RawIOBase):
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._wire.receive(memoryview(buffer).cast("B"))


_Place = tuple[Any, Any, int, str, Any]
"""What ``getaddrinfo`` gives."""


def connect(
    address: Address, context: ssl.SSLContext | None, patience: Deadline, seconds: float
) -> Wire:
    """To the first place of the address that answers, within ``seconds`` in all.

    Raises OSError that says why none did, and Cancelled.
    """
    patience.renew(seconds)
    places = _places(address.host, address.port, patience)
    for number, place in enumerate(places):
        patience.renew(seconds / len(places))
        try:
            wire = Wire(place, patience)
            break
        except OSError:
            if number == len(places) - 1:
                raise
    if context is not None:
        patience.renew(seconds)
        wire.secure(context, address.host)
    return wire


def _places(host: str, port: int, patience: Deadline) -> list[_Place]:
    """Never empty. A name is looked up in a thread of its own, because that wait cannot be ended
    from here: such a thread lives as long as the system's resolver tries.
    """
    try:
        return _look_up(host, port, socket.AI_NUMERICHOST)
    except socket.gaierror:
        pass
    found: Channel[list[_Place]] = Channel(1)

    def work() -> None:
        try:
            found.put(_look_up(host, port, 0))
        except OSError as error:
            found.close(error)

    def got(seconds: float) -> list[_Place]:
        try:
            return found.get(seconds)
        except TimeoutError:
            return []

    start_thread(threading.Thread(target=work, name="server-name", daemon=True))
    return patience.wait(got)


def _look_up(host: str, port: int, flags: int) -> list[_Place]:
    return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags))
