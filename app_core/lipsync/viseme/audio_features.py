"""Articulation guessed from the sound alone, for recordings whose text nobody knows.

Six band levels and the loudness are mapped linearly to the tracks. The map was fitted by least
squares to the tracks that espeak-ng's own phonemes give (three languages, five voices). On voices
and languages left out of the fit, the correlation with those tracks was 0.76 for jaw, 0.64 for
open, 0.45 for teeth and 0.25 to 0.3 for wide and round; real speech and noise will score lower.
So the mouth moves with the syllables and shows teeth for hisses, but its shape is vague.
A short dip between two loud parts, without bright sound in it, becomes sealed lips: about three
in ten of them are an m, b or p, and about three in ten of the m, b and p are found. Where the
text is known, phonemes are far better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from app_core.lipsync.viseme.articulation import CLOSE, JAW, OPEN, ROUND, TEETH, TRACKS, WIDE

if TYPE_CHECKING:
    from app_core.lipsync.viseme.articulation import Array, Places
    from app_core.types import Float32

_HOPS = 100
"""Spectra a second."""
_WINDOW_S = 0.03
_BANDS_HZ = ((80, 250), (250, 600), (600, 1200), (1200, 2000), (2000, 3500), (3500, 8000))
_VOICED = slice(0, 5)
_SYLLABLE = slice(1, 5)
_BRIGHT = 4

_QUIETEST_VOICE_DB = -50.0
_OF_ONE_SIDE_DB = -3.0
"""What the spectra here have of the power: that of the positive frequencies."""
_FORGET_DB = 3.0
"""A second: how fast the loudest moment so far stops being the measure."""
_SILENT_DB, _FULL_DB = -32.0, -6.0
"""Against the loudest moment: where a voice starts to count, and where it counts in full."""

_MAP = {
    # the six bands (level against the whole in units of 20 dB, times loudness), then loudness
    JAW: (-0.07, -0.26, 0.22, 0.02, 0.02, -0.05, 0.48),
    OPEN: (-0.16, -0.31, 0.20, 0.00, 0.08, 0.07, 0.64),
    WIDE: (0.20, -0.03, -0.13, 0.03, 0.22, 0.27, 0.57),
    ROUND: (-0.18, 0.10, -0.05, -0.12, -0.13, -0.07, -0.09),
    TEETH: (-0.04, -0.35, -0.20, -0.03, 0.05, 0.36, 0.55),
}
_WEIGHTS = np.array([_MAP.get(track, (0.0,) * 7) for track in range(len(TRACKS))]).T
_LOWEST = np.where(np.arange(len(TRACKS)) == WIDE, -1.0, 0.0)

_CONTEXT = 20
"""Hops on either side of a moment that its tracks depend on."""
_SIDE = 9
"""Hops on either side of a dip in which the voice has to be loud."""
_DIP_DB, _LOUD_DB, _DULL_DB = 12.0, -20.0, -16.0
_HOLD_S, _RAMP_S = 0.02, 0.045


class HeardArticulation:
    """Tracks of a sound that arrives in blocks of any size; the result does not depend on them."""

    def __init__(
        self, sample_rate: int, start_s: float, loudest_db: float = _QUIETEST_VOICE_DB
    ) -> None:
        """``start_s`` is the time of the first sample on the job's clock; ``loudest_db`` what
        ``Loudness`` measured before it, so that noise between two sentences is not taken for a
        voice.
        """
        self._rate = sample_rate
        self._start_s = start_s
        self._length = int(_WINDOW_S * sample_rate)
        self._window = np.hanning(self._length + 2)[1:-1]
        frequencies = np.fft.rfftfreq(self._length, 1 / sample_rate)
        self._bands = np.array(
            [(frequencies >= low) & (frequencies < high) for low, high in _BANDS_HZ], float
        ).T / (self._length * np.sum(self._window**2))
        self._rest = np.zeros(self._length // 2, np.float32)
        self._consumed = 0
        self._samples = 0
        self._hops = 0
        self._loudest = max(loudest_db + _OF_ONE_SIDE_DB, _QUIETEST_VOICE_DB)
        self._power = np.zeros((0, len(_BANDS_HZ)))
        self._reference = np.zeros(0)
        self._dropped = 0

    def push(self, pcm: Float32, *, last: bool = False) -> None:
        """More sound (mono, -1..1); ``last`` when no more comes."""
        self._samples += len(pcm)
        padding = np.zeros(self._length if last else 0, np.float32)
        sound = np.concatenate([self._rest, pcm, padding])
        known = self._consumed + len(sound) - self._length
        stop = min(self._hops_before(known + 1), self._hops_before(self._samples))
        starts = self._first_samples(np.arange(self._hops, stop)) - self._consumed
        for block in np.array_split(starts, len(starts) // 512 + 1):
            spectra = np.fft.rfft(
                sound[block[:, None] + np.arange(self._length)] * self._window, axis=1
            )
            self._append((spectra.real**2 + spectra.imag**2) @ self._bands)
        self._hops = max(stop, self._hops)
        passed = int(self._first_samples(np.array(self._hops))) - self._consumed
        self._rest = sound[min(passed, len(sound)) :].copy()  # a view would hold the piece
        self._consumed += len(sound) - len(self._rest)

    def tracks(self, moments: Array, half_s: float) -> Array:
        """The tracks at moments in seconds, shape (moments, 8).

        ``half_s`` is half of a frame: a frame that a dip's bottom lies in has ``close`` 1.
        """
        tracks = np.zeros((len(moments), len(TRACKS)))
        hops = np.floor((moments - self._start_s) * _HOPS + 1e-6).astype(int) - self._dropped
        first = max(int(hops.min()) - _CONTEXT, 0)
        last = min(int(hops.max()) + _CONTEXT + 1, len(self._power))
        if last <= first:
            return tracks
        power, reference = self._power[first:last], self._reference[first:last]
        heard = np.clip(_smooth(_cues(power, reference), 9) @ _WEIGHTS, _LOWEST, 1.0)
        tracks[:] = heard[np.clip(hops - first, 0, len(heard) - 1)]
        bottoms = self._start_s + (_dips(power, reference) + first + self._dropped + 0.5) / _HOPS
        if len(bottoms):
            after = np.searchsorted(bottoms, moments).clip(0, len(bottoms) - 1)
            away = np.minimum(
                np.abs(moments - bottoms[after]),
                np.abs(moments - bottoms[np.maximum(after - 1, 0)]),
            )
            height = np.clip(1 - (away - _HOLD_S) / _RAMP_S, 0, 1)
            sealed = height * height * (3 - 2 * height)
            tracks[:, CLOSE] = np.where(away <= half_s, 1.0, sealed)
        return tracks

    def forget(self, before_s: float) -> None:
        """Nothing before this moment will be asked for."""
        hop = int((before_s - self._start_s) * _HOPS) - _CONTEXT - 1 - self._dropped
        if hop > 0:
            self._power, self._reference = self._power[hop:], self._reference[hop:]
            self._dropped += hop

    def _first_samples(self, hops: Places) -> Places:
        """The first sample of each hop's window, counted from half a window before the sound."""
        return np.asarray((2 * hops + 1) * self._rate // (2 * _HOPS), np.int64)

    def _hops_before(self, sample: int) -> int:
        """How many hops have their first sample before ``sample``."""
        return max(0, -(-(2 * _HOPS * sample - self._rate) // (2 * self._rate)))

    def _append(self, power: Array) -> None:
        level = _decibels(power[:, _VOICED].sum(1))
        fade = _FORGET_DB / _HOPS * np.arange(1, len(level) + 1)
        loudest = np.maximum.accumulate(np.maximum(level + fade, self._loudest)) - fade
        floor = np.maximum(loudest, _QUIETEST_VOICE_DB)
        self._loudest = float(floor[-1]) if len(floor) else self._loudest
        self._power = np.concatenate([self._power, power])
        self._reference = np.concatenate([self._reference, floor])


def _decibels(power: Array) -> Array:
    return np.asarray(10 * np.log10(power + 1e-9))


def _cues(power: Array, reference: Array) -> Array:
    """What _MAP takes, shape (hops, 7)."""
    level = _decibels(power[:, _VOICED].sum(1)) - reference
    loud = np.clip((level - _SILENT_DB) / (_FULL_DB - _SILENT_DB), 0, 1)[:, None]
    share = np.clip(_decibels(power) - _decibels(power.sum(1))[:, None], -40, 0) / 20
    return np.concatenate([share * loud, loud], axis=1)


def _dips(power: Array, reference: Array) -> Places:
    """The hops at the bottom of short, dull dips between two loud parts."""
    level = _smooth(_decibels(power[:, _SYLLABLE].sum(1))[:, None], 5)[:, 0]
    around = sliding_window_view(np.pad(level, _SIDE, mode="edge"), _SIDE)
    sides = np.minimum(around[: len(level)].max(1), around[_SIDE + 1 :].max(1))
    lowest = sliding_window_view(np.pad(level, 4, mode="edge"), 9).min(1)
    found = (level <= lowest) & (sides - level > _DIP_DB) & (sides - reference > _LOUD_DB)
    found &= _decibels(power[:, _BRIGHT]) - level < _DULL_DB
    return np.flatnonzero(found).astype(np.int64)


def _smooth(rows: Array, length: int) -> Array:
    """Each column averaged over ``length`` - 2 hops, shape as ``rows``."""
    weights = np.hanning(length)[1:-1]
    half = len(weights) // 2
    padded = np.pad(rows, ((half, half), (0, 0)), mode="edge")
    return np.asarray(sliding_window_view(padded, len(weights), axis=0) @ (weights / weights.sum()))
