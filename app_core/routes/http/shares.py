"""What a request takes of its client's shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import current_app, request

from app_core.routes.http.caller import caller
from app_core.shares import Holding, RequestRate, Share, Shares, request_rate_of

if TYPE_CHECKING:
    from flask import Flask

FREE = ("/api/health/live", "/api/health")
"""Asked by those who watch the server, as often as they like. So are static files."""


def register(app: Flask) -> None:
    """After ``access``, which finds out who calls."""
    app.extensions["request_rate"] = request_rate_of(app.config["SOYLE"])
    app.before_request(_count)


def check_share(kind: Holding) -> None:
    """Before a body is read for what would be refused. Raises TooMany."""
    _shares().check(kind, caller())


def take_share(kind: Holding) -> Share:
    """Raises TooMany."""
    return _shares().take(kind, caller())


def _shares() -> Shares:
    found: Shares = current_app.extensions["shares"]
    return found


def _count() -> None:
    """Raises TooMany."""
    if request.path in FREE or request.endpoint == "static":
        return
    rate: RequestRate = current_app.extensions["request_rate"]
    rate.count(caller())
