"""The body of a server's answer, as it comes, and where it ends too early."""

from __future__ import annotations

import re
from http.client import HTTPException, HTTPResponse, IncompleteRead
from typing import TYPE_CHECKING

from app_core.errors import Cancelled, VoiceUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app_core.speech.voices.server.wire import Wire

_NUMBER = re.compile(r" *[0-9]{1,6} *")
_BLOCK = 1 << 14
_PACE = 4096
"""Bytes that must come within the time-out; less is a stall."""
_LAST_WORDS = 4096  # bytes
_LAST_WORDS_S = 1.0
_TAIL_S = 0.05
_TAIL_BLOCKS = 4


class SpeechAnswer:
    """``close`` ends the connection at once, unless the body was read whole: then it is kept."""

    def __init__(
        self,
        wire: Wire,
        response: HTTPResponse,
        timeout_s: float,
        limit_s: float,
        keep: Callable[[Wire], None],
    ) -> None:
        """``timeout_s`` bounds a wait, ``limit_s`` all waits together. ``keep`` takes the wire
        when it can carry another request."""
        self._wire, self.response, self._keep = wire, response, keep
        self._timeout_s, self._limit_s = timeout_s, limit_s
        self._closed = self._whole = False
        named = response.headers["Content-Type"] is not None
        self.kind = response.headers.get_content_type() if named else ""
        """The media type in small letters; empty where none is named."""

    @property
    def framed(self) -> bool:
        """HTTP tells where the body ends; elsewhere it ends with the connection."""
        return bool(self.response.chunked) or self.response.length is not None

    def number(self, name: str) -> int | None:
        """A parameter of the Content-Type, such as ``rate``, or the header ``X-Sample-Rate``."""
        headers = self.response.headers
        header = {"rate": "X-Sample-Rate", "channels": "X-Channels"}[name]
        found = headers.get_param(name) or headers.get(header)
        return int(found) if isinstance(found, str) and _NUMBER.fullmatch(found) else None

    def blocks(self, most: int) -> Iterator[bytes]:
        """The body as it arrives, none of them empty.

        Raises VoiceUnreachable when it is longer than ``most`` bytes, stalls or breaks off, and
        Cancelled.
        """
        given = 0
        due = 1
        while data := self._read():
            given += len(data)
            if given > most:
                raise VoiceUnreachable("The speech server's answer does not end")
            if given >= due:
                due = given + _PACE
                patience = self._wire.patience
                patience.renew(min(self._timeout_s, self._limit_s - patience.waited_s))
            yield data

    def beginning(self) -> bytes:
        """Up to 4 KiB for a sentence about an error. Raises Cancelled alone."""
        self._wire.patience.renew(_LAST_WORDS_S)
        found = b""
        try:
            while len(found) < _LAST_WORDS and (data := self.response.read1(_BLOCK)):
                found += data
        except (OSError, HTTPException):
            pass
        return found[:_LAST_WORDS]

    def finish(self) -> None:
        """Reads what follows the sound if it is there already, so that the wire can be kept."""
        self._wire.patience.renew(_TAIL_S)
        try:
            for _ in range(_TAIL_BLOCKS):
                if not self._read():
                    return
        except (VoiceUnreachable, Cancelled):
            pass

    def close(self) -> None:
        """Safe to do again."""
        if self._closed:
            return
        self._closed = True
        self.response.close()
        if self._whole and not self.response.will_close:
            self._keep(self._wire)
        else:
            self._wire.close()

    def _read(self) -> bytes:
        try:
            data = self.response.read1(_BLOCK)
        except TimeoutError:
            raise VoiceUnreachable(
                f"The speech server stalled: {_PACE} bytes did not come in {self._timeout_s:g} s"
            ) from None
        except (OSError, HTTPException) as error:
            raise VoiceUnreachable(f"The speech server broke off: {words(error)}") from error
        if not data:
            if self.response.length:
                raise VoiceUnreachable(
                    f"The speech server broke off {self.response.length} bytes too early"
                )
            self._whole = True
        return data

    def __enter__(self) -> SpeechAnswer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def words(error: Exception) -> str:
    """What an error of the connection says to a person."""
    if isinstance(error, IncompleteRead):
        return "the answer is cut"
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return said if isinstance(error, OSError) else f"{type(error).__name__}: {said}"[:200]
