"""What every view takes from the request."""

from __future__ import annotations

import select
import socket
from typing import TYPE_CHECKING, Any

from flask import current_app, request

from app_core.errors import BadInput, UnsupportedMedia

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.config import Config
    from app_core.services.lipsync_service import LipsyncService


def service() -> LipsyncService:
    found: LipsyncService = current_app.extensions["lipsync"]
    return found


def config() -> Config:
    found: Config = current_app.config["SOYLE"]
    return found


def json_body() -> Any:
    """The JSON value of the body. Raises UnsupportedMedia or BadInput."""
    if not request.is_json:
        raise UnsupportedMedia("Send JSON with Content-Type: application/json")
    return request.get_json()


def query() -> dict[str, str]:
    """The fields of the address, each once. Raises BadInput for one that is given twice."""
    for name, values in request.args.lists():
        if len(values) > 1:
            raise BadInput(f"'{name}' is given {len(values)} times", field=name)
    return {name: value for name, value in request.args.items() if name != "token"}


def client_socket() -> socket.socket | None:
    """The connection of this request, where the server shows it."""
    for name in ("gunicorn.socket", "werkzeug.socket"):
        found = request.environ.get(name)
        if isinstance(found, socket.socket):
            return found
    return None


def leaving() -> Callable[[], bool]:
    """A question that is true once the client has closed its side. Works outside the request."""
    connection = client_socket()
    if connection is None:
        return lambda: False

    def gone() -> bool:
        try:
            readable, _, _ = select.select([connection], [], [], 0)
            return bool(readable) and not connection.recv(1, socket.MSG_PEEK)
        except (OSError, ValueError):
            return True

    return gone
