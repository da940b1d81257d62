"""Sounds whose level is measured and changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from app_core.speech.voices.espeak import EspeakVoice
from app_core.types import Float32
from tests.fakes import spoken_by
from tests.speech.level.sentences import SENTENCES

RATE = 22050


@cache
def sentence(language: str, index: int) -> Float32:
    """By espeak-ng, as it speaks; one of SENTENCES."""
    text = SENTENCES[language][index]
    return np.concatenate([part.pcm for part in spoken_by(EspeakVoice(), text, language)])


def speech(language: str) -> Float32:
    """All of SENTENCES in a row."""
    count = len(SENTENCES[language])
    return np.concatenate([sentence(language, index) for index in range(count)])


def tone(frequency: float, peak: float, sample_rate: int = RATE, seconds: float = 3.0) -> Float32:
    """A sine that begins and ends softly."""
    times = np.arange(int(seconds * sample_rate)) / sample_rate
    sides = np.minimum(times, times[::-1]) / 0.05
    sound = peak * np.sin(2 * np.pi * frequency * times) * np.minimum(sides, 1)
    return np.asarray(sound, np.float32)


def noise(rms: float, sample_rate: int = RATE, seconds: float = 3.0, seed: int = 0) -> Float32:
    count = int(seconds * sample_rate)
    return (rms * np.random.default_rng(seed).normal(size=count)).astype(np.float32)


def in_parts(push: Callable[..., Float32], pcm: Float32, most: int, seed: int = 0) -> Float32:
    """What comes of parts of 0 to ``most`` samples."""
    sizes = np.random.default_rng(seed)
    found, at = [], 0
    while at < len(pcm):
        size = int(sizes.integers(0, most + 1))
        found.append(push(pcm[at : at + size]))
        at += size
    return np.concatenate([*found, push(pcm[:0], last=True)])


def decibels(pcm: Float32) -> float:
    """Root mean square."""
    return 10 * float(np.log10(np.mean(np.square(pcm, dtype=np.float64)) + 1e-20))
