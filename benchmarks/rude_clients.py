"""Clients that are cut in the middle of everything: whether nothing stays.

Each begins one exchange, and is gone at a random point of it: while its request goes out, or after
some bytes of the answer, or after a while. Most reset the connection, some close it, some close
their own side first. Afterwards jobs, sessions, sockets, threads, descriptors, children and files
must be as before, and the log must hold no error.

python -m benchmarks.rude_clients [--clients 5000] [--at-once 8] [--seed 1]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import socket
import struct
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.offers import fresh_offer
from benchmarks.server import Server
from benchmarks.session_viewer import call, patiently
from benchmarks.table import end, show
from benchmarks.target import SMALL, TEXT, frame, upgrade
from tests.below import files_below

if TYPE_CHECKING:
    from collections.abc import Callable

GRACE_S, CACHE_MB = 2, 1
PATIENCE_S = 90.0
SETTLED_S = 20.0
"""Peers that never came have 15 s for it."""
SLACK = {"threads": 24, "descriptors": 4, "sockets": 2}
"""By so much more than before is nothing that stays. The pools for requests and peers keep their
threads; memory is benchmarks.soak's."""
LONGEST_S, LONGEST_BYTES = 0.4, 60_000
"""Of the answer, before the cut."""
SAID = "Hello there, this is a short sentence."
FORM = "----rude"


class Exchanges:
    """What a client may ask, as bytes."""

    def __init__(self, server: Server, dice: random.Random) -> None:
        self._server, self._dice = server, dice
        self._session: dict[str, Any] = {}
        self._lock = threading.Lock()
        self.kinds: dict[str, Callable[[], bytes]] = {
            "stream": lambda: self._json("/api/stream_mjpeg", SMALL | {"text": SAID}),
            "film": lambda: self._json("/api/generate", SMALL | {"text": SAID}),
            "played film": lambda: self._json(
                "/api/generate", SMALL | {"text": SAID, "stream": True}
            ),
            "recording": lambda: self._form("/api/generate", "audio", "speech.wav"),
            "chunks": lambda: self._json(
                "/api/stream_chunks",
                {"text": SAID, "language": "en", "chunk_size": 3},
                "Accept: application/x-ndjson\r\n",
            ),
            "upload": lambda: self._form("/api/avatars", "file", "face.jpg"),
            "session": lambda: self._json("/api/sessions", SMALL),
            "say": self._say,
            "socket": self._socket,
            "session events": lambda: upgrade(self.session()["events_url"]),
            "job events": lambda: upgrade("/api/jobs/none/events"),
            "offer": lambda: self._json(
                "/api/realtime/offer", SMALL | {"type": "offer", "sdp": fresh_offer()}
            ),
            "whep": self._whep,
            "page": lambda: b"GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n",
        }

    def session(self) -> dict[str, Any]:
        """One that lives."""
        with self._lock:
            if self._session:
                place = f"/api/sessions/{self._session['session_id']}"
                with contextlib.suppress(Exception):
                    call(self._server.url, "GET", place, None)
                    return self._session
            self._session = patiently(
                lambda: call(self._server.url, "POST", "/api/sessions", dict(SMALL)), PATIENCE_S
            )
            return self._session

    def _say(self) -> bytes:
        made = self.session()
        path = f"/api/sessions/{made['session_id']}/say?token={made['token']}"
        return self._json(path, {"text": SAID, "replace": True})

    def _socket(self) -> bytes:
        video = self._dice.choice(["jpeg", "mp4", "none"])
        address = self.session()["socket_url"] + f"&video={video}&audio=pcm"
        said = json.dumps({"type": "say", "text": SAID, "replace": True}).encode()
        return upgrade(address) + frame(TEXT, said)

    def _whep(self) -> bytes:
        body = fresh_offer().encode()
        return _post(self.session()["whep_url"], "application/sdp", body)

    def _json(self, path: str, fields: dict[str, Any], more: str = "") -> bytes:
        return _post(path, "application/json", json.dumps(fields).encode(), more)

    def _form(self, path: str, name: str, file: str) -> bytes:
        head = f'--{FORM}\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"'
        body = f"{head}\r\n\r\n".encode() + self._dice.randbytes(200_000)
        body += f"\r\n--{FORM}--\r\n".encode()
        return _post(path, f"multipart/form-data; boundary={FORM}", body)


