"""Attackers that ask and talk without end."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
import time
from typing import TYPE_CHECKING

from benchmarks.holding import listened
from benchmarks.offers import fresh_offer
from benchmarks.target import BINARY, PING, SMALL, TEXT, Target, frame, ports
from benchmarks.texts import TEXTS

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

TOGETHER = 500
"""Messages in one write."""
PAGES = ("/docs", "/openapi.json", "/api/avatars/aigul/preview.jpg", "/api/voices", "/metrics")
SDP, FRAGMENT = "application/sdp", "application/trickle-ice-sdpfrag"


def _talk(target: Target, addresses: list[str], message: bytes) -> list[int]:
    found = [target.upgraded(address) for address in addresses]

    def read(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while connection.recv(1 << 16):
                continue

    def talk(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.settimeout(None)
            while not target.over:
                connection.sendall(message * TOGETHER)

    for connection in found:
        for work in (read, talk):
            threading.Thread(target=work, args=(connection,), daemon=True).start()
    return ports(found)


def text_messages(target: Target) -> list[int]:
    return _talk(target, [target.session()["socket_url"]] * target.count, frame(TEXT, b"{}"))


def binary_messages(target: Target) -> list[int]:
    return _talk(target, [target.session()["socket_url"]] * target.count, frame(BINARY, b""))


def pings(target: Target) -> list[int]:
    return _talk(target, [target.session()["socket_url"]] * target.count, frame(PING))


def talking_listeners(target: Target) -> list[int]:
    return _talk(target, [listened(target)] * target.count, frame(TEXT, b"hello"))


def sessions(target: Target) -> list[int]:
    """Made, and left."""
    target.keep(lambda: target.post("/api/sessions", SMALL))
    return []


def pages(target: Target) -> list[int]:
    turns = itertools.cycle(PAGES)
    target.keep(lambda: target.ask("GET", next(turns)))
    return []


def films(target: Target) -> list[int]:
    """Long ones, begun and dropped."""
    text = " ".join([TEXTS["ru"]] * 20)[:4900]
    body = json.dumps({"text": text, "size": "1280x1280", "fps": 60}).encode()
    head = (
        b"POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    )

    def drop() -> None:
        with target.connect(head + body):
            time.sleep(0.3)

    target.keep(drop)
    return []


def bad_texts(target: Target) -> list[int]:
    """One a second of each thread."""
    text = ".!" * 2500

    def ask() -> None:
        began_s = time.monotonic()
        target.post("/api/text", {"text": text, "language": "ru"})
        time.sleep(max(0.0, began_s + 1 - time.monotonic()))

    target.keep(ask)
    return []


def _crowd(target: Target, bodies: Sequence[bytes]) -> list[int]:
    """Each from an address of its own: none asks for more than its share."""
    numbers = itertools.count()

    def ask() -> None:
        number = next(numbers)
        source = f"127.0.1.{1 + number % 250}"
        body = bodies[number % len(bodies)]
        target.ask("POST", "/api/text", body, source, Content_Type="application/json")

    target.keep(ask)
    return []


def texts(target: Target) -> list[int]:
    """Full of what takes long to read."""
    dates = ("In 1003 5 dollars $5.25 at 12:30 on 5/6/2024 " * 120)[:4600]
    words = {f"w{number}": "reading " * 5 for number in range(200)}
    bodies = [{"text": dates, "language": "en"}, {"text": "w1 w2 w3", "dictionary": words}]
    return _crowd(target, [json.dumps(body).encode() for body in bodies])


def large_bodies(target: Target) -> list[int]:
    names = ",".join(f'"a{number}":1' for number in range(60_000))
    return _crowd(
        target,
        [
            b"{%s,%s}" % (names.encode(), b'"a59999":2'),
            b"[" + b"[]," * 300_000 + b"1]",
            json.dumps({"text": "a" * 900_000}).encode(),
        ],
    )


def offers(target: Target) -> list[int]:
    """Of which nothing follows."""
    target.keep(lambda: target.post("/api/realtime/offer", _offer()))
    return []


def whep(target: Target) -> list[int]:
    target.keep(lambda: target.ask("POST", "/whep", fresh_offer().encode(), Content_Type=SDP))
    return []


def patches(target: Target) -> list[int]:
    """Of a viewer that does not come."""
    made = target.session()
    numbers = itertools.count()

    def viewer() -> tuple[str, str]:
        offer = fresh_offer().encode()
        _, _, told = target.ask("POST", made["whep_url"], offer, Content_Type=SDP)
        return told["Location"], told["ETag"]

    here = [viewer()]

    def patch() -> None:
        place, tag = here[0]
        port = 2000 + next(numbers) % 60000
        body = b"a=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 %d typ host\r\n" % port
        status, _, _ = target.ask("PATCH", place, body, Content_Type=FRAGMENT, If_Match=tag)
        if status == 404:
            here[0] = viewer()

    target.keep(patch)
    return []


def _offer() -> dict[str, object]:
    return {"type": "offer", "sdp": fresh_offer(), **SMALL}
