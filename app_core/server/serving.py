"""The threads of requests behind a front: each answers one whole request at a time."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from gunicorn.http import wsgi

from app_core.server import refusal
from app_core.server.answer import ConnectionGone, HttpAnswer
from app_core.server.front import Front
from app_core.server.loop import Loop
from app_core.server.outgoing import Outgoing
from app_core.server.poller import Poller
from app_core.server.quiet_log import QuietLog

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from wsgiref.types import WSGIApplication

    from app_core.server.connection import Connection
    from app_core.server.limits import Limits
    from app_core.server.refusal import Refusal

logger = logging.getLogger(__name__)

_JOIN_S = 0.5


class Serving:
    """A front with its loop and its threads. One thread calls ``begin``, then ``loop.turn`` until
    it is to end, then ``close``.

    ``count(method, route, status)`` is told of answers that the application never sees; ``cfg`` is
    gunicorn's.
    """

    def __init__(self, cfg: Any, limits: Limits) -> None:
        self._cfg, self._limits = cfg, limits
        self._pool = ThreadPoolExecutor(limits.threads, thread_name_prefix="request")
        self._log = QuietLog(logger)
        self._endings: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._ender = threading.Thread(target=self._end_answers, name="endings", daemon=True)
        self.poller = Poller()
        self._front = Front(self.poller, limits, self._give, self._refused, self._endings.put)

    def begin(
        self,
        application: WSGIApplication,
        listeners: Sequence[Any],
        count: Callable[[str, str, int], None],
    ) -> None:
        self._application, self._count = application, count
        self._ender.start()
        self.loop = Loop(self.poller, self._front, listeners, self._cfg, self._limits)

    def close(self) -> None:
        """Of all connections but those of threads that do not end."""
        self.loop.close()
        self._endings.put(None)
        self._ender.join(_JOIN_S)
        self.drop_waiting()

    def drop_waiting(self) -> None:
        """What no thread has begun with is never answered."""
        self._pool.shutdown(wait=False, cancel_futures=True)

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
        self._count(method, "none", refused.status)
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
                self.poller.call(partial(self._front.returned, connection, rest, keep))

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
                self._cfg,
                response_class=make,
            )
            environ["wsgi.multithread"] = True
            if self._front.stopping:
                answer.force_close()
            body = self._application(environ, answer.start_response)
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
