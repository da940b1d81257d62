"""A client of Soyle in one file. Needs ``requests``; ``events`` and ``frames`` need
``websocket-client`` too.

with Soyle("http://localhost:5000", retries=3) as soyle:
    with soyle.stream("Сәлем, әлем!", language="kk") as frames:
        for frame in frames:
            show(frame.jpeg, at=frame.seconds)
    soyle.generate("Hello!", "hello.mp4", language="en", progress=print)
    with soyle.session(language="en") as face:
        face.say("Hello! I stay.")
        for event in face.events():
            print(event)
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import requests

POLL_S = 0.25
LONGEST_WAIT_S = 30.0
BLOCK = 1 << 16

Progress = Callable[[dict[str, Any]], object]


class SoyleError(Exception):
    """``str(error)`` is the server's sentence; ``code`` its stable word.

    ``status`` is 0 when the server was not reached or the answer broke off.
    """

    def __init__(
        self,
        sentence: str,
        *,
        code: str,
        status: int = 0,
        field: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(sentence)
        self.code, self.status, self.field, self.retry_after = code, status, field, retry_after


@dataclass(frozen=True, slots=True)
class Frame:
    index: int
    seconds: float
    """Time on the clock of the sound."""
    jpeg: bytes


class FrameStream:
    """Frames as they arrive. Leaving it early cancels the render."""

    def __init__(self, response: requests.Response, server: str) -> None:
        self._response = response
        self.job_id = response.headers["X-Job-Id"]
        self.frame_rate = int(response.headers["X-Frame-Rate"])
        self.audio_url = urljoin(server, response.headers["X-Audio-Url"])

    def __iter__(self) -> Iterator[Frame]:
        for headers, body in _parts(self._response):
            if headers["content-type"] != "image/jpeg":
                raise _error(json.loads(body))
            yield Frame(int(headers["x-frame"]), float(headers["x-timestamp"]), body)

    def close(self) -> None:
        self._response.close()

    def __enter__(self) -> FrameStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Packet(NamedTuple):
    """What a session sends: one picture, or the sound of one frame."""

    kind: str
    """jpeg, mp4_start (the film's beginning), mp4, pcm (16-bit mono, 48 kHz) or opus."""
    frame: int
    seconds: float
    """On the session's clock, which pictures and sound share."""
    generation: int
    """Interrupts so far: what has an older one is not to be heard any more."""
    data: bytes
    idle: bool
    """Nobody speaks in it."""


class LiveSession:
    """A face that stays. Leaving the ``with`` block ends it. Any thread may command it, another
    look. Every call raises SoyleError.
    """

    def __init__(self, soyle: Soyle, made: dict[str, Any]) -> None:
        self._soyle = soyle
        self.session_id: str = made["session_id"]
        self.token: str = made["token"]
        """Commands the session; ``view_token`` only looks."""
        self.view_token: str = made["view_token"]
        self.socket_url: str = made["socket_url"]
        self.events_url: str = made["events_url"]

    def say(self, text: str, **fields: Any) -> str:
        """Queues a text; the utterance's id. ``fields``: language, voice, speed, pitch, dictionary,
        utterance_id, more, and replace, which interrupts what is heard and what waits."""
        return str(self._tell("say", text=text, **fields)["utterance_id"])

    def say_stream(self, pieces: Iterable[str], **fields: Any) -> str | None:
        """Says a text while it is being written, as by a language model: from its first clause on.
        No more pieces are taken once it is interrupted. None when there were none."""
        named = fields.pop("utterance_id", None) or str(uuid.uuid4())
        begun = False
        try:
            for piece in pieces:
                if piece:
                    self._tell("say", text=piece, utterance_id=named, more=True, **fields)
                    begun = True
                    fields.pop("replace", None)
        except SoyleError as error:
            if error.code != "interrupted":
                raise
            begun = False
            close = getattr(pieces, "close", None)  # ends what a generator waits for
            if close is not None:
                close()
            return named
        finally:
            if begun:
                with contextlib.suppress(SoyleError):  # interrupted, or the session has ended
                    self._tell("say", text="", utterance_id=named)
        return named if begun else None

    def interrupt(self, utterance_id: str | None = None) -> dict[str, Any]:
        """Ends what is heard and all that waits, or one by its id; ``position_s`` and ``heard``."""
        return self._tell("interrupt", utterance_id=utterance_id)

    def avatar(self, avatar: str) -> None:
        """For what follows."""
        self._tell("avatar", avatar=avatar)

    def voice(self, voice: str | None = None, language: str | None = None) -> None:
        """For what follows; None leaves it."""
        self._tell("voice", voice=voice, language=language)

    def state(self) -> dict[str, Any]:
        return self._soyle._json("GET", self._path, headers=self._bearer)

    def events(self) -> Iterator[dict[str, Any]]:
        """What happens, event by event, until the session's end."""
        for message in self._soyle._listen(self.events_url):
            if isinstance(message, str):
                yield json.loads(message)

    def frames(self, video: str = "jpeg", audio: str = "pcm") -> Iterator[Packet]:
        """Pictures (jpeg, mp4 or none) and sound (pcm, opus or none) as they leave."""
        for message in self._soyle._listen(f"{self.socket_url}&video={video}&audio={audio}"):
            if isinstance(message, bytes):
                kind, flags, generation, frame, micros = _HEADER.unpack_from(message)
                data, idle = message[_HEADER.size :], bool(flags & _IDLE)
                yield Packet(_KINDS[kind], frame, micros / 1e6, generation, data, idle)

    def close(self) -> None:
        """Ends the session. One that has ended stays as it is."""
        try:
            self._soyle._json("DELETE", self._path, headers=self._bearer)
        except SoyleError as error:
            if error.status != 404:
                raise

    def __enter__(self) -> LiveSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _path(self) -> str:
        return f"api/sessions/{self.session_id}"

    @property
    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def _tell(self, what: str, **fields: Any) -> dict[str, Any]:
        return self._soyle._json("POST", f"{self._path}/{what}", json=fields, headers=self._bearer)


_HEADER = struct.Struct("<BBxxIQQ")
_KINDS = {1: "jpeg", 2: "mp4_start", 3: "mp4", 4: "pcm", 5: "opus"}
_IDLE = 2


class Soyle:
    """``retries``: how often a 503 or 429 is tried again, each time after its Retry-After.

    ``fields`` of every render are those of the HTTP contract: language, avatar, voice, size, fps,
    speed, job_id and the route's own. ``audio``: a sound file that is said in place of the text,
    which then is its transcript, or empty; without voice and speed. Every call raises SoyleError.
    """

    def __init__(
        self,
        server: str = "http://localhost:5000",
        token: str | None = None,
        *,
        retries: int = 0,
        timeout_s: float = 60.0,
    ) -> None:
        self._server, self._retries, self._timeout_s = server.rstrip("/") + "/", retries, timeout_s
        self._session = requests.Session()
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def stream(self, text: str = "", audio: str | Path | None = None, **fields: Any) -> FrameStream:
        """The face as JPEG frames, each at its time; ``pace="asap"``: as fast as they come."""
        body = {"text": text, **fields}
        return FrameStream(self._render("api/stream_mjpeg", body, audio, stream=True), self._server)

    def generate(
        self,
        text: str,
        path: str | Path,
        progress: Progress | None = None,
        *,
        audio: str | Path | None = None,
        **fields: Any,
    ) -> Path:
        """Writes an MP4 of the talking face. ``progress`` is called with the job as it goes."""
        return self._film("api/generate", text, fields, audio, Path(path), progress)

    def video(
        self,
        text: str,
        path: str | Path,
        progress: Progress | None = None,
        *,
        audio: str | Path | None = None,
        **fields: Any,
    ) -> Path:
        """Writes an MP4 of the base video: encoder, crf, preset and use_nvdec are fields too."""
        return self._film("api/lipsync/video", text, fields, audio, Path(path), progress)

    def chunks(self, text: str, **fields: Any) -> list[dict[str, Any]]:
        """The text in pieces of ``chunk_size`` words, each with the addresses of its files."""
        found: list[dict[str, Any]] = self._json(
            "POST", "api/stream_chunks", json={"text": text, **fields}
        )["chunks"]
        return found

    def job(self, job_id: str) -> dict[str, Any]:
        return self._json("GET", f"api/jobs/{job_id}")

    def cancel(self, job_id: str) -> dict[str, Any]:
        return self._json("DELETE", f"api/jobs/{job_id}")

    def result(self, job_id: str, path: str | Path) -> Path:
        return self._save(self._send("GET", f"api/jobs/{job_id}/result", stream=True), Path(path))

    def audio(self, job_id: str, path: str | Path) -> Path:
        response = self._send("GET", f"api/jobs/{job_id}/audio.wav", stream=True)
        return self._save(response, Path(path))

    def captions(self, job_id: str, path: str | Path) -> Path:
        """Of what has been said so far: SubRip where ``path`` ends in .srt, else WebVTT."""
        kind = "srt" if Path(path).suffix == ".srt" else "vtt"
        response = self._send("GET", f"api/jobs/{job_id}/captions.{kind}", stream=True)
        return self._save(response, Path(path))

    def read(self, text: str, **fields: Any) -> dict[str, Any]:
        """How a text is read: ``said``, and ``words`` with their places in the text."""
        return self._json("POST", "api/text", json={"text": text, **fields})

    def events(self, job_id: str) -> Iterator[dict[str, Any]]:
        """What happens to a job, message by message, until its end."""
        for message in self._listen(f"api/jobs/{job_id}/events"):
            yield json.loads(message)

    def session(self, **fields: Any) -> LiveSession:
        """Begins a session: avatar, voice, model, language, size, fps, speed, pitch, mode."""
        return LiveSession(self, self._json("POST", "api/sessions", json=fields))

    def sessions(self) -> list[dict[str, Any]]:
        """State and numbers of those that are open."""
        found: list[dict[str, Any]] = self._json("GET", "api/sessions")["sessions"]
        return found

    def avatars(self) -> list[dict[str, Any]]:
        """The faces there are, those that are being imported among them."""
        found: list[dict[str, Any]] = self._json("GET", "api/avatars")["avatars"]
        return found

    def add_avatar(
        self,
        path: str | Path,
        name: str = "",
        *,
        consent: bool = False,
        avatar_id: str | None = None,
        face: int | tuple[float, float] | None = None,
        rotate: int | None = None,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """Makes an avatar of a photo or clip. ``consent``: whoever is seen in it has agreed.

        ``face``: which of several, from 0, the largest first, or the one nearest to x, y in
        pixels. ``rotate``: 0, 90, 180 or 270 degrees clockwise, beyond what the file says; else it
        is turned until the face is upright. The avatar's ``warnings`` say what was seen.

        ``progress`` is called with the avatar as it goes; one that raises cancels the import.
        """
        fields = {"consent": "true" if consent else "false", "name": name, "id": avatar_id}
        if face is not None:
            fields["face"] = "{:.2f},{:.2f}".format(*face) if isinstance(face, tuple) else str(face)
        if rotate is not None:
            fields["rotate"] = str(rotate)
        headers = {"Prefer": "respond-async"}
        with _Upload(Path(path), {k: v for k, v in fields.items() if v}) as upload:
            headers["Content-Type"] = upload.content_type
            avatar = self._json("POST", "api/avatars", data=upload, headers=headers)
        try:
            while avatar["status"] == "importing":
                if progress is not None:
                    progress(avatar)
                time.sleep(POLL_S)
                avatar = self._json("GET", f"api/avatars/{avatar['id']}")
        except BaseException:
            with contextlib.suppress(SoyleError):
                self.delete_avatar(avatar["id"])
            raise
        if avatar["error"]:
            with contextlib.suppress(SoyleError):
                self.delete_avatar(avatar["id"])
            raise _error(avatar["error"])
        if progress is not None:
            progress(avatar)
        return avatar

    def delete_avatar(self, avatar_id: str) -> None:
        """Removes an avatar, or cancels its import."""
        self._json("DELETE", f"api/avatars/{avatar_id}")

    def voices(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._json("GET", "api/voices")["voices"]
        return found

    def health(self) -> dict[str, Any]:
        return self._json("GET", "api/health")

    def fetch(self, address: str, path: str | Path) -> Path:
        """Saves what an address of an answer (audio_url, video_url, result_url) leads to."""
        return self._save(self._send("GET", address, stream=True), Path(path))

    def close(self) -> None:
        self._session.close()

    def __enter__(self) -> Soyle:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _film(
        self,
        route: str,
        text: str,
        fields: dict[str, Any],
        audio: str | Path | None,
        path: Path,
        progress: Progress | None,
    ) -> Path:
        body = {"text": text, **fields}
        if progress is None:
            return self._save(self._render(route, body, audio, stream=True), path)
        job_id = body.setdefault("job_id", str(uuid.uuid4()))
        with self._render(route, body, audio, headers={"Prefer": "respond-async"}) as response:
            job = response.json()
        try:
            while job["status"] in ("queued", "running"):
                progress(job)
                time.sleep(POLL_S)
                job = self.job(job_id)
        except BaseException:
            self.cancel(job_id)
            raise
        progress(job)
        if job["error"]:
            raise _error(job["error"])
        return self.result(job_id, path)

    def _render(
        self,
        route: str,
        body: dict[str, Any],
        audio: str | Path | None,
        headers: dict[str, str] | None = None,
        stream: bool = False,
    ) -> requests.Response:
        """As JSON, or as a form with the sound."""
        if audio is None:
            return self._send("POST", route, json=body, headers=headers, stream=stream)
        fields = {name: _field(value) for name, value in body.items() if value is not None}
        with _Upload(Path(audio), fields, "audio") as upload:
            headers = {**(headers or {}), "Content-Type": upload.content_type}
            return self._send("POST", route, data=upload, headers=headers, stream=stream)

    def _listen(self, address: str) -> Iterator[str | bytes]:
        """The messages of a WebSocket until its end."""
        import websocket

        url = urlsplit(urljoin(self._server, address))
        token = self._session.headers.get("Authorization")
        try:
            connection = websocket.create_connection(
                url._replace(scheme="wss" if url.scheme == "https" else "ws").geturl(),
                timeout=self._timeout_s,
                header=[f"Authorization: {token!s}"] if token else [],
                suppress_origin=True,
            )
        except websocket.WebSocketBadStatusException as error:
            raise _handshake_refusal(error) from error
        except (OSError, websocket.WebSocketException) as error:
            raise SoyleError(str(error), code="unreachable") from error
        try:
            while message := connection.recv():
                yield message
        except websocket.WebSocketConnectionClosedException:
            return
        except (OSError, websocket.WebSocketException) as error:
            raise SoyleError("The socket broke off", code="broken") from error
        finally:
            connection.close(timeout=1)  # leaves one open that the server has closed
            connection.shutdown()

    def _json(self, method: str, route: str, **options: Any) -> dict[str, Any]:
        with self._send(method, route, **options) as response:
            found: dict[str, Any] = response.json()
            return found

    def _send(self, method: str, route: str, **options: Any) -> requests.Response:
        upload = options.get("data")
        for left in reversed(range(self._retries + 1)):
            if isinstance(upload, _Upload):
                upload.rewind()
            try:
                response = self._session.request(
                    method, urljoin(self._server, route), timeout=self._timeout_s, **options
                )
            except requests.RequestException as error:
                raise SoyleError(str(error), code="unreachable") from error
            if response.ok:
                return response
            with response:
                refused = _refusal(response)
            waits = response.status_code in (429, 503) and refused.retry_after is not None
            if not waits or not left:
                raise refused
            time.sleep(min(refused.retry_after, LONGEST_WAIT_S))
        raise AssertionError("the last try returns or raises")

    @staticmethod
    def _save(response: requests.Response, path: Path) -> Path:
        """Writes beside ``path`` first: a download that breaks off leaves nothing there."""
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with response, part.open("wb") as file:
                for block in response.iter_content(BLOCK):
                    file.write(block)
            part.replace(path)
        except requests.RequestException as error:
            raise SoyleError("The answer broke off", code="broken") from error
        finally:
            part.unlink(missing_ok=True)
        return path


class _Upload:
    """A form with a file, read from the disk as it is sent."""

    def __init__(self, path: Path, fields: dict[str, str], file: str = "file") -> None:
        boundary = uuid.uuid4().hex
        self.content_type = f"multipart/form-data; boundary={boundary}"
        head = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
            for key, value in fields.items()
        )
        name = path.name.replace("\\", "_").replace('"', "_")
        head += f'--{boundary}\r\nContent-Disposition: form-data; name="{file}"; '
        head += f'filename="{name}"\r\nContent-Type: application/octet-stream\r\n\r\n'
        self._file = path.open("rb")
        self._head = head.encode()
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self._length = len(self._head) + path.stat().st_size + len(self._tail)
        self.rewind()

    def rewind(self) -> None:
        self._file.seek(0)
        self._parts: Iterator[bytes] = self._read()
        self._waiting = b""

    def __len__(self) -> int:
        return self._length

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._waiting) < size:
            part = next(self._parts, b"")
            if not part:
                break
            self._waiting += part
        size = len(self._waiting) if size < 0 else size
        taken, self._waiting = self._waiting[:size], self._waiting[size:]
        return taken

    def _read(self) -> Iterator[bytes]:
        yield self._head
        while block := self._file.read(BLOCK):
            yield block
        yield self._tail

    def __enter__(self) -> _Upload:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _field(value: Any) -> str:
    """As a form writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _error(body: dict[str, Any], **more: Any) -> SoyleError:
    return SoyleError(
        str(body.get("error", "The server answered with an error")),
        code=str(body.get("code", "unknown")),
        field=body.get("field"),
        **more,
    )


def _refusal(response: requests.Response) -> SoyleError:
    try:
        body = response.json()
    except requests.RequestException:
        body = {}
    after = response.headers.get("Retry-After", "")
    return _error(
        body if isinstance(body, dict) else {},
        status=response.status_code,
        retry_after=float(after) if after.isdecimal() else None,
    )


def _handshake_refusal(error: Any) -> SoyleError:
    """Of what a WebSocket's client tells of an answer that is no upgrade."""
    try:
        body = json.loads(error.resp_body or b"{}")
    except ValueError:
        body = {}
    after = (error.resp_headers or {}).get("retry-after", "")
    return _error(
        body if isinstance(body, dict) else {},
        status=error.status_code,
        retry_after=float(after) if after.isdecimal() else None,
    )


def _parts(response: requests.Response) -> Iterator[tuple[dict[str, str], bytes]]:
    """(headers, body) of each part of multipart/x-mixed-replace, by their Content-Length."""
    boundary = response.headers["Content-Type"].partition("boundary=")[2].strip('"')
    opening, closing = f"--{boundary}".encode(), f"--{boundary}--".encode()
    data = _Buffer(response.iter_content(None))
    try:
        while (line := data.line()) != closing:
            if line != opening:
                continue
            headers = {}
            while line := data.line():
                name, _, value = line.decode("latin-1").partition(":")
                headers[name.strip().lower()] = value.strip()
            yield headers, data.exactly(int(headers["content-length"]))
    except (StopIteration, requests.RequestException) as error:
        raise SoyleError("The stream broke off", code="broken") from error


class _Buffer:
    """Lines and lengths out of pieces of any size. Raises StopIteration at the end."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._data = pieces, bytearray()

    def line(self) -> bytes:
        while (end := self._data.find(b"\n")) < 0:
            self._data += next(self._pieces)
        return self._take(end + 1).rstrip(b"\r\n")

    def exactly(self, length: int) -> bytes:
        while len(self._data) < length:
            self._data += next(self._pieces)
        return self._take(length)

    def _take(self, length: int) -> bytes:
        taken = bytes(self._data[:length])
        del self._data[:length]
        return taken
