"""A speech server that hums, in each form that there is, and can misbehave in any way."""

from __future__ import annotations

import base64
import io
import json
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 24000
CHARACTER_S = 0.06
_PATIENCE_S = 10.0

Int16 = NDArray[np.int16]


def hum(text: str, rate: int = RATE, speed: float = 1.0) -> Int16:
    """Each character has its own height, so that another text is another sound."""
    length = int(CHARACTER_S / speed * rate)
    time_s = np.arange(length) / rate
    tones = [np.sin(2 * np.pi * (150 + ord(c) % 97 * 3) * time_s) for c in text]
    return np.rint(np.concatenate(tones) * 9000).astype(np.int16)


def wav(samples: Int16, rate: int = RATE, channels: int = 1, size: int | None = None) -> bytes:
    """``size``: what the header says of the samples' bytes."""
    data = samples.astype("<i2").tobytes()
    told = len(data) if size is None else size
    fields = struct.pack("<HHIIHH", 1, channels, rate, rate * channels * 2, channels * 2, 16)
    riff = struct.pack("<4sI4s4sI", b"RIFF", min(36 + told, 0xFFFFFFFF), b"WAVE", b"fmt ", 16)
    return riff + fields + struct.pack("<4sI", b"data", told) + data


def encoded(samples: NDArray[Any], form: str, rate: int = RATE, **told: Any) -> bytes:
    """FLAC, OGG, MP3 and kinds of WAV, by libsndfile."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=form, **told)
    return file.getvalue()


@dataclass(frozen=True)
class Asked:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def text(self) -> str:
        return str(self.body.get("input") or self.body.get("text"))


class Handler(BaseHTTPRequestHandler):
    """What a behaviour answers with."""

    protocol_version = "HTTP/1.1"
    timeout = _PATIENCE_S
    server: SpeechServer
    asked: Asked

    def setup(self) -> None:
        super().setup()
        self.server.count(1)

    def finish(self) -> None:
        try:
            super().finish()
        except OSError:
            pass
        self.server.count(-1)

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.asked = Asked(self.path, dict(self.headers), json.loads(body))
        self.server.asked.append(self.asked)
        behaviour = self.server.behaviours.pop(0) if self.server.behaviours else speak
        try:
            behaviour(self)
        except OSError:
            self.close_connection = True

    def head(self, kind: str = "audio/wav", status: int = 200, **headers: Any) -> None:
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def whole(
        self, body: bytes, kind: str = "audio/wav", status: int = 200, **headers: Any
    ) -> None:
        self.head(kind, status, Content_Length=len(body), **headers)
        self.wfile.write(body)

    def chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def chunked(self, parts: Sequence[bytes], kind: str = "audio/wav", **headers: Any) -> None:
        self.head(kind, Transfer_Encoding="chunked", **headers)
        for part in parts:
            self.chunk(part)
        self.wfile.write(b"0\r\n\r\n")

    def until_closed(self) -> None:
        """Waits for the client to leave, and tells that it did."""
        try:
            gone = not self.rfile.read(1)
        except ConnectionResetError:  # it had not read all that came
            gone = True
        if gone:
            self.server.left.set()
        self.close_connection = True

    def break_off(self) -> None:
        """Ends the connection without the end of the body."""
        self.wfile.flush()
        self.close_connection = True


Behaviour = Callable[[Handler], None]


def speak(handler: Handler) -> None:
    """As a server that does what it is asked for."""
    body = handler.asked.body
    samples = hum(handler.asked.text, speed=float(body.get("speed", 1)))
    form = body.get("response_format", "wav")
    if body.get("stream_format") == "sse":
        data = wav(samples)
        events = [
            {"type": "speech.audio.delta", "audio": base64.b64encode(data[at : at + 5001]).decode()}
            for at in range(0, len(data), 5001)
        ]
        lines = [*map(json.dumps, events), json.dumps({"type": "speech.audio.done"})]
        handler.chunked([f"data: {line}\n\n".encode() for line in lines], "text/event-stream")
    elif form == "pcm":
        data = samples.tobytes()
        # Samples are cut in the middle.
        handler.chunked([data[at : at + 4001] for at in range(0, len(data), 4001)], "audio/pcm")
    elif form == "wav":
        handler.whole(wav(samples))
    elif form == "opus":
        handler.whole(encoded(samples, "OGG", subtype="OPUS"), "audio/ogg")
    else:
        handler.whole(encoded(samples, form.upper()), f"audio/{form}")


class SpeechServer(ThreadingHTTPServer):
    """On a free port of this machine. ``behaviours`` are for the next requests, one each."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, 0), Handler)
        self.behaviours: list[Behaviour] = []
        self.asked: list[Asked] = []
        self.left = threading.Event()
        """A client has gone while ``until_closed`` waited."""
        self.opened = 0
        """Connections so far."""
        self.open = 0
        """Connections now."""
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def count(self, change: int) -> None:
        with self._lock:
            self.open += change
            self.opened += max(change, 0)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass

    def close(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
