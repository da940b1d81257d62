"""Those who are in the middle of something: streams, a session, a film, an upload."""

from __future__ import annotations

import http.client
import json
import threading
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.mjpeg_reader import MjpegReader
from benchmarks.server import ROOT
from benchmarks.session_viewer import SessionViewer, call
from benchmarks.texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.server import Server

PATIENCE_S = 120.0
LONG = " ".join([TEXTS["en"]] * 8)
SIZE = "256x256"
CLIP = ROOT / "avatar" / "aigul" / "loop.mp4"


class Asking:
    """A call in a thread of its own: what came of it, and when."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self.ended_s: float | None = None
        self.answer: Any = None
        """What the call gave, or the error by which it ended."""
        self._call = call
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def join(self, timeout_s: float) -> bool:
        """Whether it is over."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.answer = self._call()
        except Exception as error:
            self.answer = error
        self.ended_s = time.monotonic()


def ask(
    address: tuple[str, int], path: str, body: bytes, kind: str = "application/json"
) -> tuple[int, bytes]:
    """Status and answer of a POST. Raises OSError or HTTPException when the connection is cut."""
    connection = http.client.HTTPConnection(*address, timeout=PATIENCE_S)
    try:
        connection.request("POST", path, body, {"Content-Type": kind})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def film(server: Server, text: str = LONG, size: str = SIZE, **fields: Any) -> Asking:
    body = json.dumps({"text": text, "size": size, **fields}).encode()
    return Asking(lambda: ask(server.address, "/api/generate", body))


def form(fields: dict[str, str], name: str, file: bytes) -> tuple[bytes, str]:
    """Body and type of a form with one file."""
    edge = uuid.uuid4().hex
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = f'--{edge}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n\r\n'
    body = b"".join([*parts, head.encode(), file, f"\r\n--{edge}--\r\n".encode()])
    return body, f"multipart/form-data; boundary={edge}"


def upload(server: Server, file: Path = CLIP) -> Asking:
    """A face, which waits for its import."""
    body, kind = form({"name": "Chaos", "consent": "true"}, "file", file.read_bytes())
    return Asking(lambda: ask(server.address, "/api/avatars", body, kind))


def uploaded(server: Server) -> list[str]:
    """Faces beside the one that is shipped, those on their way too."""
    found = call(server.url, "GET", "/api/avatars", None)["avatars"]
    return [avatar["id"] for avatar in found if avatar["id"] != "aigul"]


class Stream:
    """Reads a stream of pictures until its end."""

    def __init__(self, server: Server, text: str = LONG, **fields: Any) -> None:
        self.reader = MjpegReader(server.address, {"text": text, "size": SIZE, **fields})
        self.asking = Asking(self._read)

    def _read(self) -> int:
        """Pictures."""
        with self.reader.socket:
            while not self.reader.ended:
                self.reader.receive()
        return len(self.reader.arrivals)


class Everything:
    """Two streams, a session that speaks, a film and an upload, all of which have begun."""

    def __init__(self, server: Server) -> None:
        self.streams = [Stream(server) for _ in range(2)]
        self.viewer = SessionViewer(server.url, keep=False, size=SIZE)
        self.viewer.tell("say", text=TEXTS["en"])
        self.viewer.wait_event("speech_started")
        self.others = [film(server), upload(server)]
        self._asked = [*(stream.asking for stream in self.streams), *self.others]
        end_s = time.monotonic() + PATIENCE_S
        while not (
            all(stream.reader.arrivals for stream in self.streams)
            and server.health()["capacity"]["jobs"] > len(self.streams)
            and uploaded(server)
        ):
            ended = [asking.answer for asking in self._asked if asking.ended_s is not None]
            if ended or time.monotonic() > end_s:
                raise RuntimeError(f"not everything begins: {str(ended)[:200]}")
            time.sleep(0.05)

    def ended_s(self, since_s: float, most_s: float) -> float | None:
        """How long after ``since_s`` the last one had ended; None: not within ``most_s``."""
        until_s = since_s + most_s
        for asking in self._asked:
            if not asking.join(max(0.0, until_s - time.monotonic())):
                return None
        while not self.viewer.ended:
            if time.monotonic() > until_s:
                return None
            time.sleep(0.01)
        return max(asking.ended_s or 0.0 for asking in self._asked) - since_s
