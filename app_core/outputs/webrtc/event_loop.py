"""The thread that all peers live in: aiortc is asyncio, the rest of the service is threads."""

from __future__ import annotations

import asyncio
import errno
import logging
import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from aiortc import InvalidStateError
from OpenSSL import SSL

from app_core.errors import Busy
from app_core.threads import Pulse

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

logger = logging.getLogger(__name__)

T = TypeVar("T")
WORKERS, NAMERS = 8, 4
"""Threads that do what peers ask, and those that look up names: neither may keep the loop waiting,
nor the one the other."""
BEAT_S, STUCK_S = 1.0, 10.0
"""Between two signs of life, and without one: whatever blocks the loop blocks all peers."""
_JOIN_S = 5.0


class PortRangeLoop(asyncio.SelectorEventLoop):
    """Datagram sockets for which any port will do are given one of a range."""

    def __init__(self, ports: range | None) -> None:
        super().__init__()
        self._ports = ports
        self._turn = 0

    async def create_datagram_endpoint(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], Any],
        local_addr: tuple[str, int] | None = None,
        remote_addr: tuple[str, int] | None = None,
        **more: Any,
    ) -> tuple[Any, Any]:
        """Raises OSError when all ports of the range are taken."""
        make = super().create_datagram_endpoint
        if not self._ports or local_addr is None or local_addr[1] or remote_addr is not None:
            return await make(protocol_factory, local_addr, remote_addr, **more)
        for _ in self._ports:
            port = self._ports[self._turn % len(self._ports)]
            self._turn += 1
            try:
                return await make(protocol_factory, (local_addr[0], port), **more)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
        raise OSError(errno.EADDRINUSE, f"the ports {self._ports[0]}-{self._ports[-1]} are taken")


class WebRtcLoop:
    """Thread-safe. Its thread begins with the first peer and ends with ``close``."""

    def __init__(self, ports: range | None = None) -> None:
        """``ports``: UDP ports for peers; None: whichever are free."""
        self._ports = ports
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._namers: ThreadPoolExecutor | None = None
        self.workers = ThreadPoolExecutor(WORKERS, "webrtc-work")
        """For what peers ask."""
        self.pulse = Pulse("webrtc", STUCK_S)
        self._closed = False

    @property
    def asyncio_loop(self) -> asyncio.AbstractEventLoop:
        """Begun if it was not. Raises Busy when the machine has no thread left, or it is closed."""
        with self._lock:
            if self._closed:
                raise Busy("The server is stopping")
            if self._loop is None:
                loop = PortRangeLoop(self._ports)
                loop.set_exception_handler(_note)
                self._namers = ThreadPoolExecutor(NAMERS, "webrtc-names")
                loop.set_default_executor(self._namers)
                thread = threading.Thread(
                    target=self._run, args=(loop,), name="webrtc", daemon=True
                )
                loop.call_soon(self._beat, loop)
                self.pulse.start(thread)
                self._loop, self._thread = loop, thread
            return self._loop

    def run(self, work: Coroutine[Any, Any, T], timeout_s: float) -> T:
        """What ``work`` returns or raises. It is cancelled after ``timeout_s``: Busy."""
        try:
            loop = self.asyncio_loop
        except BaseException:
            work.close()
            raise
        try:
            future = asyncio.run_coroutine_threadsafe(work, loop)
        except RuntimeError as error:  # it was closed meanwhile
            work.close()
            raise Busy("The server is stopping") from error
        try:
            return future.result(timeout_s)
        except CancelledError as error:
            raise Busy("The server is stopping") from error
        except FutureTimeoutError as error:
            if not future.cancel():  # it was done just now
                return future.result()
            raise Busy("The server did not get to this connection in time") from error

    def close(self) -> None:
        """Ends the thread and all that still runs in it. Safe to call again."""
        with self._lock:
            self._closed = True
            self.pulse.end()
            loop, thread = self._loop, self._thread
            namers, self._loop, self._thread = self._namers, None, None
        self.workers.shutdown(wait=False, cancel_futures=True)
        if loop is None or thread is None or namers is None:
            return
        with suppress(RuntimeError):  # it ended by itself
            loop.call_soon_threadsafe(loop.stop)
        thread.join(_JOIN_S)
        namers.shutdown(wait=False, cancel_futures=True)
        if thread.is_alive():
            logger.error("the thread of the peers does not end")

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        self.pulse.beat()
        loop.call_later(BEAT_S, self._beat, loop)

    @staticmethod
    def _run(loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            loop.run_until_complete(asyncio.sleep(0))  # sockets that were closed are let go
        except Exception:
            logger.exception("the loop of the peers failed")
        finally:
            loop.close()


def _note(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What nobody waited for: aiortc connects and sends on though the peer was closed meanwhile."""
    error = context.get("exception")
    if isinstance(error, ConnectionError | InvalidStateError | SSL.Error):
        logger.debug("a peer had gone: %s", error)
    else:
        kind = type(error).__name__ if error is not None else "no exception"
        logger.error("the loop of the peers: %s (%s)", context["message"], kind, exc_info=error)
