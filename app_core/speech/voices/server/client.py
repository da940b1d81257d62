"""Asks a speech server for sound, and gives its answer as it comes."""

from __future__ import annotations

import json
import re
import ssl
import threading
import time
import weakref
from collections import deque
from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING, Any

from app_core.config import VERSION
from app_core.errors import Busy, VoiceUnreachable
from app_core.speech.voices.server.answer import SpeechAnswer, words
from app_core.speech.voices.server.last_words import clean, last_words
from app_core.speech.voices.server.wire import Deadline, Wire, connect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app_core.cancel_scope import Stale
    from app_core.speech.voices.server.address import Address

_CONNECT_S = 3.0
_TRIES = 2
_AGAIN_S = 0.1
"""Before a second try where the server names no time."""
_LONGEST_AGAIN_S = 2.0
"""A server that wants more patience is left to the next voice."""
_PASSING = (429, 502, 503, 504)
"""Statuses after which the same request may succeed."""
_SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
_IDLE_WIRES = 4
_IDLE_S = 30.0


class _NoConnection(VoiceUnreachable):
    """Nothing was asked yet."""


class _NoAnswer(VoiceUnreachable):
    """The connection ended, or what came was no HTTP."""


class Client:
    """Requests to one address. Connections are kept for the next request. Thread-safe."""

    def __init__(self, address: Address, key: str, timeout_s: float) -> None:
        """``timeout_s``: until the first byte of sound, and of each wait after it."""
        self._address, self._key, self.timeout_s = address, key, timeout_s
        self._context = ssl.create_default_context() if address.secure else None
        self._idle: deque[tuple[float, Wire]] = deque()
        self._lock = threading.Lock()
        weakref.finalize(self, _close_all, self._idle)

    def __repr__(self) -> str:
        return f"Client({self._address.authority})"  # never the key

    def connect(self, stale: Stale) -> None:
        """A connection that waits for the first request. Raises VoiceUnreachable, Cancelled."""
        wire = self._kept() or self._fresh(Deadline(stale, _CONNECT_S))
        self._keep(wire)

    def ask(self, body: Mapping[str, Any], said: str, stale: Stale, limit_s: float) -> SpeechAnswer:
        """A good answer, whose body may still be on its way. ``said`` is the text in ``body``,
        which no error repeats; ``limit_s`` bounds all waits together.

        Raises VoiceUnreachable that says what the server did instead, and Cancelled.
        """
        request = self._request(body)
        end_s = time.monotonic() + self.timeout_s
        tries = _TRIES
        while True:
            tries -= 1
            patience = Deadline(stale, self.timeout_s)
            pause_s: float | None = None
            problem: VoiceUnreachable
            try:
                wire, response = self._asked(request, patience, end_s)
            except _NoConnection as error:
                problem, pause_s = error, _AGAIN_S
            else:
                answer = SpeechAnswer(wire, response, self.timeout_s, limit_s, self._keep)
                if 200 <= response.status < 300:
                    return answer
                if response.status in _PASSING:
                    pause_s = _retry_after(response)
                try:
                    problem = VoiceUnreachable(self._refusal(answer, said))
                finally:
                    answer.close()
            left_s = end_s - time.monotonic()
            if not tries or pause_s is None or pause_s > min(_LONGEST_AGAIN_S, left_s):
                raise problem
            patience.renew(pause_s + 1.0)
            patience.pause(pause_s)

    def close(self) -> None:
        """The connections that are kept. Requests that run go on."""
        with self._lock:
            _close_all(self._idle)

    def _request(self, body: Mapping[str, Any]) -> bytes:
        data = json.dumps(body, ensure_ascii=False).encode()
        lines = [
            f"POST {self._address.target} HTTP/1.1",
            f"Host: {self._address.authority}",
            f"User-Agent: soyle/{VERSION}",
            "Content-Type: application/json",
            f"Content-Length: {len(data)}",
            "Accept: */*",
            "Accept-Encoding: identity",
        ]
        if self._key:
            lines.append(f"Authorization: Bearer {self._key}")
        return "\r\n".join([*lines, "", ""]).encode("ascii") + data

    def _asked(self, request: bytes, patience: Deadline, end_s: float) -> tuple[Wire, HTTPResponse]:
        """A connection that was kept may have ended meanwhile: then another one is asked."""
        while wire := self._kept():
            wire.patience = patience
            try:
                return wire, self._exchange(wire, request, end_s)
            except _NoAnswer:
                continue
        wire = self._fresh(patience)
        return wire, self._exchange(wire, request, end_s)

    def _exchange(self, wire: Wire, request: bytes, end_s: float) -> HTTPResponse:
        """The head of the answer. The wire is closed when there is none."""
        wire.patience.renew(end_s - time.monotonic())
        try:
            wire.send(request)
            response = HTTPResponse(wire, method="POST")  # type: ignore[arg-type]
            response.begin()
        except TimeoutError:
            wire.close()
            reason = f"did not answer within {self.timeout_s:g} s"
            raise VoiceUnreachable(f"The speech server {reason}") from None
        except (OSError, HTTPException) as error:
            wire.close()
            raise _NoAnswer(f"The speech server gave no answer: {words(error)}") from error
        except BaseException:
            wire.close()
            raise
        return response

    def _fresh(self, patience: Deadline) -> Wire:
        try:
            return connect(self._address, self._context, patience, min(_CONNECT_S, self.timeout_s))
        except ssl.SSLError as error:
            raise VoiceUnreachable(
                f"The speech server cannot be trusted or speaks no TLS: {words(error)}"
            ) from error
        except TimeoutError:
            raise _NoConnection("The speech server cannot be reached: it is silent") from None
        except (OSError, Busy) as error:
            raise _NoConnection(f"The speech server cannot be reached: {words(error)}") from error

    def _refusal(self, answer: SpeechAnswer, said: str) -> str:
        status, headers = answer.response.status, answer.response.headers
        if 300 <= status < 400:
            where = clean(headers.get("Location", "elsewhere"), self._key, said)
            return (
                f"The speech server redirects to {where} ({status}), which is not followed:"
                " correct VOICE_SERVER_URL"
            )
        words = last_words(answer.beginning(), answer.kind, self._key, said)
        words = words or clean(answer.response.reason, self._key, said)
        return f"The speech server answered {status}: {words}".rstrip(": ")

    def _kept(self) -> Wire | None:
        """The one that was used last, if the server has not closed it."""
        with self._lock:
            while self._idle:
                since_s, wire = self._idle.pop()
                if time.monotonic() - since_s < _IDLE_S and wire.quiet():
                    return wire
                wire.close()
        return None

    def _keep(self, wire: Wire) -> None:
        with self._lock:
            self._idle.append((time.monotonic(), wire))
            dropped = self._idle.popleft()[1] if len(self._idle) > _IDLE_WIRES else None
        if dropped is not None:
            dropped.close()


def _close_all(idle: deque[tuple[float, Wire]]) -> None:
    while idle:
        idle.pop()[1].close()


def _retry_after(response: HTTPResponse) -> float | None:
    """Seconds; None for a date, which no server sends for so short a time."""
    asked = response.headers.get("Retry-After", "").strip()
    if not asked:
        return _AGAIN_S
    return max(float(asked), _AGAIN_S) if _SECONDS.fullmatch(asked) else None
