"""Speech of espeak-ng in many voices; its phoneme times are exact."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np

from app_core.speech.text.piece import Piece
from app_core.speech.voices import espeak
from app_core.types import Prosody
from tools.articulation_net.utterance import Utterance

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

VARIANTS = (
    "m1 m2 m3 m4 m5 m6 m7 m8 f1 f2 f3 f4 f5 klatt klatt2 klatt3 klatt4 klatt6 Alex Alicia Andrea "
    "Annie Denis Diogo Gene Henrique Hugo Lee Marco Mario Michael Mike adam anika antonio "
    "belinda benjamin boris david ed edward grandma grandpa ian iven2 john linda marcelo max "
    "miguel norbert pablo paul pedro quincy rob robert shelby steph steph2 travis victor zac"
).split()
UNSEEN_VARIANTS = "Andy Jacky Nguyen aunty caleb gustave iven michel sandro Reed".split()
"""Kept out of the training."""
_SPEEDS, _PITCHES = (0.75, 1.35), (-5.0, 6.0)


def spoken(
    texts: Iterable[str],
    language: str,
    variants: list[str],
    random: np.random.Generator,
    times: int = 1,
) -> Iterator[Utterance]:
    """Each text by ``times`` voices, speeds and pitches."""
    _, words_a_minute, power = espeak._VOICES[language]
    name = espeak._VOICES[language][0].split("+")[0]
    for text in texts:
        for variant in random.choice(variants, times, replace=False):
            prosody = Prosody(float(random.uniform(*_SPEEDS)), float(random.uniform(*_PITCHES)))
            voice = {language: (f"{name}+{variant}", words_a_minute, power)}
            with patch.dict(espeak._VOICES, voice):
                speech = next(
                    espeak.EspeakVoice().speak(Piece(0, language, text, text, ()), prosody)
                )
            yield Utterance(
                f"espeak {variant}",
                language,
                text,
                speech.pcm,
                speech.sample_rate,
                tuple(speech.phonemes or ()),
            )
