"""The body of a stream: how it reaches a client that is slow, stalls or leaves."""

from __future__ import annotations

import errno
import logging
import select
from typing import TYPE_CHECKING

from app_core.routes.http.context import client_socket, config
from app_core.routes.http.send_queue import LOSSLESS, bound_unsent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

logger = logging.getLogger(__name__)

_PIECE = 64 << 10
"""Bytes that are handed over at once, so that a wait lies here and not inside a write."""


class ClientGone(ConnectionResetError):
    """The client cannot be told anything. The server ends the connection and says nothing."""

    def __init__(self, why: str) -> None:
        super().__init__(errno.ECONNRESET, why)


class Body:
    """A stream that the server closes when the client leaves, also before its first part.

    A client that takes nothing for SEND_TIMEOUT_S is gone, and the kernel holds little for one
    that is slow: what is ``live`` sees to that itself, of what loses nothing LOSSLESS bytes stay
    unsent at most. An error inside the body is not answered: the server then cuts the connection,
    so that no client takes a part for the whole. ``close`` ends what makes the ``chunks``.
    """

    def __init__(
        self,
        chunks: Iterator[bytes],
        close: Callable[[], object],
        job_id: str,
        *,
        live: bool = False,
    ) -> None:
        self._chunks, self._close, self._job_id = chunks, close, job_id
        self._connection, self._silence_s = client_socket(), config().send_timeout_s
        self._before_s: float | None = None
        self._bounded = not live
        if self._connection is not None:
            self._before_s = self._connection.gettimeout()
            self._connection.settimeout(self._silence_s)
            if self._bounded:
                bound_unsent(self._connection, LOSSLESS)
        self._pieces = self._sent()

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def _sent(self) -> Iterator[bytes]:
        try:
            for chunk in self._chunks:
                for at in range(0, len(chunk), _PIECE):
                    self._wait_for_room()
                    yield chunk[at : at + _PIECE]
        except ClientGone as error:
            logger.info("the stream is cut: %s", error.strerror, extra={"job": self._job_id})
            raise

    def _wait_for_room(self) -> None:
        if self._connection is None:
            return
        poll = select.poll()
        try:
            poll.register(self._connection, select.POLLOUT)
            ready = poll.poll(self._silence_s * 1000)
        except (OSError, ValueError):
            raise ClientGone("the connection is closed") from None
        if not ready:
            raise ClientGone(f"the client has taken nothing for {self._silence_s:g} s")

    def close(self) -> None:
        self._close()
        connection = self._connection
        if connection is not None and connection.fileno() >= 0:
            if self._bounded:
                bound_unsent(connection, 0)
            connection.settimeout(self._before_s)
