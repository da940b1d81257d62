"""Coqui's voices, by a speech server of ours that runs beside this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from app_core.errors import VoiceUnreachable
from app_core.speech.voices.server.address import address
from app_core.speech.voices.server.client import Client
from app_core.speech.voices.server.decoder import Decoder
from app_core.speech.voices.server.sound import RATE
from app_core.speech.voices.server.voices import ServerSynthesizer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app_core.cancel_scope import Stale
    from app_core.media.ffmpeg import Ffmpeg
    from app_core.speech.text.piece import Piece
    from app_core.types import Float32, Prosody

_TIMEOUT_S = 60.0
"""For the first sound: a CPU takes its time, and whoever waits has a patience of their own."""
_VOICE = "default"


class Server(Protocol):
    """What is known of the server now. Its address changes when it is started again."""

    url: str
    key: str
    reason: str
    languages: tuple[str, ...]

    @property
    def ready(self) -> bool: ...


class CoquiVoice:
    id = engine = "coqui"
    name = "Coqui"
    sample_rate = RATE
    licence = "MPL-2.0"
    weights_licence = "that of its model"
    pitched = False
    streams = True

    def __init__(self, server: Server, ffmpeg: Callable[[], Ffmpeg]) -> None:
        """``server`` has been ready once, so that its languages are known."""
        self.languages = server.languages
        self._server, self._ffmpeg = server, ffmpeg
        self._asked: dict[tuple[str, str], ServerSynthesizer] = {}

    def warm(self) -> None:
        self._synthesizer(self.languages[0]).warm()

    def close(self) -> None:
        for asked in self._asked.values():
            asked.close()

    def synthesize(self, piece: Piece, prosody: Prosody, stale: Stale) -> Iterator[Float32]:
        return self._synthesizer(piece.language).synthesize(piece, prosody, stale)

    def _synthesizer(self, language: str) -> ServerSynthesizer:
        """Raises VoiceUnreachable while the server does not run."""
        url = self._server.url
        if not url or not self._server.ready:
            raise VoiceUnreachable(f"Coqui's speech server is not ready: {self._server.reason}")
        asked = self._asked.get((url, language))
        if asked is None:
            self._asked = {key: kept for key, kept in self._asked.items() if key[0] == url}
            key = self._server.key
            asked = self._asked[url, language] = ServerSynthesizer(
                Client(address(url, "openai"), key, _TIMEOUT_S),
                "openai",
                _VOICE,
                (language,),
                self.id,
                "wav",
                {"language": language},
                key,
                Decoder(self._ffmpeg, None),
            )
        return asked
