"""What a request takes of its client's shares."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from flask import current_app, request

from app_core.routes.http.caller import caller
from app_core.shares import Holding, RequestRate, Share, Shares, request_rate_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

WEIGHED_BYTES = 1024
"""Of a text: to read so much takes about as long as the rest of a request."""
UNKNOWN_BYTES = 16 << 10
"""Of a body in chunks."""
FREE = ("/api/health/live", "/api/health")
"""Asked by those who watch the server, as often as they like. So are static files."""


def register(app: Flask) -> None:
    """After ``access``, which finds out who calls."""
    app.extensions["request_rate"] = request_rate_of(app.config["SOYLE"])
    app.before_request(count_request)


def check_share(kind: Holding) -> None:
    """Before a body is read for what would be refused. Raises TooMany."""
    _shares().check(kind, caller())


def take_share(kind: Holding) -> Share:
    """Raises TooMany."""
    return _shares().take(kind, caller())


def _shares() -> Shares:
    found: Shares = current_app.extensions["shares"]
    return found


def count_request() -> None:
    """Once of each: ``access`` does it for those that it turns away. Raises TooMany."""
    if request.path in FREE or request.endpoint == "static":
        return
    rate: RequestRate = current_app.extensions["request_rate"]
    rate.count(caller(), _weight())


def command_count() -> Callable[[int], None]:
    """Counts what this request's client says on its connection later, as requests of a weight.
    Outside the request too. Raises TooMany."""
    rate: RequestRate = current_app.extensions["request_rate"]
    return partial(rate.count, caller())


def _weight() -> int:
    """Files are not read as texts are, and have a share of their own."""
    size = len(request.query_string)
    if request.is_json:
        known = request.content_length
        size += UNKNOWN_BYTES if known is None else known
    return 1 + size // WEIGHED_BYTES
