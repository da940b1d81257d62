"""Sessions of a listening server on fakes."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest
import requests
import websocket

from app_core.services.lipsync_service import LipsyncService
from tests.back_end import application
from tests.browser.conftest import serving
from tests.conftest import until

SMALL = {"size": "128x128", "language": "en"}


class Binary(NamedTuple):
    """One binary message, as API.md lays it out."""

    kind: int
    flags: int
    generation: int
    frame: int
    micros: int
    payload: bytes


def binary(message: bytes) -> Binary:
    kind, flags, zero, generation, frame, micros = struct.unpack_from("<BBHIQQ", message)
    assert zero == 0
    return Binary(kind, flags, generation, frame, micros, message[24:])


class Ear:
    """The client's end of one socket."""

    def __init__(self, socket: websocket.WebSocket) -> None:
        self.socket = socket
        self.binaries: list[Binary] = []
        self.events: list[dict[str, Any]] = []
        self.code: int | None = None

    def say(self, **command: Any) -> None:
        self.socket.send(json.dumps(command))

    def next(self) -> Binary | dict[str, Any] | None:
        """None at the end, whose code is kept."""
        opcode, data = self.socket.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            self.code = struct.unpack_from(">H", data)[0]
            return None
        if opcode == websocket.ABNF.OPCODE_TEXT:
            self.events.append(json.loads(data))
            return self.events[-1]
        self.binaries.append(binary(data))
        return self.binaries[-1]

    def event(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The next one of this kind, with these fields."""
        while (item := self.next()) is not None:
            if isinstance(item, dict) and item["type"] == kind and fields.items() <= item.items():
                return item
        raise AssertionError(f"no {kind}: {self.events}")

    def picture(self, kind: int = 1) -> Binary:
        while (item := self.next()) is not None:
            if isinstance(item, Binary) and item.kind == kind:
                return item
        raise AssertionError("no picture")

    def rest(self) -> list[dict[str, Any]]:
        """All events until the end."""
        while self.next() is not None:
            pass
        return self.events


class Served:
    def __init__(self, service: LipsyncService, address: str, stack: ExitStack) -> None:
        self.service, self.address, self._stack = service, address, stack

    def ask(self, method: str, path: str, token: str = "", **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.request(method, self.address + path, headers=headers, timeout=20, **options)

    def open(self, token: str = "", **fields: Any) -> dict[str, Any]:
        answer = self.ask("POST", "/api/sessions", token, json=SMALL | fields)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def say(self, made: dict[str, Any], text: str, **fields: Any) -> requests.Response:
        path = f"/api/sessions/{made['session_id']}/say"
        return self.ask("POST", path, made["token"], json={"text": text, **fields})

    def listen(self, path: str, **options: Any) -> Ear:
        url = self.address.replace("http", "ws", 1) + path
        options = {"suppress_origin": True, "timeout": 20} | options
        socket = websocket.create_connection(url, **options)
        self._stack.callback(socket.shutdown)
        return Ear(socket)


@pytest.fixture
def serve(make_service: Callable[..., LipsyncService]) -> Iterator[Callable[..., Served]]:
    with ExitStack() as stack:

        def make(**parts: Any) -> Served:
            service = make_service(**parts)
            address = stack.enter_context(serving(application(service)))
            return Served(service, address, stack)

        yield make


@pytest.fixture
def served(serve: Callable[..., Served]) -> Iterator[Served]:
    made = serve()
    yield made
    for session in made.service.sessions.all():
        session.close()
    assert until(lambda: not made.service.sessions.all())
