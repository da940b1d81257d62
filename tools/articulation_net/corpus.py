"""Who says what: for the training, and for the measurements."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from app_core.errors import VoiceFailed
from tools.articulation_net import debian_speech, espeak_speech
from tools.articulation_net.texts import (
    LANGUAGES,
    held_out,
    sentences,
    shuffled_words,
    syllables,
)

if TYPE_CHECKING:
    from tools.articulation_net.hibari_speech import HibariVoice
    from tools.articulation_net.utterance import Utterance

log = logging.getLogger(__name__)

_MOST_SENTENCES = 640
_SHUFFLED, _SYLLABLES = 150, 180
_VOICES_A_SENTENCE = 2
_HIBARI_TIMES, _RECORDED_TIMES = 2, 4
CHOOSING = ("own voice (f3)", "unseen variants")
"""How the names of those sets end that the threshold is chosen on."""


def training_set(hibari: HibariVoice, share: float, random: np.random.Generator) -> list[Utterance]:
    """``share`` of all, 0..1."""
    found: list[Utterance] = []
    for language in LANGUAGES:
        known = [sentence for sentence in sentences(language) if not held_out(sentence)]
        made = [
            *shuffled_words(known, _SHUFFLED, random),
            *syllables(language, _SYLLABLES, random),
        ]
        known = [str(sentence) for sentence in random.permutation(known)[:_MOST_SENTENCES]]
        known, made = known[: round(share * len(known))], made[:: round(1 / share)]
        variants = espeak_speech.VARIANTS
        found += espeak_speech.spoken(known, language, variants, random, _VOICES_A_SENTENCE)
        found += espeak_speech.spoken(made, language, variants, random)
        if language == "en":
            for _ in range(_HIBARI_TIMES):
                found += hibari.spoken(known + made, random)
        log.info("%s: %d utterances so far", language, len(found))
    return [*found, *_recorded(share, random)]


def _recorded(share: float, random: np.random.Generator) -> list[Utterance]:
    """Several times what voices made of recordings say: they are few and matter."""
    known = [sentence for sentence in sentences("en") if not held_out(sentence)]
    texts = [*random.permutation(known), *syllables("en", 60, random)]
    found: list[Utterance] = []
    for voice, count in debian_speech.TRAINING.items():
        some = [str(text) for text in random.permutation(texts)[: round(share * count)]]
        said = list(debian_speech.spoken(voice, some))
        if not said:
            raise VoiceFailed(f"{voice} is not installed")
        found += said
    return found * _RECORDED_TIMES


def known_sets(
    hibari: HibariVoice, count: int, random: np.random.Generator
) -> dict[str, list[Utterance]]:
    """``count`` sentences that were held out, said by voices of the training, and by others."""
    found: dict[str, list[Utterance]] = {}
    for language in LANGUAGES:
        texts = [sentence for sentence in sentences(language) if held_out(sentence)][:count]
        for name, variants in (
            ("known variants", espeak_speech.VARIANTS),
            (CHOOSING[0], ["f3"]),
            (CHOOSING[1], espeak_speech.UNSEEN_VARIANTS),
        ):
            said = espeak_speech.spoken(texts, language, variants, random)
            found[f"espeak {language}, {name}"] = list(said)
        if language == "en":
            found["hibari"] = list(hibari.spoken(texts, random))
    return found


def unseen_sets(voices: tuple[str, ...], count: int) -> dict[str, list[Utterance]]:
    """``count`` sentences that were held out, said by voices that were not trained on."""
    found: dict[str, list[Utterance]] = {}
    for voice in voices:
        language = debian_speech.FESTIVAL.get(voice.split(" ")[1], "en")
        texts = [sentence for sentence in sentences(language) if held_out(sentence)][:count]
        found[voice] = list(debian_speech.spoken(voice, texts))
    return {name: said for name, said in found.items() if said}
