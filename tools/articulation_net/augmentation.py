"""Other rooms, microphones, mouths and neighbours for the same speech."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import soxr

from app_core.types import Phoneme
from tools.articulation_net.utterance import Utterance

if TYPE_CHECKING:
    from app_core.types import Float32

RATE = 16_000
_SCALES = (0.78, 1.25)
"""Resampling moves the formants, the pitch and the speed together."""
_NOISE_DB = (3.0, 35.0)
_BABBLE = 5
"""Voices at once."""
_POOL, _POOL_S = 60, 8
_SHAPE_HZ = (0.0, 200.0, 500.0, 1000.0, 2000.0, 3000.0, 5000.0, 8000.0)


def at_rate(utterance: Utterance, scale: float = 1.0) -> Utterance:
    """At RATE, and ``scale`` times as fast and as high."""
    pcm = soxr.resample(utterance.pcm, utterance.rate * scale, RATE).astype(np.float32)
    phonemes = tuple(
        Phoneme(sound.ipa, sound.start_s / scale, sound.end_s / scale)
        for sound in utterance.phonemes
    )
    return replace(utterance, pcm=pcm, rate=RATE, phonemes=phonemes)


def framed(utterance: Utterance, before_s: float, after_s: float) -> Utterance:
    """With silence before and after it."""
    before, after = (np.zeros(int(s * utterance.rate), np.float32) for s in (before_s, after_s))
    start = len(before) / utterance.rate
    pcm = np.concatenate([before, utterance.pcm, after])
    phonemes = [
        Phoneme(sound.ipa, sound.start_s + start, sound.end_s + start)
        for sound in utterance.phonemes
    ]
    end = phonemes[-1].end_s
    ends = (Phoneme("", 0.0, start), *phonemes, Phoneme("", end, len(pcm) / utterance.rate))
    merged: list[Phoneme] = []
    for sound in ends:
        if merged and not sound.ipa and not merged[-1].ipa:
            merged[-1] = Phoneme("", merged[-1].start_s, sound.end_s)
        elif sound.end_s > sound.start_s:
            merged.append(sound)
    return replace(utterance, pcm=pcm, phonemes=tuple(merged))


class Surroundings:
    """Noises and rooms, made once."""

    def __init__(self, voices: list[Utterance], random: np.random.Generator) -> None:
        """``voices`` are the neighbours that babble."""
        samples = int(_POOL_S * RATE)
        self._noises = [coloured(samples, random) for _ in range(_POOL)]
        self._babbles = [babble(samples, voices, random) for _ in range(_POOL)]

    def augmented(self, utterance: Utterance, random: np.random.Generator) -> Utterance:
        scale = float(random.uniform(*_SCALES)) if random.random() < 0.65 else 1.0
        quiet_s = random.uniform(0, 0.7, 2)
        said = framed(at_rate(utterance, scale), float(quiet_s[0]), float(quiet_s[1]))
        pcm = said.pcm
        if random.random() < 0.25:
            pcm = _levelled(pcm, random)
        if random.random() < 0.35:
            pcm = reverberant(pcm, random)
        pcm = _filtered(pcm, random)
        if random.random() < 0.6:
            pool = self._babbles if random.random() < 0.3 else self._noises
            noise = np.roll(pool[random.integers(_POOL)], int(random.integers(_POOL_S * RATE)))
            pcm = noisy(pcm, np.resize(noise, len(pcm)), float(random.uniform(*_NOISE_DB)))
        if random.random() < 0.12:
            pcm = np.tanh(pcm / (np.abs(pcm).max() + 1e-6) * random.uniform(2, 6))
        peak = random.uniform(0.05, 1.0) / (np.abs(pcm).max() + 1e-6)
        return replace(said, pcm=(pcm * peak).astype(np.float32))


def noise_alone(seconds: float, random: np.random.Generator) -> Utterance:
    """In which nobody speaks."""
    pcm = coloured(int(seconds * RATE), random)
    if random.random() < 0.5:
        swell = np.interp(
            np.arange(len(pcm)), np.linspace(0, len(pcm), 12), random.uniform(-18, 0, 12)
        )
        pcm = pcm * 10 ** (swell / 20)
    if random.random() < 0.4:
        time = np.arange(len(pcm)) / RATE
        for harmonic in range(1, int(random.integers(2, 8))):
            tone = np.sin(2 * np.pi * random.uniform(45, 400) * harmonic * time)
            pcm = pcm + tone * random.uniform(0, 0.5) * np.abs(pcm).max()
    pcm = pcm / (np.abs(pcm).max() + 1e-6) * random.uniform(0.01, 0.8)
    silence = (Phoneme("", 0.0, len(pcm) / RATE),)
    return Utterance("noise", "", "", pcm.astype(np.float32), RATE, silence)


def coloured(samples: int, random: np.random.Generator) -> Float32:
    """White to brown noise with random bands."""
    spectrum = np.fft.rfft(random.normal(size=samples))
    hz = np.fft.rfftfreq(samples, 1 / RATE)
    falling = random.choice([0.0, 0.0, 0.5, 1.0])
    gains = np.interp(hz, _SHAPE_HZ, random.uniform(-6, 6, len(_SHAPE_HZ)))
    spectrum *= 10 ** (gains / 20) / np.maximum(hz, 50) ** falling
    noise = np.fft.irfft(spectrum, samples)
    return np.asarray(noise / (noise.std() + 1e-12), np.float32)


def babble(samples: int, others: list[Utterance], random: np.random.Generator) -> Float32:
    total = np.zeros(samples, np.float32)
    for place in random.integers(0, len(others), _BABBLE):
        voice = at_rate(others[place]).pcm
        total += np.resize(np.roll(voice, int(random.integers(len(voice)))), samples)
    return np.asarray(total / (total.std() + 1e-12), np.float32)


def noisy(pcm: Float32, noise: Float32, ratio_db: float) -> Float32:
    """``ratio_db``: of the speech, its pauses left out, to the noise."""
    loud = np.abs(pcm) > 0.02 * np.abs(pcm).max()
    power = np.sqrt(np.mean(np.square(pcm[loud]))) if loud.any() else 0.0
    return np.asarray(pcm + noise * power * 10 ** (-ratio_db / 20), np.float32)


def reverberant(pcm: Float32, random: np.random.Generator) -> Float32:
    """In a room of 0.1 to 0.5 s."""
    length = int(RATE * random.uniform(0.1, 0.5))
    tail = random.normal(size=length) * np.exp(-6.9 * np.arange(length) / length)
    tail *= random.uniform(0.1, 0.6) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    size = 1 << (len(pcm) + length).bit_length()
    wet = np.fft.irfft(np.fft.rfft(pcm, size) * np.fft.rfft(tail, size), size)
    return np.asarray(wet[: len(pcm)], np.float32)


def _levelled(pcm: Float32, random: np.random.Generator) -> Float32:
    """Through a compressor: loud and soft come nearer."""
    size = int(0.05 * RATE)
    total = np.cumsum(np.pad(pcm.astype(np.float64) ** 2, (size // 2 + 1, size - size // 2 - 1)))
    power = (total[size:] - total[:-size]) / size
    floor = 1e-3 * power.max() + 1e-9
    return np.asarray(pcm * (power + floor) ** (-0.25 * random.uniform(0.3, 1.0)), np.float32)


def _filtered(pcm: Float32, random: np.random.Generator) -> Float32:
    """Another microphone, and sometimes a narrow line."""
    shaped, narrow = random.random() < 0.6, random.random() < 0.25
    if not shaped and not narrow:
        return pcm
    size = 1 << len(pcm).bit_length()
    spectrum = np.fft.rfft(pcm, size)
    hz = np.fft.rfftfreq(size, 1 / RATE)
    gains = np.zeros(len(hz))
    if shaped:
        gains += np.interp(hz, _SHAPE_HZ, random.uniform(-8, 8, len(_SHAPE_HZ)))
    if narrow:
        low, high = (300, 3400) if random.random() < 0.5 else (0, random.uniform(2500, 7000))
        outside = np.maximum(low - hz, hz - high) / 100
        gains -= np.clip(outside * 12, 0, 70)
    filtered = np.fft.irfft(spectrum * 10 ** (gains / 20), size)
    return np.asarray(filtered[: len(pcm)], np.float32)
