"""What every view takes from the request."""

from __future__ import annotations

import select
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from flask import current_app, request
from werkzeug.exceptions import RequestEntityTooLarge

from app_core.cancel_scope import never
from app_core.errors import BadInput, TooLarge, UnsupportedMedia
from app_core.routes.http.json_value import BadText, json_value, plain_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flask import Response

    from app_core.config import Config
    from app_core.config.tokens import Tokens
    from app_core.services.lipsync_service import LipsyncService
    from app_core.storage.scratch import Scratch

JSON_LIMIT = 1 << 20
"""Bytes of a JSON body."""


def service() -> LipsyncService:
    found: LipsyncService = current_app.extensions["lipsync"]
    return found


def config() -> Config:
    found: Config = current_app.config["SOYLE"]
    return found


def address(path: str) -> str:
    """Of a path of ours as clients have to ask for it: below the prefix of a proxy."""
    return request.script_root + path


def tokens() -> Tokens:
    """What opens this server."""
    return service().tokens


def scratch() -> Scratch:
    """Where an upload lies while it comes in."""
    found: Scratch = current_app.extensions["scratch"]
    return found


def json_body() -> Any:
    """The JSON value of the body. Raises UnsupportedMedia, TooLarge or BadInput."""
    if not request.is_json:
        raise UnsupportedMedia("Send JSON with Content-Type: application/json")
    refuse_coded()
    return json_value(small_body())


def text_body() -> str:
    """The body as UTF-8. Raises TooLarge, UnsupportedMedia or BadInput."""
    refuse_coded()
    try:
        return plain_text(small_body().decode())
    except UnicodeDecodeError as error:
        raise BadInput("The body must be UTF-8") from error
    except BadText as error:
        raise BadInput(f"The body {error}") from error


def small_body() -> bytes:
    """At most JSON_LIMIT bytes. Raises TooLarge."""
    limit = JSON_LIMIT
    # A body in chunks ends at the limit without a word, so one byte more is asked for.
    request.max_content_length = limit if request.content_length is not None else limit + 1
    try:
        body = request.get_data()
    except RequestEntityTooLarge:
        raise _too_large() from None
    if len(body) > limit:
        raise _too_large()
    return body


def _too_large() -> TooLarge:
    return TooLarge(f"The body is larger than {JSON_LIMIT >> 20} MiB")


def refuse_coded() -> None:
    """Raises UnsupportedMedia for a body that is compressed."""
    coding = request.headers.get("Content-Encoding", "").strip().lower()
    if coding not in ("", "identity"):
        raise UnsupportedMedia(f"Send the body as it is, without Content-Encoding: {coding}")


def query() -> dict[str, str]:
    """The fields of the address, each once. Raises BadInput for one that is given twice, or that
    is not UTF-8.
    """
    for pair in request.query_string.split(b"&"):
        try:
            plain_text(unquote_to_bytes(pair).decode())
        except ValueError as error:
            name = pair.partition(b"=")[0].decode("ascii", "replace")
            why = str(error) if isinstance(error, BadText) else "must be UTF-8, percent-encoded"
            raise BadInput(f"'{name}' {why}", field=name) from None
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
    """For an answer that has yet to begin: a question that is true once the client has closed its
    side, or the connection is broken. Works outside the request.
    """
    connection = client_socket()
    if connection is None:
        return never

    def gone() -> bool:
        found = _events(connection, _CLOSED)
        if found & _BROKEN or (_CLOSED != select.POLLIN and found):
            return True
        return bool(found) and not _next_byte(connection)

    return gone


def cut_off(connection: socket.socket | None) -> bool:
    """For a stream: the connection is broken. A client that has closed only its own side, as
    `nc -N` does, still reads; of one that has closed both, the next write tells.
    """
    return connection is not None and bool(_events(connection, 0) & _BROKEN)


_BROKEN = select.POLLERR | select.POLLHUP | select.POLLNVAL
# Linux tells a closed side also behind bytes that nobody has read.
_CLOSED = getattr(select, "POLLRDHUP", select.POLLIN)


def _events(connection: socket.socket, wanted: int) -> int:
    """Those of poll that are there now."""
    poll = select.poll()
    try:
        poll.register(connection, wanted)
        return sum(found for _, found in poll.poll(0))
    except (OSError, ValueError):
        return select.POLLNVAL


def _next_byte(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except OSError:
        return b""


def tell_job(response: Response, job_id: str, voices: Sequence[str]) -> None:
    """In the headers: which job it is, and whose voice begins, as far as that is known."""
    response.headers["X-Job-Id"] = job_id
    if voices:
        response.headers["X-Voice"] = voices[0]
    response.headers["Cache-Control"] = "no-store"
