"""Clients that take up room and give nothing: a process of its own holds their connections.

python -m benchmarks.attackers KIND COUNT HOLD_S HOST PORT [PATH]
"""

from __future__ import annotations

import json
import socket
import sys
import time

KINDS = {
    "nobody": 0,
    "closers": 60,
    "half heads": 160,
    "no body": 160,
    "downloads": 156,
    "silent": 500,
}
"""How many of each are held."""


def request(kind: str, path: str) -> bytes:
    if kind == "closers":
        return b"GET /api/voices HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    if kind == "half heads":
        return b"POST /api/stream_mjpeg HTTP/1.1\r\nHost: localhost\r\nContent-Ty"
    if kind == "no body":
        return (
            b"POST /api/stream_mjpeg HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
        )
    if kind == "downloads":
        return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    return b""


def hold(kind: str, count: int, hold_s: float, address: tuple[str, int], path: str) -> None:
    """Writes the connections' own ports as JSON when all have asked; closes them after
    ``hold_s``."""
    data = request(kind, path)
    held = []
    for _ in range(count):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        connection.settimeout(10)
        try:
            connection.connect(address)
            connection.sendall(data)
        except OSError:
            pass
        held.append(connection)
    ports = [connection.getsockname()[1] for connection in held]
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    time.sleep(hold_s)
    for connection in held:
        connection.close()


if __name__ == "__main__":
    kind, count, hold_s, host, port, *path = sys.argv[1:]
    hold(kind, int(count), float(hold_s), (host, int(port)), path[0] if path else "/")
