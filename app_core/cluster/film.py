"""A film whose client does not wait for it: what it takes to make it again elsewhere."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app_core.cluster.exchange import Exchange
from app_core.cluster.places import ReplicaLost
from app_core.cluster.upstream import Unreached, Upstream

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from app_core.cluster.places import Door

_KEPT = (
    *("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "REMOTE_ADDR"),
    *("HTTP_HOST", "HTTP_AUTHORIZATION", "HTTP_PREFER", "wsgi.url_scheme", "SERVER_PROTOCOL"),
)
SILENCE_S = 10.0
BEGUN, TAKEN, FULL = 202, 409, 503
LATER = (429, FULL, 507)
"""Of one that has no room for it now: for more of this client, for anybody, or on its disk."""


@dataclass(frozen=True, slots=True)
class Film:
    """Plain data: it goes from process to process."""

    environ: dict[str, str]
    """The part of WSGI's that tells what is asked, and who asks."""
    body: bytes
    """JSON."""


def film_of(environ: WSGIEnvironment, body: bytes) -> Film:
    return Film({name: str(environ[name]) for name in _KEPT if name in environ}, body)


def begin(film: Film, job_id: str, door: Door, secret: str) -> int:
    """Asks a replica for the same film under the same id. The answer's status; 503 also where
    nobody answers."""
    body = json.dumps(json.loads(film.body) | {"job_id": job_id}, ensure_ascii=False).encode()
    try:
        exchange = Exchange(Upstream(door), None, SILENCE_S, SILENCE_S)
    except Unreached:
        return FULL
    try:
        exchange.upstream.begin(film.environ, secret, len(body))
        exchange.upstream.send(body)
        return int(exchange.head().status_code)
    except ReplicaLost:
        return FULL
    finally:
        exchange.close()
