"""How a request becomes a WebSocket."""

from __future__ import annotations

import base64

from flask import request
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection
from wsproto.utilities import ProtocolError

from app_core.errors import BadInput

_KEY_BYTES = 16
"""Of Sec-WebSocket-Key (RFC 6455, section 4.2.1)."""


def shake_hands() -> tuple[WSConnection, bytes]:
    """The protocol behind this request's handshake, and the bytes of the answer. Raises BadInput
    for a handshake that cannot be accepted.
    """
    _check_key(request.headers.get("Sec-WebSocket-Key", ""))
    lines = [f"{name}: {value}" for name, value in request.headers.items()]
    protocol, answer = WSConnection(ConnectionType.SERVER), b""
    try:
        protocol.receive_data("\r\n".join(["GET / HTTP/1.1", *lines, "", ""]).encode())
        for _ in protocol.events():
            answer += protocol.send(AcceptConnection())
    except (ProtocolError, ValueError) as error:
        raise BadInput("This is not a WebSocket handshake that can be accepted") from error
    return protocol, answer


def _check_key(key: str) -> None:
    """wsproto takes any."""
    try:
        size = len(base64.b64decode(key, validate=True))
    except ValueError:
        size = 0
    if size != _KEY_BYTES:
        raise BadInput("This is not a WebSocket handshake that can be accepted")
