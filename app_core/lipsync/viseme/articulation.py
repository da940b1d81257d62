"""From phonemes to eight numbers a frame.

Lips never stand in the shape of one sound: they are on the way from the last to the next. After
Cohen and Massaro (1993), each sound pulls every track towards its own target with a dominance
that falls off with the distance in time; the track is the dominance-weighted mean. Sealed lips
(m b p) and a tucked lip (f v) must not be averaged away, so they are tracks of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app_core.lipsync.viseme.visemes import CLOSING, REST, TUCKING, VISEMES, VOWELS, letters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app_core.types import Phoneme

Array = NDArray[np.float64]
Places = NDArray[np.int64]

TRACKS = ("jaw", "open", "wide", "round", "close", "tuck", "teeth", "tongue")
"""0..1, except wide: -1..1. All 0 is a closed mouth at rest."""
JAW, OPEN, WIDE, ROUND, CLOSE, TUCK, TEETH, TONGUE = range(len(TRACKS))
_BLENDED = (JAW, OPEN, WIDE, ROUND, TEETH, TONGUE)

REACH_S = 0.25
"""No sound acts on a frame that is further away than this."""

_ANTICIPATION_S = np.array([0.060, 0.055, 0.075, 0.090, 0.050, 0.045])
"""How early each blended track starts towards a sound."""
_CARRY_OVER_S = np.array([0.070, 0.060, 0.080, 0.085, 0.050, 0.045])
_FALL = 1.5
_CUT = float(np.exp(-((REACH_S / 0.090) ** _FALL)))
_UNDECIDED = 1e-4

_SHORTEST_PAUSE_S = 0.06
_RELAX_S = 0.08
"""Into a pause, until the mouth is at rest."""
_PREPARE_S = 0.10
"""Before the end of a pause, when the mouth leaves its rest."""

_SEAL_ATTACK_S, _SEAL_RELEASE_S = 0.055, 0.060
_TUCK_ATTACK_S, _TUCK_RELEASE_S = 0.065, 0.060
_SHORTEST_HOLD_S = 0.03
_SEALED = 0.9
_PARTED = 0.2
_EXPOSURE = 0.5
"""The part of a frame's time in which it catches a seal. More would swallow short vowels."""

_STEPS_A_SECOND = {JAW: 0.3 * 25, OPEN: 0.45 * 25}
"""The fastest that jaw and lips move."""


class Gestures(NamedTuple):
    """What a stretch of phonemes asks of the mouth, in seconds on the job's clock."""

    cores: Array
    """(sounds, 2): where each sound acts with its full dominance."""
    targets: Array
    """(sounds, 6), in the order of visemes.TARGETS."""
    dominance: Array
    """(sounds, 6)"""
    seals: Array
    """(m b p sounds, 2): first and last moment of sealed lips."""
    tucks: Array
    """(f v sounds, 2)"""
    vowels: Array
    """(vowels,): the middle of each."""


def gestures(phonemes: Iterable[Phoneme], end_s: float) -> Gestures:
    """The gestures of phonemes in time order. A pause that reaches ``end_s`` has no known end."""
    cores, visemes, seals, tucks, vowels = [], [], [], [], []
    for phoneme in phonemes:
        start, length = phoneme.start_s, phoneme.end_s - phoneme.start_s
        sounds = letters(phoneme.ipa)
        if not sounds:
            if length < _SHORTEST_PAUSE_S - 1e-6:
                continue
            rest = start + _RELAX_S if start > 0 else 0.0
            leave = phoneme.end_s - _PREPARE_S if phoneme.end_s < end_s - 1e-6 else np.inf
            cores.append((rest, max(rest, leave)))
            visemes.append(REST)
        for place, sound in enumerate(sounds):
            begin = start + length * place / len(sounds)
            end = start + length * (place + 1) / len(sounds)
            quarter = (end - begin) / 4
            cores.append((begin + quarter, end - quarter))
            visemes.append(VISEMES[sound])
            if sound in CLOSING:
                seals.append(_hold(begin + 0.005, end - 0.012))
            elif sound in TUCKING:
                tucks.append(_hold(begin + 0.010, end - 0.015))
            elif sound in VOWELS:
                vowels.append((begin + end) / 2)
    return Gestures(
        np.array(cores, float).reshape(-1, 2),
        np.array([viseme.targets for viseme in visemes], float).reshape(-1, 6),
        np.array([viseme.dominance for viseme in visemes], float).reshape(-1, 6),
        np.array(seals, float).reshape(-1, 2),
        np.array(tucks, float).reshape(-1, 2),
        np.array(vowels, float),
    )


