"""A replica's application behind its door: for web tiers alone, and what they ask it beside the
API."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

from app_core.cancel_scope import never
from app_core.cluster.film import film_of
from app_core.cluster.places import RETRY_S
from app_core.cluster.ticket import ELSEWHERE, admit
from app_core.cluster.wanted import OFFER, Destination, wanted
from app_core.errors import Busy, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from app_core.cluster.film import Film
    from app_core.services.lipsync_service import LipsyncService

KNOWN = "/cluster/jobs/"
"""204 of a job that is here."""
_AVATARS = "/api/avatars/"
LARGEST = 8 << 20
"""Bytes of a request that is kept, to make its film elsewhere if this replica is lost."""


class Behind:
    """A WSGI application. ``begun(job_id, film)`` is called before a client is told that its film
    is being made."""

    def __init__(
        self,
        app: WSGIApplication,
        service: LipsyncService,
        secret: str,
        begun: Callable[[str, Film], None],
        draining: Callable[[], bool] = never,
    ) -> None:
        self._app, self._service, self._secret, self._begun = app, service, secret, begun
        self._draining = draining
        """Nothing new is taken any more."""

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if not admit(environ, self._secret):
            return _say(start, "403 Forbidden")
        path: str = environ.get("PATH_INFO", "")
        if path.startswith(KNOWN):
            there = self._knows(path.removeprefix(KNOWN))
            return _say(start, "204 No Content" if there else "404 Not Found")
        place = self._elsewhere(path)
        if place:
            return _say(start, "421 Misdirected Request", (ELSEWHERE, place))
        method = environ["REQUEST_METHOD"]
        if self._draining() and self._is_new(environ):
            return _refuse(start)
        if method == "POST" and "respond-async" in environ.get("HTTP_PREFER", ""):
            return self._kept(environ, start)
        return self._app(environ, start)

    def _is_new(self, environ: WSGIEnvironment) -> bool:
        """Work that belongs to nothing which is here."""
        path, body = environ.get("PATH_INFO", ""), b""
        size = int(environ.get("CONTENT_LENGTH") or 0)
        if path == OFFER and size <= LARGEST:
            body = _peeked(environ, size)
        return wanted(environ["REQUEST_METHOD"], path, body).where is Destination.NEW

    def _knows(self, name: str) -> bool:
        try:
            self._service.jobs.record(name)
        except NotFound:
            return False
        return True

    def _elsewhere(self, path: str) -> str:
        """The place that imports the avatar which ``path`` is about; empty: none does."""
        if not path.startswith(_AVATARS):
            return ""
        avatar_id = path.removeprefix(_AVATARS).partition("/")[0]
        return self._service.avatars.elsewhere(avatar_id)

    def _kept(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        size = int(environ.get("CONTENT_LENGTH") or LARGEST + 1)
        if size > LARGEST or "json" not in environ.get("CONTENT_TYPE", ""):
            return self._app(environ, start)
        film = film_of(environ, _peeked(environ, size))

        def started(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            job_id = next((value for name, value in headers if name == "X-Job-Id"), "")
            if status.startswith("202") and job_id:
                self._begun(job_id, film)
            return start(status, headers, *rest)

        return self._app(environ, started)


def _peeked(environ: WSGIEnvironment, size: int) -> bytes:
    """The body, which the application reads all the same."""
    body: bytes = environ["wsgi.input"].read(size)
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _refuse(start: StartResponse) -> Iterable[bytes]:
    busy = Busy("The replica is going; try again", retry_after_s=RETRY_S)
    body = json.dumps({"error": str(busy), "code": busy.code, "field": None}).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start("503 Service Unavailable", [*headers, ("Retry-After", str(RETRY_S))])
    return [body]


def _say(start: StartResponse, status: str, *headers: tuple[str, str]) -> Iterable[bytes]:
    start(status, [*headers, ("Content-Length", "0")] if status[:3] != "204" else [*headers])
    return []
