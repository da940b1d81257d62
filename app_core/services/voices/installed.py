"""The voices that the settings and the folder of models give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app_core.speech.aligned_voice import AlignedVoice
from app_core.speech.cached_voice import CachedVoice, SpeechCache
from app_core.speech.registry import Voices
from app_core.speech.voices.coqui import CoquiVoice
from app_core.speech.voices.espeak import EspeakVoice
from app_core.speech.voices.hibari import hibari_voices
from app_core.speech.voices.piper import piper_voices
from app_core.speech.voices.server.voices import server_voices
from app_core.speech.voices.silero import silero_voices
from app_core.weights.voice_catalogue import VOICES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from app_core.config import Config
    from app_core.media.ffmpeg import Ffmpeg
    from app_core.speech.synthesizer import Synthesizer
    from app_core.speech.voice import Voice
    from app_core.speech.voices.coqui import Server

_LICENCES = {voice.id: voice.weights_licence for voice in VOICES}


def open_voices(
    config: Config, ffmpeg: Callable[[], Ffmpeg], coqui: Server | None = None
) -> Voices:
    """A speech server of the operator's is meant to speak; then what sounds best; espeak-ng last.
    Nothing is loaded yet, and ``look`` finds what was brought meanwhile."""
    cache = SpeechCache(config.voice_cache_mb << 20)
    known = EspeakVoice()
    asked = server_voices(config, ffmpeg)

    def voices(found: Iterable[Synthesizer]) -> Iterator[Voice]:
        return (CachedVoice(AlignedVoice(one, known), cache) for one in found)

    def finder() -> Iterator[Voice]:
        yield from voices(asked)
        if coqui is not None and coqui.languages:
            yield from voices([CoquiVoice(coqui, ffmpeg)])
        yield from voices(hibari_voices(ffmpeg).voices)
        yield from voices(silero_voices(config.models_dir, ffmpeg).voices)
        yield from voices(piper_voices(config.models_dir, _LICENCES).voices)
        yield known

    return Voices(chains=config.voice_chains, finders=[finder])
