"""gunicorn's worker: its arbiter, settings, parser and WSGI; connections and threads are ours.

Why not its ``gthread``: that closes gracefully where it accepts, and reads heads and bodies and
sends downloads in the threads of the requests, so that idle clients hold up everybody.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

from app_core.server.limits import Limits, connections_below, raise_descriptors
from app_core.server.serving import Serving

if TYPE_CHECKING:
    from app_core.server.loop import Loop

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
        self._serving = Serving(self.cfg, replace(limits, connections=most))
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
        self._serving.poller.watch(self.PIPE[0])
        self._serving.begin(self.wsgi, self.sockets, self.app.count)
        loop = self._serving.loop
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
        self._serving.close()
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
        self._serving.drop_waiting()
        super().handle_quit(sig, frame)