def tracks(asked: Gestures, first: int, last: int, fps: int) -> Array:
    """The tracks of frames ``first`` to ``last`` - 1, shape (last - first, 8).

    Each seal owns the frame that its middle lies in: there ``close`` is 1. Of the other frames,
    each vowel owns the one of its middle: lips between two seals part, however short the vowel.
    """
    frames = np.zeros((last - first, len(TRACKS)))
    if last <= first:
        return frames
    frames[:, _BLENDED] = _blend(asked, first, last, fps)
    frames[:, CLOSE] = _held(asked.seals, first, last, fps, _SEAL_ATTACK_S, _SEAL_RELEASE_S)
    frames[:, TUCK] = _held(asked.tucks, first, last, fps, _TUCK_ATTACK_S, _TUCK_RELEASE_S)
    parted = _owned(asked.vowels, first, last, fps)
    frames[parted, CLOSE] = np.minimum(frames[parted, CLOSE], _PARTED)
    frames[_owned(asked.seals.mean(1), first, last, fps), CLOSE] = 1.0
    return frames


def shaped(frames: Array, fps: int) -> Array:
    """``frames`` with lips that obey their seals and a speed limit; same shape.

    A frame depends on its neighbours up to ``settling(fps)`` frames away.
    """
    frames = frames.copy()
    frames[:, JAW : OPEN + 1] = np.clip(frames[:, JAW : OPEN + 1], 0, 1)
    frames[:, OPEN] *= (1 - frames[:, CLOSE]) * (1 - 0.5 * frames[:, TUCK])
    for track, steps in _STEPS_A_SECOND.items():
        frames[:, track] = _slowed(frames[:, track], steps / fps)
    return frames


def settling(fps: int) -> int:
    """Frames on either side that ``shaped`` looks at."""
    return int(np.ceil(fps / min(_STEPS_A_SECOND.values())))


def _owned(middles: Array, first: int, last: int, fps: int) -> Places:
    """The frames, counted from ``first``, that moments lie in."""
    frames = np.floor(middles * fps + 1e-6).astype(np.int64)
    return frames[(frames >= first) & (frames < last)] - first


def _hold(start_s: float, end_s: float) -> tuple[float, float]:
    if end_s - start_s < _SHORTEST_HOLD_S:
        middle = (start_s + end_s) / 2
        return middle - _SHORTEST_HOLD_S / 2, middle + _SHORTEST_HOLD_S / 2
    return start_s, end_s


def _blend(asked: Gestures, first: int, last: int, fps: int) -> Array:
    """The dominance-weighted means, shape (frames, 6), over pairs of a sound and a near frame."""
    near = np.clip((asked.cores + (-REACH_S, REACH_S)) * fps + (0, 1), first, last).astype(int)
    counts = near[:, 1] - near[:, 0]
    sound = np.repeat(np.arange(len(counts)), counts)
    frame = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts - near[:, 0], counts)
    moment = (frame + 0.5) / fps
    early = asked.cores[sound, 0] - moment
    distance = np.maximum(np.maximum(early, moment - asked.cores[sound, 1]), 0)[:, None]
    reach = np.where((early > 0)[:, None], _ANTICIPATION_S, _CARRY_OVER_S)
    pull = np.maximum(np.exp(-((distance / reach) ** _FALL)) - _CUT, 0) * asked.dominance[sound]
    pulled = pull * asked.targets[sound]
    means = [
        np.bincount(frame - first, pulled[:, track], last - first)
        / (np.bincount(frame - first, pull[:, track], last - first) + _UNDECIDED)
        for track in range(6)
    ]
    return np.stack(means, axis=1)


def _held(
    holds: Array, first: int, last: int, fps: int, attack_s: float, release_s: float
) -> Array:
    """How far the lips are held in each frame, 0..1, shape (frames,)."""
    held = np.zeros(last - first)
    half = _EXPOSURE / 2 / fps
    for start, end in holds:
        begin = min(max(int((start - attack_s - half) * fps), first), last)
        stop = min(max(int((end + release_s + half) * fps) + 1, begin), last)
        moment = (np.arange(begin, stop) + 0.5) / fps
        at_centre = _ramp(moment, start, end, attack_s, release_s)
        nearest = np.clip((start + end) / 2, moment - half, moment + half)
        at_best = _ramp(nearest, start, end, attack_s, release_s)
        part = held[begin - first : stop - first]
        np.maximum(part, np.where(at_best > _SEALED, at_best, at_centre), out=part)
    return held


def _ramp(moment: Array, start: float, end: float, attack_s: float, release_s: float) -> Array:
    """Smoothly up to 1 at ``start``, 1 until ``end``, and down again."""
    rise = np.minimum((moment - start) / attack_s, (end - moment) / release_s)
    height = np.clip(1 + rise, 0, 1)
    return np.asarray(height * height * (3 - 2 * height))


def _slowed(track: Array, step: float) -> Array:
    """The largest track below ``track`` that moves by ``step`` a frame at most: seals stay."""
    slowed = track.copy()
    for distance in range(1, min(int(np.ceil(1 / step)), len(track) - 1) + 1):
        slowed[distance:] = np.minimum(slowed[distance:], track[:-distance] + step * distance)
        slowed[:-distance] = np.minimum(slowed[:-distance], track[distance:] + step * distance)
    return slowed
