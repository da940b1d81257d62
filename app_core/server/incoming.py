"""The bytes of one connection on their way to be requests."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from gunicorn.http.body import ChunkedReader
from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.http.message import Request

from app_core.server import refusal
from app_core.server.body_end import ChunkedEnd, LengthEnd
from app_core.server.source import Source

if TYPE_CHECKING:
    from app_core.server.body_end import BodyEnd
    from app_core.server.limits import Limits

_UPLOAD = "multipart/form-data"
_BARE_LINE_FEED = re.compile(rb"(?<!\r)\n")


class Step(Enum):
    MORE = auto()
    """Bytes are missing."""
    READY = auto()
    """The request and its body are here; or a body that is larger than any view takes is not."""
    UPLOAD = auto()
    """A large form follows, which its view reads as it comes."""


class Incoming:
    """``buffer`` takes what comes; ``step`` says how far the request in it is.

    Which bytes are head, body and next request is gunicorn's parser's word alone.
    """

    def __init__(self, cfg: Any, client: Any, limits: Limits) -> None:
        self.buffer = bytearray()
        self.request: Any = None
        """gunicorn's, once its head is here."""
        self.source = Source(b"")
        self.count = 0
        """Requests so far."""
        self.size = 0
        """Most bytes that the body which is awaited may have."""
        self.cut = False
        """The body is not awaited, so nothing can follow this request."""
        self._cfg, self._client, self._limits = cfg, client, limits
        self._seen = 0
        """Bytes of the buffer in which no head ends, or whose place in the body is known."""
        self._line = -1
        """Where the request line ends, once it has."""
        self._end: BodyEnd = LengthEnd(0)

    def step(self) -> Step:
        """Raises Refusal."""
        if self.request is None:
            end = self._head_end()
            if end < 0:
                return Step.MORE
            self._parse()
        self._end.feed(self.buffer[self._seen :])
        self._seen = len(self.buffer)
        if self._end.whole:
            return self._ready()
        large = self.size > self._limits.body_bytes or self._seen > self._limits.body_bytes
        form = self._field("CONTENT-TYPE").partition(";")[0].strip().lower() == _UPLOAD
        if form and (large or isinstance(self._end, ChunkedEnd)):
            self._hand_over()
            return Step.UPLOAD
        if large:
            if isinstance(self._end, ChunkedEnd):  # no view could know how much is missing
                raise refusal.large_body(self._limits.json_bytes)
            self.cut = True
            return self._ready()
        return Step.MORE

    @property
    def end(self) -> BodyEnd:
        """Where the body of an upload ends."""
        return self._end

    def take_continue(self) -> bool:
        """Whether the client waits to hear that its body is wanted; true once."""
        waits = self.request is not None and bool(self.request._expected_100_continue)
        if waits:
            self.request._expected_100_continue = False
        return waits

    def next(self) -> None:
        """The answer is made and the body read: what is left belongs to the next request."""
        self.buffer = bytearray(self.source.take_buffered())
        self.request, self._seen, self.size = None, 0, 0

    def _ready(self) -> Step:
        self._hand_over()
        self.request._expected_100_continue = False
        return Step.READY

    def _hand_over(self) -> None:
        self.source.unread(bytes(self.buffer))
        self.buffer.clear()

    def _head_end(self) -> int:
        """Where the head ends; -1 when it goes on. Raises Refusal."""
        buffer, limits = self.buffer, self._limits
        if buffer.startswith(b"\r\n"):  # RFC 9112, section 2.2
            del buffer[:2]
        if self._line < 0:
            self._line = buffer.find(b"\r\n", max(0, self._seen - 1))
        if (len(buffer) if self._line < 0 else self._line) > limits.line_bytes:
            raise refusal.long_line(limits.line_bytes)
        end = buffer.find(b"\r\n\r\n", max(0, self._seen - 3))
        if (len(buffer) if end < 0 else end) > max(self._line, 0) + limits.fields_bytes:
            raise refusal.large_head()
        if end < 0 and _BARE_LINE_FEED.search(buffer, max(0, self._seen - 1)):
            raise refusal.Refusal(400, "bad_input", "The request's lines do not end with CRLF")
        self._seen = len(buffer)
        return end

    def _parse(self) -> None:
        source = Source(bytes(self.buffer))
        try:
            request = Request(self._cfg, source, self._client, self.count + 1)
        except (ParseException, NoMoreData, StopIteration, ValueError) as error:
            raise refusal.of(error) from None
        self.count += 1
        self.request, self.source, self.cut = request, source, False
        self.buffer, self._seen, self._line = bytearray(source.take_buffered()), 0, -1
        reader = request.body.reader
        if isinstance(reader, ChunkedReader):
            self._end, self.size = ChunkedEnd(), self._limits.body_bytes
        else:
            self._end, self.size = LengthEnd(reader.length), reader.length

    def _field(self, name: str) -> str:
        return next((str(v) for n, v in self.request.headers if n == name), "")
