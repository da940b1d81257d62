"""gunicorn's worker: its arbiter, settings, parser and WSGI; connections and threads are ours.

Why not its ``gthread``: that closes gracefully where it accepts, and reads heads and bodies and
sends downloads in the threads of the requests, so that idle clients hold up everybody.
"""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import queue
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from gunicorn.arbiter import Arbiter
from gunicorn.http import wsgi
from gunicorn.workers.base import Worker

from app_core.server import refusal
from app_core.server.answer import ConnectionGone, HttpAnswer
from app_core.server.front import Front
from app_core.server.limits import Limits, connections_below, raise_descriptors
from app_core.server.loop import Loop
from app_core.server.outgoing import Outgoing
from app_core.server.poller import Poller
from app_core.server.quiet_log import QuietLog

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.server.connection import Connection
    from app_core.server.refusal import Refusal

logger = logging.getLogger(__name__)

REPLACED, NOT_AGAIN = 70, 71
"""Exit statuses: of one that ended itself, and of a replacement that did not come up. The arbiter
starts another after both; when the first worker of all does not come up, the server ends."""
_ASKED = (0, 1)
"""Exit statuses of one whom a signal of the arbiter's ends."""
_FAREWELL_S = 2.0
"""For clients to hear the end of a worker that is to be replaced."""
_STOP_S = 0.5
"""Before the arbiter's patience ends, the worker goes by itself."""


class FrontWorker(Worker):  # type: ignore[misc]
    """``app.limits`` are its Limits; ``app.count(method, route, status)`` is told of answers that
    the application never sees; ``app.condemned()`` says why the process is to be replaced, empty
    while it is not."""

    def init_process(self) -> None:
        # Whose word about other hosts, schemes and paths is taken, the application knows. gunicorn
        # would take that of anybody on this machine.
        self.cfg.set("forwarded_allow_ips", "")
        self.cfg.set("forwarder_headers", "")
        limits: Limits = self.app.limits
        most = connections_below(raise_descriptors(), limits.connections)
        self._limits = replace(limits, connections=most)
        self._pool = ThreadPoolExecutor(limits.threads, thread_name_prefix="request")
        self._log = QuietLog(logger)
        self._endings: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._poller = Poller()
        self._front = Front(
            self._poller, self._limits, self._give, self._refused, self._endings.put
        )
        try:
            super().init_process()
        except BaseException as error:
            if isinstance(error, SystemExit) and error.code in _ASKED:
                raise
            if self.booted:
                logger.critical("the worker failed", exc_info=True)
                self._end()
            logger.exception("a worker does not come up")
            sys.exit(Arbiter.WORKER_BOOT_ERROR if self.age == 1 else NOT_AGAIN)

    def run(self) -> None:
        """Until the arbiter or a signal ends it."""
        faulthandler.enable()  # also for the signal by which the arbiter ends a loop that is stuck
        endings = threading.Thread(target=self._end_answers, name="endings", daemon=True)
        endings.start()
        self._poller.watch(self.PIPE[0])
        loop = Loop(self._poller, self._front, self.sockets, self.cfg, self._limits)
        self.notify()
        while self.alive and not self.app.condemned():
            if loop.turn():
                self.notify()
                if self.ppid != os.getppid():
                    logger.error("the arbiter has gone, and so does its worker")
                    signal.raise_signal(signal.SIGTERM)
        if self.alive:
            self._say_farewell(loop)
        loop.stop()
        until = time.monotonic() + self.cfg.graceful_timeout - _STOP_S
        while loop.answering and time.monotonic() < until:
            loop.turn()
            self.notify()
        loop.close()
        self._endings.put(None)
        endings.join(_STOP_S)
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self.ppid != os.getppid():  # nobody ends what does not end by itself
            self._end()

    def _say_farewell(self, loop: Loop) -> None:
        """Ends the process."""
        until = time.monotonic() + _FAREWELL_S
        while loop.answering and time.monotonic() < until:
            loop.turn()
            self.notify()
        logger.critical("the worker ends, to be replaced: %s", self.app.condemned())
        self._end()

    def _end(self) -> None:
        """At once: threads that do not move keep a process from ending as it should."""
        faulthandler.dump_traceback(all_threads=True)
        logging.shutdown()
        os._exit(REPLACED)

    def handle_quit(self, sig: int, frame: Any) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        super().handle_quit(sig, frame)

    def _end_answers(self) -> None:
        """Closing a file or writing a line of log must not hold up the loop."""
        while (ended := self._endings.get()) is not None:
            try:
                ended()
            except Exception:
                logger.exception("an answer's end failed")

    def _refused(self, connection: Connection, refused: Refusal) -> None:
        request = connection.incoming.request
        method = request.method if request is not None else ""
        self.app.count(method, "none", refused.status)
        self._log.say(refused.status, f"a request is refused: {refused.status} {refused}")

    def _give(self, connection: Connection) -> None:
        try:
            self._pool.submit(self._serve, connection)
        except RuntimeError as error:  # it waits for one of the threads that there are
            self._log.say("threads", f"no more threads: {error}")

    def _serve(self, connection: Connection) -> None:
        """In a thread of the pool."""
        rest, keep = None, False
        try:
            rest, keep = self._answer(connection)
        except ConnectionGone:
            logger.debug("a client is gone")
        except ConnectionError:
            logger.debug("an answer is cut")
            rest = Outgoing(b"")
        except StopIteration:  # a WebSocket that has ended: what it said last is still on its way
            rest = Outgoing(b"")
        except BaseException:
            logger.exception("a request failed")
        finally:
            with contextlib.suppress(OSError):  # the loop has ended
                self._poller.call(partial(self._front.returned, connection, rest, keep))

    def _answer(self, connection: Connection) -> tuple[Outgoing, bool]:
        """What is left to send, and whether another request may follow. Raises ConnectionGone,
        ConnectionError when the application cuts its answer, or what the application raises."""
        request, source = connection.incoming.request, connection.incoming.source
        cut = connection.incoming.cut
        make = partial(
            HttpAnswer, whole=lambda: source.whole and not cut, send_s=self._limits.send_s
        )
        try:
            answer, environ = wsgi.create(
                request,
                connection.sock,
                connection.client,
                connection.server,
                self.cfg,
                response_class=make,
            )
            environ["wsgi.multithread"] = True
            if not self.alive:
                answer.force_close()
            body = self.wsgi(environ, answer.start_response)
        except StopIteration:
            raise
        except Exception:
            logger.exception("the application failed")
            return Outgoing(refusal.failed().encoded(request.method)), False
        close = getattr(body, "close", lambda: None)
        rest = None
        try:
            rest = answer.finished(body, close, self._front.room)
            if rest is None:
                for part in body:
                    answer.write(part)
                answer.close()
                rest = Outgoing(b"")
        finally:
            if rest is None or not rest.ending:
                close()
        return rest, not answer.should_close() and _finish_body(request)


def _finish_body(request: Any) -> bool:
    """Reads what the view left of a body that is here. Whether the next request follows it."""
    try:
        while request.body.read(1 << 16):
            pass
    except Exception:
        return False
    return not request.body.failed
