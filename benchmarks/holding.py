"""Attackers that hold connections."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from typing import TYPE_CHECKING

from benchmarks.target import BINARY, SMALL, TEXT, Target, frame, ports, upgrade
from benchmarks.texts import TEXTS

if TYPE_CHECKING:
    import socket


def closers(target: Target) -> list[int]:
    return target.hold(b"GET /api/voices HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")


def half_heads(target: Target) -> list[int]:
    return target.hold(b"POST /api/stream_mjpeg HTTP/1.1\r\nHost: localhost\r\nContent-Ty")


def no_body(target: Target) -> list[int]:
    return target.hold(
        b"POST /api/stream_mjpeg HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    )


def downloads(target: Target) -> list[int]:
    return target.hold(f"GET {target.path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())


def silent(target: Target) -> list[int]:
    return target.hold(b"")


def half_upgrades(target: Target) -> list[int]:
    return target.hold(upgrade("/api/sessions/none/socket")[:-4])


def half_whep(target: Target) -> list[int]:
    return target.hold(
        b"POST /whep HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sdp\r\n"
        b"Content-Length: 5000\r\n\r\nv=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\n"
    )


def deaf_sockets(target: Target) -> list[int]:
    """Viewers that never read: more than the kernels hold is on its way to them."""
    made = target.session(fps=25)
    address = made["socket_url"] + "&video=jpeg&audio=pcm"
    return ports([target.upgraded(address, 4096) for _ in range(target.count)])


def pongless_sockets(target: Target) -> list[int]:
    """They read, and say nothing."""
    made = target.session()
    address = made["events_url"]
    found = [target.upgraded(address) for _ in range(target.count)]
    _read_all(found)
    return ports(found)


def staying_sockets(target: Target) -> list[int]:
    """Their session ends, and they do not."""
    made = target.session()
    found = [target.upgraded(made["socket_url"]) for _ in range(target.count)]
    _read_all(found)
    target.ask("DELETE", f"/api/sessions/{made['session_id']}?token={made['token']}")
    return ports(found)


def deaf_listeners(target: Target) -> list[int]:
    """Of a film that takes long."""
    address = listened(target)
    return ports([target.upgraded(address, 4096) for _ in range(target.count)])


def trickling_sockets(target: Target) -> list[int]:
    """Sound that the face has to say, a sample every half second."""
    made = target.session()
    found = [target.upgraded(made["socket_url"]) for _ in range(target.count)]
    _read_all(found)

    def trickle() -> None:
        opening = {"type": "audio", "sample_rate": 16000}
        for number, connection in enumerate(found):
            text = json.dumps(opening | {"utterance_id": str(number)}).encode()
            with contextlib.suppress(OSError):
                connection.sendall(frame(TEXT, text))
        while not target.over:
            for connection in found:
                with contextlib.suppress(OSError):
                    connection.sendall(frame(BINARY, b"\0\0"))
            time.sleep(0.5)

    threading.Thread(target=trickle, daemon=True).start()
    return ports(found)


def listened(target: Target) -> str:
    """The events of a job that goes on."""
    fields = {"text": " ".join([TEXTS["en"]] * 8), **SMALL, "fps": 60}
    while not target.over:
        status, job = target.post("/api/generate", fields, Prefer="respond-async")
        if status == 202:
            target.jobs.append(job["id"])
            return str(job["events_url"])
        time.sleep(0.2)
    raise TimeoutError("no film is let in")


def _read_all(connections: list[socket.socket]) -> None:
    """Each is read until it ends, and not closed."""

    def read(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.settimeout(None)
            while connection.recv(1 << 16):
                continue

    for connection in connections:
        threading.Thread(target=read, args=(connection,), daemon=True).start()
