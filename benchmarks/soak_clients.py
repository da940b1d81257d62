"""Who comes to a server that runs for long: readers, films, uploads, and those that leave rudely.

Each works in a thread of its own until it is closed. What a full server refuses (503, 429) is
counted and asked for again; anything else that goes wrong is a fault.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
import urllib.request
import uuid
from typing import TYPE_CHECKING

import cv2

from app_core.config import ROOT
from benchmarks.mjpeg_reader import MjpegReader
from benchmarks.notes import PATIENCE_S
from benchmarks.rude_peers import Peers
from benchmarks.session_viewer import Refused, SessionViewer, asked, call
from benchmarks.texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.server import Server

FULL = (429, 503)
AGAIN_S, LOOK_S = 1.0, 0.5
FILM_S, FACE_S = 240.0, 120.0
"""For one to be made."""
REFUSED_AT = 400
_PEER_EVERY = 4
"""Of those that leave rudely, so many bring a process over WebRTC."""


class Client:
    """``turn()`` is done every ``every_s`` seconds, or as soon as it is over."""

    def __init__(self, name: str, turn: Callable[[Client], None], every_s: float = 0.0) -> None:
        self.name, self._turn, self._every_s = name, turn, every_s
        self.done = self.refused = 0
        self.faults: list[str] = []
        self.closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.closing.set()
        self._thread.join(PATIENCE_S)

    def _run(self) -> None:
        while not self.closing.is_set():
            began_s = time.monotonic()
            try:
                self._turn(self)
                self.done += 1
                rest_s = self._every_s - (time.monotonic() - began_s)
            except Refused as refused:
                if refused.status in FULL:
                    self.refused += 1
                else:
                    self.faults.append(f"{self.name}: {refused}")
                rest_s = AGAIN_S
            except Exception as error:
                if not self.closing.is_set():
                    self.faults.append(f"{self.name}: {type(error).__name__}: {error}")
                rest_s = AGAIN_S
            self.closing.wait(max(rest_s, 0.01))


def reads(server: Server, language: str, shown: dict[str, str]) -> Callable[[Client], None]:
    """A stream of pictures to its end."""
    fields = {"text": TEXTS[language], "language": language, **shown}

    def turn(client: Client) -> None:
        reader = MjpegReader(server.address, fields)
        try:
            while not reader.ended and not client.closing.is_set():
                reader.receive()
                if reader.status >= REFUSED_AT:
                    raise Refused(reader.status, "a reader")
            if reader.ended and not (reader.good and reader.arrivals):
                raise RuntimeError("the stream was broken off")
        finally:
            reader.close()

    return turn


def leaves_rudely(server: Server) -> Callable[[Client], None]:
    """A session whose viewer resets its connection, or that nobody looks at; or a WebRTC peer that
    is killed."""
    turns = itertools.count(1)

    def turn(client: Client) -> None:
        number = next(turns)
        if number % _PEER_EVERY == 0:
            Peers(server.url, 1, "128x128").kill()
        elif number % 2:
            viewer = SessionViewer(server.url, keep=False, size="128x128", language="en")
            viewer.tell("say", text=TEXTS["en"])
            client.closing.wait(2.0)
            viewer.kill()
        else:
            call(server.url, "POST", "/api/sessions", {"size": "128x128", "language": "en"})

    return turn


def films(server: Server, shown: dict[str, str]) -> Callable[[Client], None]:
    """One that is kept, asked for until it is there, and read."""

    def turn(client: Client) -> None:
        fields = {"text": TEXTS["ru"], "language": "ru", **shown}
        wants = {"Content-Type": "application/json", "Prefer": "respond-async"}
        body = json.dumps(fields).encode()
        made = asked(urllib.request.Request(f"{server.url}/api/generate", body, wants))
        until_s = time.monotonic() + FILM_S
        while made["status"] in ("queued", "running"):
            if client.closing.wait(LOOK_S):
                return
            if time.monotonic() > until_s:
                raise TimeoutError("a film")
            made = call(server.url, "GET", f"/api/jobs/{made['id']}", None)
        if made["status"] != "done":
            raise RuntimeError(f"a film: {made['error']}")
        with urllib.request.urlopen(server.url + made["result_url"], timeout=PATIENCE_S) as film:
            if film.read(8)[4:] != b"ftyp":
                raise RuntimeError("a film that is none")
            while film.read(1 << 16):
                pass

    return turn


def uploads(server: Server) -> Callable[[Client], None]:
    """A photo that becomes a face and is removed again."""
    still = cv2.imread(str(ROOT / "avatar" / "aigul" / "still.png"))
    assert still is not None
    _, jpeg = cv2.imencode(".jpg", still)

    def turn(client: Client) -> None:
        mark = uuid.uuid4().hex
        data = jpeg.tobytes()[:-2] + b"\xff\xfe\x00\x22" + mark.encode() + b"\xff\xd9"
        parts = {"consent": b"true", "id": f"soak-{mark}".encode()}
        lines = [
            b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
            % (mark.encode(), name.encode(), value)
            for name, value in parts.items()
        ]
        file = b'--%s\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
        body = b"".join(lines) + file % mark.encode() + data + b"\r\n--%s--\r\n" % mark.encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={mark}"}
        made = asked(urllib.request.Request(f"{server.url}/api/avatars", body, kind), FACE_S)
        call(server.url, "DELETE", f"/api/avatars/{made['id']}", None)

    return turn
