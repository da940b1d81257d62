"""What the network is trained and measured on: a sound and the phonemes that are in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app_core.lipsync.viseme.articulation import Array, gestures, tracks
from app_core.lipsync.viseme.heard.spectrum import HOPS
from app_core.lipsync.viseme.visemes import CLOSING, letters

if TYPE_CHECKING:
    from app_core.types import Float32, Phoneme


@dataclass(frozen=True, slots=True)
class Utterance:
    voice: str
    language: str
    text: str
    pcm: Float32
    """Mono, -1..1."""
    rate: int
    phonemes: tuple[Phoneme, ...]
    """Over the whole of ``pcm``."""

    @property
    def seconds(self) -> float:
        return len(self.pcm) / self.rate

    def truth(self) -> Array:
        """The tracks that the phonemes give, HOPS a second, (rows, 8)."""
        rows = -(-len(self.pcm) * HOPS // self.rate)
        return tracks(gestures(self.phonemes, self.seconds), 0, rows, HOPS)

    def seals(self) -> Array:
        """The first and last moment of each m, b and p, in seconds, (sounds, 2)."""
        found = []
        for phoneme in self.phonemes:
            sounds = letters(phoneme.ipa)
            length = (phoneme.end_s - phoneme.start_s) / max(len(sounds), 1)
            for place, sound in enumerate(sounds):
                if sound in CLOSING:
                    start = phoneme.start_s + place * length
                    found.append((start, start + length))
        return np.array(found, float).reshape(-1, 2)
