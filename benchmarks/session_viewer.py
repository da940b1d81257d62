"""A viewer of a session over its WebSocket: notes when each message is there."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, TypeVar

import websocket

from benchmarks.notes import PATIENCE_S, Message, Notes

if TYPE_CHECKING:
    from collections.abc import Callable

HEADER = struct.Struct("<BBHIQQ")
JPEG, MP4_START, MP4, PCM, OPUS = 1, 2, 3, 4, 5
Made = TypeVar("Made")


class Refused(Exception):
    """``status``: of the answer."""

    def __init__(self, status: int, answer: str) -> None:
        super().__init__(f"{status}: {answer}")
        self.status = status


def patiently(make: Callable[[], Made], patience_s: float) -> Made:
    """What is made, once there is room: 503 is waited for. Raises Refused."""
    end_s = time.monotonic() + patience_s
    while True:
        try:
            return make()
        except Refused as refused:
            if refused.status != 503 or time.monotonic() > end_s:
                raise
            time.sleep(0.2)


class SessionViewer(Notes):
    """Makes a session and looks at it, or, given one, looks at that. ``keep`` keeps payloads."""

    def __init__(
        self,
        url: str,
        video: str = "jpeg",
        audio: str = "pcm",
        *,
        keep: bool = True,
        session: dict[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        """Raises Refused."""
        self.url, self._keep = url, keep
        self.began_s = time.monotonic()
        self.session = session or call(url, "POST", "/api/sessions", fields)
        super().__init__()
        address = self.session["socket_url"] + f"&video={video}&audio={audio}"
        self.socket = websocket.create_connection(
            "ws" + url.removeprefix("http") + address, timeout=PATIENCE_S, enable_multithread=True
        )
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def tell(self, kind: str, **fields: Any) -> float:
        """A command, and when it was sent."""
        now = time.monotonic()
        self.socket.send(json.dumps({"type": kind, **fields}))
        return now

    def command(self, name: str, **fields: Any) -> dict[str, Any]:
        """Over HTTP."""
        path = f"/api/sessions/{self.session['session_id']}/{name}"
        return call(self.url, "POST", path, fields, self.session["token"])

    def kill(self) -> None:
        """Rudely: the connection is reset."""
        connection = self.socket.sock
        assert connection is not None
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    def leave(self) -> None:
        """The session goes on."""
        self.socket.close(timeout=1)
        self._thread.join(PATIENCE_S)

    def close(self) -> None:
        """Ends the session too."""
        try:
            path = f"/api/sessions/{self.session['session_id']}"
            call(self.url, "DELETE", path, None, self.session["token"])
        except (Refused, OSError):
            pass
        self.leave()

    def _read(self) -> None:
        try:
            while True:
                opcode, data = self.socket.recv_data()
                now = time.monotonic()
                if opcode == websocket.ABNF.OPCODE_BINARY:
                    self._note(now, data)
                elif opcode == websocket.ABNF.OPCODE_TEXT:
                    self.note_event(now, json.loads(data))
                elif opcode == websocket.ABNF.OPCODE_CLOSE:
                    return
        except (websocket.WebSocketException, OSError, AttributeError, ValueError):
            return
        finally:
            self.end()

    def _note(self, now: float, data: bytes) -> None:
        kind, flags, _, generation, frame, micros = HEADER.unpack_from(data)
        payload = data[HEADER.size :] if self._keep else b""
        message = Message(
            now,
            kind,
            bool(flags & 1),
            bool(flags & 2),
            generation,
            frame,
            micros,
            payload,
            len(data),
        )
        self.note(message)


def call(
    url: str, method: str, path: str, fields: dict[str, Any] | None, token: str = ""
) -> dict[str, Any]:
    """Raises Refused."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = None
    if fields is not None:
        body = json.dumps(fields).encode()
        headers["Content-Type"] = "application/json"
    return asked(urllib.request.Request(url + path, body, headers, method=method))


def asked(request: urllib.request.Request, timeout_s: float = PATIENCE_S) -> dict[str, Any]:
    """The JSON of its answer; empty where it has none. Raises Refused."""
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:
            body = answer.read()
    except urllib.error.HTTPError as error:
        raise Refused(error.code, error.read().decode()) from error
    found: dict[str, Any] = json.loads(body) if body else {}
    return found
