"""One connection of a client."""

from __future__ import annotations

import base64
import hmac
import json
import logging
import select
import socket
from collections.abc import Generator, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from soyle_coqui.errors import BadRequest, Cancelled, Full, NotReady
from soyle_coqui.model_thread import Speaking
from soyle_coqui.request import SpeechRequest, openai_form, plain_form
from soyle_coqui.wav import header, pcm16

if TYPE_CHECKING:
    from soyle_coqui.server import SpeechServer
    from soyle_coqui.voice import Voice
    from soyle_coqui.wav import Float32

logger = logging.getLogger(__name__)

MOST_BODY = 1 << 16  # bytes
_RETRY_S = 2


class Handler(BaseHTTPRequestHandler):
    server: SpeechServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "soyle-coqui", ""
    timeout = 20.0  # of each wait for the client
    wbufsize = -1

    def do_GET(self) -> None:
        if self.path == "/health":
            self._guarded(self._health)
        elif self.path == "/v1/models":
            self._guarded(self._models)
        else:
            self._refuse(404, "There is nothing at this address")

    def do_POST(self) -> None:
        if self.path == "/v1/audio/speech":
            self._guarded(self._stream)
        elif self.path == "/":
            self._guarded(self._whole)
        else:
            self._refuse(404, "There is nothing at this address")

    # What is asked

    def _health(self) -> None:
        model = self.server.model
        voice = model.voice
        told = {
            "status": model.status,
            "reason": model.reason or None,
            "model": voice.name if voice else None,
            "languages": list(voice.languages) if voice else [],
            "voices": list(voice.speakers) if voice else [],
            "sample_rate": voice.sample_rate if voice else None,
            "streams": voice.streams if voice else None,
            "weights_licence": voice.licence if voice else None,
        }
        self._json(200 if voice else 503, told, retry=voice is None)

    def _models(self) -> None:
        voice = self.server.model.voice
        listed = [{"id": voice.name, "object": "model", "owned_by": "coqui"}] if voice else []
        self._json(200, {"object": "list", "data": listed})

    def _whole(self) -> None:
        """The plain form: a file with its length."""
        body = self._body()
        voice = self.server.model.ready()
        pcm = b"".join(pcm16(part) for part in self._parts(plain_form(body, voice)))
        self._begin(200, "audio/wav", 44 + len(pcm))
        self.wfile.write(header(voice.sample_rate, len(pcm) // 2) + pcm)

    def _stream(self) -> None:
        """OpenAI's form: the sound as it is made."""
        body = self._body()
        voice = self.server.model.ready()
        asked = openai_form(body, voice)
        kind = "text/event-stream" if asked.events else f"audio/{asked.form}"
        with closing(self._parts(asked)) as parts:
            first = list(islice(parts, 1))  # what fails at once still has a status of its own
            self._begin(200, kind, None)
            for data in _sent(asked, voice, chain(first, parts)):
                self._chunk(data)
            self._chunk(b"")

    # How it is done

    def _guarded(self, answer: Any) -> None:
        """Whatever goes wrong is told, unless the sound is on its way: then it breaks off."""
        self._begun = False
        try:
            if not self._known():
                self._refuse(401, "The bearer token is missing or wrong")
                return
            answer()
        except BadRequest as error:
            self._refuse(error.status, str(error), error.param)
        except NotReady as error:
            self._refuse(503, str(error), retry=True)
        except Full:
            self._refuse(503, "The server is full; try again soon", retry=True)
        except (Cancelled, ConnectionError):
            self.close_connection = True
        except TimeoutError:
            self._refuse(504, "The voice did not speak in time")
        except Exception as error:
            logger.error("a request failed: %s", type(error).__name__)
            self._refuse(500, f"The voice failed: {type(error).__name__}")

    def _known(self) -> bool:
        given = self.headers.get("Authorization", "")
        wanted = f"Bearer {self.server.key}"
        return not self.server.key or hmac.compare_digest(given.encode(), wanted.encode())

    def _body(self) -> bytes:
        kind = self.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if kind != "application/json":  # what a page of another origin cannot send unasked
            raise BadRequest("The body must be application/json", status=415)
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            raise BadRequest("Content-Length is missing", status=411)
        if int(length) > MOST_BODY:
            raise BadRequest(f"The body is longer than {MOST_BODY} bytes", status=413)
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise ConnectionError
        return body

    def _parts(self, asked: SpeechRequest) -> Generator[Float32, None, None]:
        speaking = Speaking(asked.pieces, asked.language, asked.speaker, asked.speed)
        self.server.model.submit(speaking)
        return speaking.parts(self._gone, self.server.patience_s)

    def _gone(self) -> bool:
        """The client has closed its end."""
        try:
            if not select.select([self.connection], [], [], 0)[0]:
                return False
            return not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def _begin(self, status: int, kind: str, length: int | None, retry: bool = False) -> None:
        self._begun = True
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        elif self.request_version == "HTTP/1.1":
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.close_connection = True
        if retry:
            self.send_header("Retry-After", str(_RETRY_S))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def _chunk(self, data: bytes) -> None:
        if self.request_version == "HTTP/1.1":
            data = b"%X\r\n%s\r\n" % (len(data), data)
        self.wfile.write(data)
        self.wfile.flush()

    def _json(self, status: int, told: dict[str, Any], retry: bool = False) -> None:
        body = json.dumps(told, ensure_ascii=False).encode()
        self._begin(status, "application/json", len(body), retry)
        self.wfile.write(body)

    def _refuse(
        self, status: int, message: str, param: str | None = None, retry: bool = False
    ) -> None:
        self.close_connection = True  # there may be a body that nobody has read
        if getattr(self, "_begun", False):
            return
        kind = "invalid_request_error" if status < 500 else "server_error"
        error = {"message": message, "type": kind, "param": param, "code": None}
        try:
            self._json(status, {"error": error}, retry)
        except OSError:
            pass

    def log_message(self, *_: Any) -> None:
        """No line for each request."""


def _sent(asked: SpeechRequest, voice: Voice, sounds: Iterator[Float32]) -> Iterator[bytes]:
    """The body of an answer, in parts that are sent at once; none is empty."""
    if not asked.events:
        if asked.form == "wav":
            yield header(voice.sample_rate, None)
        for sound in sounds:
            if len(sound):
                yield pcm16(sound)
        return
    opening = header(voice.sample_rate, None) if asked.form == "wav" else b""
    for sound in sounds:
        audio = base64.b64encode(opening + pcm16(sound)).decode("ascii")
        opening = b""
        yield _event({"type": "speech.audio.delta", "audio": audio})
    yield _event({"type": "speech.audio.done"})


def _event(told: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(told)}\n\n".encode()
