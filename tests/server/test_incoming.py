"""Heads and bodies, however their bytes are cut."""

from __future__ import annotations

import random
import socket
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.body import ChunkedReader
from gunicorn.http.unreader import IterUnreader

from app_core.server.body_end import ChunkedEnd, LengthEnd
from app_core.server.incoming import Incoming, Step
from app_core.server.limits import Limits
from app_core.server.outgoing import Outgoing
from app_core.server.refusal import Refusal
from app_core.server.source import Source

LIMITS = Limits(threads=1, line_bytes=200, fields_bytes=300, body_bytes=1000, send_s=0.05)
FORM = b"Content-Type: Multipart/Form-Data; boundary=x\r\n"


def incoming() -> Incoming:
    cfg = Config()
    cfg.set("limit_request_line", 0)
    return Incoming(cfg, ("127.0.0.1", 1), LIMITS)


def fed(data: bytes, step: int = 1 << 20) -> tuple[Incoming, Step, int]:
    """Also how many bytes it took."""
    found = incoming()
    for at in range(0, len(data), step):
        found.buffer += data[at : at + step]
        if (said := found.step()) is not Step.MORE:
            return found, said, at + step
    return found, Step.MORE, len(data)


def head(method: str = "POST", path: str = "/", fields: bytes = b"") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n".encode() + fields + b"\r\n"


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1 << 20])
@pytest.mark.parametrize(
    ("fields", "body", "read"),
    [
        (b"", b"", b""),
        (b"Content-Length: 5\r\n", b"12\r\n5", b"12\r\n5"),
        (b"Transfer-Encoding: chunked\r\n", b"3\r\n12\r\r\n1;a=b\r\n\n\r\n0\r\n\r\n", b"12\r\n"),
        (b"Transfer-Encoding: chunked\r\n", b"A\r\n0123456789\r\n0\r\nX: y\r\n\r\n", b"0123456789"),
    ],
)
def test_a_request_is_ready_with_its_last_byte(
    step: int, fields: bytes, body: bytes, read: bytes
) -> None:
    data = b"\r\n" + head(fields=fields) + body
    assert fed(data[:-1], step)[1] is Step.MORE
    found, said, _ = fed(data, step)
    assert (said, found.cut) == (Step.READY, False)
    assert found.request.body.read() == read
    assert found.source.whole
    found.next()
    assert found.buffer == b""


def test_requests_in_a_row() -> None:
    found = incoming()
    found.buffer += head(fields=b"Content-Length: 3\r\n") + b"abc" + head("GET", "/next") + b"GET"
    assert found.step() is Step.READY
    assert found.request.body.read() == b"abc"
    found.next()
    assert found.step() is Step.READY
    assert (found.request.path, found.count) == ("/next", 2)
    found.next()
    assert (found.step(), found.buffer) == (Step.MORE, b"GET")


@pytest.mark.parametrize(
    ("fields", "said", "cut"),
    [
        (b"Content-Length: 1000\r\n", Step.MORE, False),
        (b"Content-Length: 1001\r\n", Step.READY, True),
        (FORM + b"Content-Length: 1000\r\n", Step.MORE, False),
        (FORM + b"Content-Length: 1001\r\n", Step.UPLOAD, False),
        (FORM + b"Transfer-Encoding: chunked\r\n", Step.UPLOAD, False),
        (b"Transfer-Encoding: chunked\r\n", Step.MORE, False),
    ],
)
def test_large_bodies_are_not_awaited(fields: bytes, said: Step, cut: bool) -> None:
    found, *rest = fed(head(fields=fields))
    assert (rest[0], found.cut) == (said, cut)


def test_chunks_without_an_end_are_refused() -> None:
    started = head(fields=b"Transfer-Encoding: chunked\r\n")
    assert fed(started + b"1\r\nx\r\n" * 150, 10)[1] is Step.MORE
    with pytest.raises(Refusal, match="larger than 1 MiB") as refused:
        fed(started + b"1\r\nx\r\n" * 400, 10)
    assert (refused.value.status, refused.value.code) == (413, "too_large")


