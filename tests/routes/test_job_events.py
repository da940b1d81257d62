"""What listeners of a job get over the wire; tests/server/test_jobs.py has the whole way."""

from __future__ import annotations

import socket
import threading
from functools import partial
from typing import Any

import pytest

from app_core.audio import AudioBuffer
from app_core.channel import Channel
from app_core.errors import Cancelled
from app_core.job import Job, JobStatus
from app_core.request import MjpegRequest
from app_core.routes.job_events import MESSAGES_AT_ONCE
from app_core.services.lipsync_service import LipsyncService
from tests.back_end import CLUSTER, app_of

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


@pytest.mark.parametrize(
    "change",
    [
        {"Sec-WebSocket-Key": None},
        {"Sec-WebSocket-Version": None},
        {"Sec-WebSocket-Version": "7"},
        {"Sec-WebSocket-Key": "x"},
        {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZ!=="},
        {"Sec-WebSocket-Key": "ключ".encode().decode("latin-1")},
    ],
)
def test_a_handshake_that_cannot_be_accepted(client: Any, change: dict[str, str | None]) -> None:
    headers = {name: value for name, value in (UPGRADE | change).items() if value is not None}
    answer = client.get("/api/jobs/x/events", base_url="ws://localhost", headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad_input")


def test_refused_listeners_cost_nothing(client: Any) -> None:
    """They get an answer in place of an upgrade, and no thread of their own."""
    places = app_of(client).extensions["listeners"]
    while places.acquire(blocking=False):
        pass

    def ask() -> None:
        answer = client.get("/api/jobs/x/events", base_url="ws://localhost", headers=UPGRADE)
        assert (answer.status_code, answer.get_json()["code"]) == (503, "busy")
        assert int(answer.headers["Retry-After"]) > 0

    ask()
    threads = threading.active_count()
    for _ in range(52):
        ask()
    of_a_door = 4 if CLUSTER else 0  # it may begin with the next before one is free again
    assert threading.active_count() - threads <= of_a_door


class Listening:
    """A listener's end of the socket, whose requests are made in a thread."""

    def __init__(self, client: Any, job_id: str) -> None:
        self.ours, self._theirs = socket.socketpair()
        self.ours.settimeout(10)
        self._ask = partial(
            client.get,
            f"/api/jobs/{job_id}/events",
            base_url="ws://localhost",
            headers=UPGRADE,
            environ_overrides={"werkzeug.socket": self._theirs},
        )
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._ask()
        finally:
            self._theirs.shutdown(socket.SHUT_WR)  # a close would throw away what was not read

    def heard(self) -> bytes:
        """All of it, until the view is over."""
        found = b""
        with self.ours, self._theirs:
            while part := self.ours.recv(1 << 16):
                found += part
            self._thread.join(10)
        return found


def test_an_unknown_job_is_an_error_message(client: Any) -> None:
    heard = Listening(client, "none").heard()
    assert heard.startswith(b"HTTP/1.1 101 ")
    assert b'"code": "not_found"' in heard
    assert heard.endswith(b"\x88\x02\x03\xe8"), "and then goodbye"


@pytest.fixture
def job(service: LipsyncService) -> Job:
    """One that goes on for ever."""
    made = Job(MjpegRequest(text="x"), AudioBuffer(8000), Channel(4))
    service.jobs.add(made)
    return made


def masked(opcode: int, size: int = 0) -> bytes:
    return bytes([0x80 | opcode, 0x80 | size]) + bytes(4 + size)


@pytest.mark.parametrize("opcode", [1, 2, 9], ids=["text", "binary", "ping"])
def test_a_listener_that_talks_is_closed(client: Any, job: Job, opcode: int) -> None:
    """One that sends a flood of messages is not listened to for long, and told so."""
    listening = Listening(client, job.id)
    listening.ours.sendall(masked(opcode) * (MESSAGES_AT_ONCE + 20))
    heard = listening.heard()
    assert b'"type": "progress"' in heard
    assert b"\x88\x02\x03\xf0" in heard, "1008: policy violation"


def test_a_word_now_and_then_is_no_flood(client: Any, job: Job) -> None:
    listening = Listening(client, job.id)
    listening.ours.sendall(masked(1, 5) * (MESSAGES_AT_ONCE // 2))
    job.end(JobStatus.CANCELLED, Cancelled("It was cancelled"))
    assert listening.heard().endswith(b"\x88\x02\x03\xe8")
