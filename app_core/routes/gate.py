"""A full server says so: requests beyond the worker's threads would queue in silence."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

from werkzeug.wsgi import ClosingIterator

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class Gate:
    """Lets ``limit`` requests in at once; the others get 503 and Retry-After.

    A few threads beyond ``limit`` must be left to say it, and to answer ``always`` paths.
    """

    always = ("/api/health/live",)

    def __init__(self, app: WSGIApplication, limit: int) -> None:
        self._app, self._limit = app, limit
        self._inside = 0
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        with self._lock:
            if self._inside >= self._limit and environ.get("PATH_INFO") not in self.always:
                return self._refuse(start)
            self._inside += 1
        try:
            return ClosingIterator(self._app(environ, start), self._leave)
        except BaseException:
            self._leave()
            raise

    def _leave(self) -> None:
        with self._lock:
            self._inside -= 1

    @staticmethod
    def _refuse(start: StartResponse) -> Iterable[bytes]:
        error = {"error": "The server is full; try again soon", "code": "busy", "field": None}
        body = json.dumps(error).encode()
        start(
            "503 Service Unavailable",
            [
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(body))),
                ("Retry-After", "1"),
            ],
        )
        return [body]