@pytest.mark.parametrize("step", [1, 50, 1 << 20])
@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /" + b"x" * 196, 414),
        (head("GET", "/" + "x" * 300), 414),
        (head("GET", "/" + "x" * 150, b"X: " + b"y" * 350), 431),
        (b"GET / HTTP/1.1\r\nX: y\n", 400),
        (b"\x16\x03\x01\r\n\r\n", 400),
        (head("GET", "/\xff"), 400),
        (head(fields=b"Content-Length: " + b"9" * 250 + b"x\r\n"), 400),
        (head(fields=b"X Y: 1\r\n"), 400),
    ],
)
def test_heads_that_are_refused(data: bytes, status: int, step: int) -> None:
    with pytest.raises(Refusal) as caught:
        fed(data, step)
    assert caught.value.status == status


def test_the_continue_is_said_once() -> None:
    found, said, _ = fed(head(fields=b"Content-Length: 5\r\nExpect: 100-Continue\r\n"))
    assert said is Step.MORE
    assert [found.take_continue(), found.take_continue()] == [True, False]
    for fields in (b"Content-Length: 0\r\n", b"Content-Length: 5000\r\n"):
        ready = fed(head(fields=fields + b"Expect: 100-continue\r\n"))[0]
        assert not ready.take_continue(), "nothing is awaited"


def read_chunks(data: bytes) -> bytes | None:
    """By gunicorn's reader, which has the last word. None: it wants more, or fails."""

    class Message:
        limit_request_field_size = max_buffer_headers = 8190

        def parse_headers(self, data: bytes, from_trailer: bool) -> list[Any]:
            return []

    unreader = IterUnreader([data])
    try:
        ChunkedReader(Message(), unreader).read(1 << 20)
    except Exception:
        return None
    return bytes(unreader.take_buffered())


def test_the_end_of_chunks_is_where_the_reader_finds_it() -> None:
    dice = random.Random(1)
    for _ in range(300):
        chunks = [dice.randbytes(dice.randrange(1, 40)) for _ in range(dice.randrange(4))]
        body = b"".join(b"%X\r\n%b\r\n" % (len(c), c) for c in chunks) + b"0\r\n"
        body += dice.choice([b"\r\n", b"A: b\r\n\r\n", b"A: b\r\nC: d\r\n\r\n"])
        end, at = ChunkedEnd(), 0
        while not end.whole:
            assert at < len(body), body
            step = dice.randrange(1, 9)
            end.feed(body[at : at + step])
            at += step
        assert at - step < len(body) <= at
        assert read_chunks(body + b"next") == b"next"
        assert read_chunks(body[:-1]) is None


@pytest.mark.parametrize("body", [b"zz\r\n", b"\r\n", b"5\nabcde", b"-1\r\n", b"5" * 9000])
def test_chunks_that_cannot_be_read_end_at_once(body: bytes) -> None:
    end = ChunkedEnd()
    end.feed(body)
    assert end.whole
    assert read_chunks(body) is None


def test_a_source_never_reads_beyond_its_body() -> None:
    ours, theirs = socket.socketpair()
    told = []
    with ours, theirs:
        source = Source(b"ab")
        source.follow(ours, LIMITS, LengthEnd(3), lambda: told.append(1), invites=False)
        assert source.read(2) == b"ab"
        with pytest.raises(TimeoutError):
            source.read(1)
        theirs.sendall(b"cde")
        assert (source.read(3), told, source.whole) == (b"cde", [1], True)
        theirs.sendall(b"more")
        assert source.read(1) == b""


def test_an_answer_that_is_not_taken_is_no_wait() -> None:
    ours, theirs = socket.socketpair()
    told: list[int] = []
    with ours, theirs:
        ours.setblocking(False)
        answer = Outgoing(bytes(8 << 20), ended=lambda: told.append(1))
        with pytest.raises(BlockingIOError):
            while True:
                answer.send(ours)
        assert not answer.done
        theirs.close()
        with pytest.raises(OSError):
            answer.send(ours)
    ended = answer.take_end()
    assert ended is not None and answer.take_end() is None
