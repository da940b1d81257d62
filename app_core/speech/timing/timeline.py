"""From a synthesizer's phoneme events to phonemes that cover its sound."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app_core.types import Phoneme

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from app_core.types import Float32

_CORRECTIONS = {
    # espeak-ng writes some vowels with letters whose IPA value is another sound.
    "ru": {'u"': "ʉ", "y": "ɨ", "ɵ": "o", "ø": "o"},
    "kk": {"ə": "ɯ", "u": "ʏ", "ʀ": "ʁ"},
}
_LANGUAGE_SWITCH = re.compile(r"\((\w\w)[\w-]*\)")
_STRESS = str.maketrans("", "", "ˈˌ")
_LABIALS = frozenset("mbpfv")
_CLOSED_VOICED = frozenset("mbvndŋɡ")
_VOICELESS_STOPS = frozenset("ptkqc")
_MICRO_PAUSE_S = 0.04
"""A shorter silence inside speech belongs to the sound before it."""
_CLOSURE_S = 0.09
"""The longest silence before a burst that can be the stop's own closure."""
_BURST_S = 0.01
"""The part of a burst for which the lips of a ``p`` are still closed."""
_SHORTEST_S = 0.02
"""What a sound keeps when the stop after it takes its silent end."""
_SILENT_DROP_DB = 24.0
"""Below the loudest part of the sound before a stop, the rest of it is the closure."""
_RELEASE_S = 0.045
"""The longest part of a voiced closed sound in which it has already opened into the next."""
_RELEASE_RISE_DB = 6.0
_STEP_S = 0.005


@dataclass(slots=True)
class _Sound:
    ipa: str
    start: int
    end: int


def timeline(
    events: Sequence[tuple[int, str]], pcm: Float32, sample_rate: int, language: str
) -> list[Phoneme]:
    """Phonemes over the whole of ``pcm`` (mono, -1..1), without gaps or overlaps.

    ``events`` are (first sample, label) in order, as espeak-ng gives them: a label is IPA with
    stress marks, a lone modifier (it lengthens the sound before; ``ʲ`` after a labial is a
    glide), a language switch such as ``(en)``, or empty for a pause.

    Borders move to where the mouth moves. espeak-ng marks a voiceless stop at its burst, here it
    starts at its closure; espeak-ng counts the way out of a voiced closed sound, and the breath
    after a ``p``, to that sound, here they belong to the next.
    """
    sounds = _merged(_labelled(events, language), len(pcm), sample_rate)
    burst = 0
    for before, sound in zip(sounds, sounds[1:], strict=False):
        if sound.ipa and before.ipa == "p" and burst > before.start:
            before.end = sound.start = min(burst + int(_BURST_S * sample_rate), before.end)
        if sound.ipa and sound.ipa[0] in _VOICELESS_STOPS:
            burst = sound.start
            before.end = sound.start = _closure(before, sound, pcm, sample_rate)
        elif sound.ipa and before.ipa and before.ipa[0] in _CLOSED_VOICED:
            before.end = sound.start = _release(before, pcm, sample_rate)
    return [
        Phoneme(sound.ipa, sound.start / sample_rate, sound.end / sample_rate)
        for sound in sounds
        if sound.end > sound.start
    ]


def _labelled(events: Sequence[tuple[int, str]], language: str) -> Iterator[tuple[int, str]]:
    spoken = language
    for sample, label in events:
        switch = _LANGUAGE_SWITCH.fullmatch(label)
        if switch:
            spoken = switch[1]
            continue
        ipa = label.translate(_STRESS)
        yield sample, _CORRECTIONS.get(spoken, {}).get(ipa, ipa)


def _merged(labelled: Iterator[tuple[int, str]], samples: int, sample_rate: int) -> list[_Sound]:
    sounds = [_Sound("", 0, samples)]
    for sample, ipa in labelled:
        last = sounds[-1]
        start = min(max(sample, last.start), samples)
        if last.ipa == "" and len(sounds) > 1 and start - last.start < _MICRO_PAUSE_S * sample_rate:
            sounds.pop()
            last = sounds[-1]
        if not ipa and not last.ipa:
            continue
        if ipa == "ʲ" and last.ipa and last.ipa[0] in _LABIALS:
            ipa = "j"  # the sound of this event is a glide: the lips have parted already
        elif ipa and all(unicodedata.category(char) in ("Lm", "Mn", "Sk") for char in ipa):
            last.ipa += ipa if last.ipa else ""
            last.end = samples
            continue
        last.end = start
        sounds.append(_Sound(ipa, start, samples))
    return sounds


def _closure(before: _Sound, stop: _Sound, pcm: Float32, sample_rate: int) -> int:
    """The first sample of the silence right before ``stop``, not far into ``before``."""
    step = max(1, int(_STEP_S * sample_rate))
    kept = 0 if before.ipa == "" else int(_SHORTEST_S * sample_rate)
    earliest = max(before.start + kept, stop.start - int(_CLOSURE_S * sample_rate))
    levels = _levels(pcm[before.start : stop.start], step)
    silent = levels < max(levels.max(initial=0.0) * 10 ** (-_SILENT_DROP_DB / 20), 1e-3)
    if before.ipa == "":
        silent[:] = True
    start = stop.start
    for quiet in silent:
        if not quiet or start - step < earliest:
            break
        start -= step
    return start


def _release(closed: _Sound, pcm: Float32, sample_rate: int) -> int:
    """The first sample at which ``closed`` has opened: its higher frequencies jump up."""
    step = max(1, int(_STEP_S * sample_rate))
    bright = np.diff(pcm[closed.start : closed.end], prepend=pcm[closed.start : closed.start + 1])
    levels = _levels(bright, step)
    window = min(int(_RELEASE_S / _STEP_S), len(levels) - int(_SHORTEST_S / _STEP_S))
    if window < 1:
        return closed.end
    open_level = levels[:2].max()
    shut_level = max(float(np.median(levels[window:])), 1e-6)
    if open_level < shut_level * 10 ** (_RELEASE_RISE_DB / 20):
        return closed.end
    shut = levels[:window] < np.sqrt(open_level * shut_level)
    steps = int(np.argmax(shut)) if shut.any() else window
    return closed.end - steps * step


def _levels(pcm: Float32, step: int) -> Float32:
    """RMS of whole steps that end with ``pcm``, the latest first."""
    whole = len(pcm) // step * step
    blocks = pcm[len(pcm) - whole :].reshape(-1, step)
    return np.asarray(np.sqrt(np.mean(np.square(blocks), axis=1))[::-1], np.float32)
