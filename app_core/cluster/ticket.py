"""How a replica knows that a request comes from a web tier, and what it is told about the client.

The headers of ``stamps`` stand in for what the client's connection would say; they count only
beside the cluster's secret, and never reach the application.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

SECRET, CLIENT, SCHEME, HOST, PREFIX, PROTOCOL = (
    *("X-Cluster-Secret", "X-Cluster-Client", "X-Cluster-Scheme"),
    *("X-Cluster-Host", "X-Cluster-Prefix", "X-Cluster-Protocol"),
)
OWN = "x-cluster-"
"""How all of them begin: a client's own are dropped."""
ELSEWHERE = "X-Cluster-Elsewhere"
"""Of an answer 421: the place that has what was asked for."""


def stamps(environ: WSGIEnvironment, secret: str) -> list[tuple[str, str]]:
    return [
        (SECRET, secret),
        (CLIENT, environ.get("REMOTE_ADDR", "")),
        (SCHEME, environ["wsgi.url_scheme"]),
        (HOST, environ.get("HTTP_HOST", "")),
        (PREFIX, environ.get("SCRIPT_NAME", "")),
        (PROTOCOL, environ.get("SERVER_PROTOCOL", "")),
    ]


def admit(environ: WSGIEnvironment, secret: str) -> bool:
    """Whether the request is a web tier's; then ``environ`` is as the client's own would be."""
    given = _take(environ, SECRET)
    names = (CLIENT, SCHEME, HOST, PREFIX, PROTOCOL)
    client, scheme, host, prefix, protocol = (_take(environ, name) for name in names)
    if not hmac.compare_digest(given.encode("latin-1"), secret.encode()):
        return False
    environ["REMOTE_ADDR"], environ["SCRIPT_NAME"] = client, prefix
    environ["HTTP_HOST"], environ["SERVER_PROTOCOL"] = host, protocol
    environ["wsgi.url_scheme"] = "https" if scheme == "https" else "http"
    return True


def _take(environ: WSGIEnvironment, name: str) -> str:
    found: str = environ.pop(f"HTTP_{name.upper().replace('-', '_')}", "")
    return found