def _post(path: str, kind: str, body: bytes, more: str = "") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n{more}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def cut(address: tuple[str, int], data: bytes, dice: random.Random) -> str:
    """One client. How far it came."""
    connection = socket.create_connection(address, timeout=10)
    with contextlib.suppress(OSError), connection:
        how = dice.random()
        try:
            if how < 0.25:  # while its request goes out
                connection.sendall(data[: dice.randrange(len(data))])
                return "request"
            connection.sendall(data)
            if how < 0.4:
                connection.shutdown(socket.SHUT_WR)
            if how < 0.55:
                time.sleep(dice.random() * LONGEST_S)
                return "wait"
            until_s, most = time.monotonic() + LONGEST_S, dice.randrange(1, LONGEST_BYTES)
            while most > 0 and (left_s := until_s - time.monotonic()) > 0:
                connection.settimeout(left_s)
                part = connection.recv(min(most, 4096))
                if not part:
                    return "whole"
                most -= len(part)
            return "answer"
        except TimeoutError:
            return "answer"
        finally:
            if dice.random() < 0.8:
                reset = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
    return "refused"


def cut_all(server: Server, clients: int, at_once: int, seed: int) -> tuple[Counter[str], float]:
    """By exchange and by how far they came; and how long that took."""
    counts: Counter[str] = Counter()
    lock, left = threading.Lock(), iter(range(clients))
    exchanges = Exchanges(server, random.Random(seed))

    def work() -> None:
        while True:
            with lock:
                number = next(left, None)
            if number is None:
                return
            dice = random.Random(f"{seed}-{number}")
            kind = dice.choice(list(exchanges.kinds))
            came = "failed"
            with contextlib.suppress(OSError):
                came = cut(server.address, exchanges.kinds[kind](), dice)
            with lock:
                counts.update([kind, f"cut: {came}"])

    began_s = time.monotonic()
    threads = [threading.Thread(target=work) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return counts, time.monotonic() - began_s


def state(server: Server, folders: list[Path]) -> dict[str, int]:
    files = size = 0
    for path in (path for folder in folders for path in files_below(folder)):
        with contextlib.suppress(FileNotFoundError):  # it has just been removed
            size += path.stat().st_size
            files += 1
    jobs = server.health()["capacity"]["jobs"]
    return {"jobs": jobs, **server.held(), "files": files, "file_kb": size >> 10}


def settled(server: Server, folders: list[Path]) -> tuple[dict[str, int], float]:
    """Once jobs, sessions and children have ended; and how long that took."""
    began_s = time.monotonic()
    while True:
        seen = state(server, folders)
        spent_s = time.monotonic() - began_s
        if not (seen["jobs"] or seen["sessions"] or seen["children"]) or spent_s > PATIENCE_S:
            time.sleep(SETTLED_S)  # peers that say goodbye, files that are removed
            return state(server, folders), spent_s
        time.sleep(0.2)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=5000)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "work"
        work.mkdir()
        settings = [f"SESSION_GRACE_S={GRACE_S}", f"WORK_DIR={work}", "CPU_SHARE=1"]
        settings.append(f"CACHE_MB={CACHE_MB}")
        with Server("", settings) as server:
            time.sleep(SETTLED_S)
            cut_all(server, 20 * chosen.at_once, chosen.at_once, 0)  # what is loaded once stays
            before, _ = settled(server, [work])
            counts, spent_s = cut_all(server, chosen.clients, chosen.at_once, chosen.seed)
            at_once = state(server, [work])
            after, gone_s = settled(server, [work])
            errors = server.errors()
    stays = [name for name in SLACK if after[name] > before[name] + SLACK[name]]
    stays += [name for name in ("jobs", "sessions", "children") if after[name]]
    # Chunks that are ready are kept for whoever asks for them, up to CACHE_MB.
    stays += ["file_kb"] * (after["file_kb"] > (CACHE_MB << 10))
    passed = not (stays or errors or counts["cut: failed"])
    show(
        f"{chosen.clients} clients cut within {spent_s:.0f} s; all gone {gone_s:.1f} s after the"
        f" last; {len(errors)} errors in the log",
        ["", *before],
        [["before", *before.values()], ["at the last", *at_once.values()]]
        + [["after", *after.values()]],
    )
    show("Exchanges", ["", "clients"], [[name, count] for name, count in sorted(counts.items())])
    print(f"\n{'PASS' if passed else 'FAIL'}", *stays, *errors[:10], sep="\n")
    end(
        "rude_clients",
        {
            "clients": chosen.clients,
            "spent_s": round(spent_s, 1),
            "gone_s": round(gone_s, 1),
            "counts": counts,
            "errors": len(errors),
            "before": before,
            "after": after,
            "stays": stays,
            "passed": passed,
        },
    )
    return not passed


if __name__ == "__main__":
    sys.exit(main())
