"""Coqui's voices behind a speech server that starts, dies and comes back at another address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from app_core.cancel_scope import never
from app_core.errors import VoiceUnreachable
from app_core.media.ffmpeg import find_ffmpeg
from app_core.speech.text.piece import Piece
from app_core.speech.voices.coqui import CoquiVoice
from app_core.types import PLAIN, Prosody
from tests.speech_server import SpeechServer, hum


class Watched:
    url, key, reason, ready = "", "secret", "it is loading", False
    languages = ("ru", "en")

    def runs(self, server: SpeechServer) -> None:
        self.url, self.ready = f"http://127.0.0.1:{server.port}", True


@pytest.fixture
def servers() -> Iterator[list[SpeechServer]]:
    made = [SpeechServer(), SpeechServer()]
    yield made
    for server in made:
        server.close()


def said(voice: CoquiVoice, text: str, language: str = "ru", **how: Any) -> Any:
    piece = Piece(0, language, text, text, ())
    return np.concatenate(list(voice.synthesize(piece, how.get("prosody", PLAIN), never)))


def test_it_speaks_in_the_language_of_the_piece(servers: list[SpeechServer]) -> None:
    watched = Watched()
    voice = CoquiVoice(watched, find_ffmpeg)
    assert voice.languages == ("ru", "en")
    watched.runs(servers[0])
    assert len(said(voice, "Привет.")) == len(hum("Привет."))
    said(voice, "Hello.", "en", prosody=Prosody(1.5))
    first, second = servers[0].asked
    assert (first.body["language"], second.body["language"]) == ("ru", "en")
    assert (first.body["voice"], second.body["speed"]) == ("default", 1.5)
    assert first.headers["Authorization"] == "Bearer secret"


def test_while_its_server_is_away_it_says_why_and_it_follows_to_another_address(
    servers: list[SpeechServer],
) -> None:
    watched = Watched()
    voice = CoquiVoice(watched, find_ffmpeg)
    for call in (voice.warm, lambda: said(voice, "Да.")):
        with pytest.raises(VoiceUnreachable, match="not ready: it is loading"):
            call()
    watched.runs(servers[0])
    voice.warm()
    said(voice, "Раз.")
    watched.ready, watched.reason = False, "it ended"
    with pytest.raises(VoiceUnreachable, match="it ended"):
        said(voice, "Два.")
    watched.runs(servers[1])
    said(voice, "Три.")
    assert [asked.text for server in servers for asked in server.asked] == ["Раз.", "Три."]
