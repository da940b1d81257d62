"""Voices of a speech server of the operator's: OpenAI's ``/v1/audio/speech``, or text to sound.

The forms and what servers make of them:
``openai``: ``{"model", "input", "voice", "response_format", "speed"}`` with a bearer key. ``pcm``
is 24 kHz s16 mono there; a WAV that is streamed has a size of 0xFFFFFFFF (OpenAI, Kokoro-FastAPI,
speaches) or 0 (libsndfile's writers).
``plain``: ``{"text", "lang"}``, and ``voice`` where one is named. There is no speed in it, so
the sound is stretched here, once it is whole.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np

from app_core.cancel_scope import never
from app_core.errors import Cancelled, VoiceUnreachable
from app_core.speech.voices.server.address import Form, address
from app_core.speech.voices.server.client import Client
from app_core.speech.voices.server.decoder import Decoder
from app_core.speech.voices.server.events import sound_of_events
from app_core.speech.voices.server.pcm import Layout
from app_core.speech.voices.server.sound import RATE, sound
from app_core.voice_server import json_object, named_voices

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from app_core.cancel_scope import Stale
    from app_core.config import Config
    from app_core.media.ffmpeg import Ffmpeg
    from app_core.speech.synthesizer import Synthesizer
    from app_core.speech.text.piece import Piece
    from app_core.speech.voices.server.answer import SpeechAnswer
    from app_core.types import Float32, Prosody

_LONGEST_S, _LONGEST_CHARACTER_S = 30.0, 0.5
"""Of sound at a speed of 1; speech takes about 0.07 s a character."""
_WIDEST = 600_000
"""Bytes of an answer for a second of that: 48 kHz stereo floats in base64 fit."""
_EVENTS = "text/event-stream"


class ServerSynthesizer:
    """One voice of the server, or its own where none is named."""

    engine = "server"
    streams = True
    licence = weights_licence = "as the server says"
    sample_rate = RATE
    pitched = False

    def __init__(
        self,
        client: Client,
        form: Form,
        voice: str,
        languages: tuple[str, ...],
        model: str,
        sound_format: str,
        fields: Mapping[str, Any],
        key: str,
        decoder: Decoder,
    ) -> None:
        self.id = f"server:{voice}" if voice else "server"
        self.name = f"Speech server: {voice}" if voice else "Speech server"
        self.languages = languages
        self._client, self._form, self._voice = client, form, voice
        self._model, self._format, self._fields = model, sound_format, dict(fields)
        self._key, self._decoder = key, decoder

    def warm(self) -> None:
        """Connects. Nothing is asked of the server yet."""
        self._client.connect(never)

    def close(self) -> None:
        """Ends the connections that wait for another request, also those of its sisters."""
        self._client.close()

    def synthesize(self, piece: Piece, prosody: Prosody, stale: Stale) -> Iterator[Float32]:
        """As it arrives, in parts of 0.25 to 0.5 s, where the server sends WAV or raw samples and
        speed is its own matter; else in such parts once it is whole.

        Raises VoiceUnreachable for all that the server does wrong, with its own last words, and
        Cancelled, within a quarter of a second of ``stale``. The connection is closed then, and
        when the iterator is.
        """
        if stale():
            raise Cancelled("Nobody waits for the speech any more")
        limit_s = (_LONGEST_S + _LONGEST_CHARACTER_S * len(piece.said)) / min(prosody.speed, 1.0)
        body = self._body(piece, prosody)
        with self._client.ask(body, piece.said, stale, limit_s) as answer:
            given = 0
            with closing(self._sound(answer, piece.said, stale, limit_s)) as parts:
                if self._form == "plain" and prosody.speed != 1.0:
                    whole = np.concatenate([np.zeros(0, np.float32), *parts])
                    answer.finish()
                    parts = _cut(self._decoder.at_tempo(whole, RATE, prosody.speed))
                for part in parts:
                    given += len(part)
                    yield part
                    if stale():
                        raise Cancelled("Nobody waits for the speech any more")
            if not given:
                raise VoiceUnreachable("The speech server sent no sound")
            answer.finish()

    def _body(self, piece: Piece, prosody: Prosody) -> dict[str, Any]:
        body: dict[str, Any]
        if self._form == "plain":
            body = {"text": piece.said, "lang": piece.language}
        else:
            body = {"model": self._model, "input": piece.said, "response_format": self._format}
            if prosody.speed != 1.0:
                body["speed"] = prosody.speed
        if self._voice:
            body["voice"] = self._voice
        return body | self._fields

    def _sound(
        self, answer: SpeechAnswer, said: str, stale: Stale, limit_s: float
    ) -> Generator[Float32]:
        blocks = answer.blocks(int(limit_s * _WIDEST))
        kind = answer.kind
        if kind == _EVENTS:
            blocks = sound_of_events(blocks, self._key, said, framed=answer.framed)
            kind = ""
        asked = self._fields.get("response_format", self._format if self._form == "openai" else "")
        rate = answer.number("rate")
        layout = Layout(rate or RATE, answer.number("channels") or 1)
        return sound(
            blocks,
            kind,
            layout,
            asked == "pcm" or rate is not None,
            self._decoder,
            stale,
            limit_s,
        )


def server_voices(config: Config, ffmpeg: Callable[[], Ffmpeg]) -> list[Synthesizer]:
    """Those that VOICE_SERVER_VOICES names, or ``server``, the server's own; none where no
    VOICE_SERVER_URL is set. They share connections, and nothing is asked of the server yet.
    """
    if not config.voice_server_url:
        return []
    form, key = config.voice_server_form, config.voice_server_key
    where = address(config.voice_server_url, form)
    client = Client(where, key, config.voice_server_timeout_s)
    fields = json_object(config.voice_server_fields)
    model, wanted = config.voice_server_model, config.voice_server_format
    decoder = Decoder(ffmpeg, config.work_dir)
    return [
        ServerSynthesizer(client, form, name, languages, model, wanted, fields, key, decoder)
        for name, languages in named_voices(config.voice_server_voices).items()
    ]


def _cut(pcm: Float32) -> Generator[Float32]:
    for start in range(0, len(pcm), RATE // 2):
        yield pcm[start : start + RATE // 2]
