"""The voices that the settings and the folder of models give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app_core.speech.registry import Voices
from app_core.speech.voices.espeak import EspeakVoice

if TYPE_CHECKING:
    from app_core.config import Config


def open_voices(config: Config) -> Voices:
    return Voices([EspeakVoice()], config.voice_chains)
