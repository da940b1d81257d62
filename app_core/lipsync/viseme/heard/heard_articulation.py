"""Articulation heard in the sound alone, for recordings and microphones whose text nobody knows.

A network gives the tracks and how likely the lips are sealed; they are where that lasts and the
sound dips. Of m, b and p, 92 to 97 in a hundred are found in sentences never trained on by voices
that were, and 4 to 14 in a hundred closures are false (8 in all); of two English voices that were
never trained on, 72 and 80 are found and 18 are false. Of a Russian one 69 are found, and 60 are
false: its t and n are taken for p and m. The tracks correlate with those of the phonemes by 0.8 for
jaw and open, 0.7 for wide and round (by a known voice). Where the text is known, phonemes are far
better. Nothing was measured on real people.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from app_core.lipsync.viseme.articulation import CLOSE, TRACKS, WIDE
from app_core.lipsync.viseme.heard.hearing import QUIETEST_VOICE_DB, Hearing
from app_core.lipsync.viseme.heard.network import (
    LOOKAHEAD,
    SEAL,
    HearingNetwork,
    HearingWeights,
    weights,
)
from app_core.lipsync.viseme.heard.spectrum import HOPS, Spectrum

if TYPE_CHECKING:
    from app_core.lipsync.viseme.articulation import Array
    from app_core.types import Float32

_UNSURE = 0.8
"""Of ``close`` where no seal was found: lips that may touch do not."""
_DIP_DB = 10.0
"""A sealed mouth lets through so much less than the most open one around it."""
_BEFORE, _AFTER = 15, LOOKAHEAD
"""Rows around a moment that its dip and its silence are measured in."""
_SILENT_DB, _VOICE_DB = -32.0, -26.0
"""Against the loudest moment: what is silence, and what may be a voice in full."""
_CONTEXT = _BEFORE + LOOKAHEAD + 2


class HeardArticulation:
    """Tracks of a sound that arrives in blocks of any size; the result does not depend on them.

    What it says of a moment depends on the next 100 ms, and for a seal on half a frame more: 120
    ms at 25 frames a second.
    """

    def __init__(
        self,
        sample_rate: int,
        start_s: float,
        loudest_db: float = QUIETEST_VOICE_DB,
        trained: HearingWeights | None = None,
    ) -> None:
        """``start_s`` is the time of the first sample on the job's clock; ``loudest_db`` what
        ``Loudness`` measured before it, so that noise between two sentences is not taken for a
        voice; ``trained`` other weights than those of the project.
        """
        trained = trained or weights()
        self._start_s = start_s
        self._spectrum = Spectrum(sample_rate)
        self._hearing = Hearing(trained.usual, self._spectrum.present, loudest_db)
        self._network = HearingNetwork(trained)
        self.threshold = trained.threshold
        """Of the probability of sealed lips, 0..1."""
        self._loudness = np.zeros((0, 2), np.float32)
        """Row k is of the moment k, LOOKAHEAD rows more than of ``_found``."""
        self._found = np.zeros((0, SEAL + 1), np.float32)
        self._early = LOOKAHEAD
        self._dropped = 0

    def push(self, pcm: Float32, *, last: bool = False) -> None:
        """More sound (mono, -1..1); ``last`` when no more comes."""
        levels = self._spectrum.push(pcm, silent_rows=LOOKAHEAD if last else -1)
        heard, loudness = self._hearing.push(levels)
        found = self._network.push(heard)
        early = min(self._early, len(found))  # these are of moments before the first
        self._early -= early
        self._loudness = np.concatenate([self._loudness, loudness])
        self._found = np.concatenate([self._found, found[early:]])

    def tracks(self, moments: Array, half_s: float) -> Array:
        """The tracks at moments in seconds, shape (moments, 8).

        ``half_s`` is half of a frame: a frame that a sealed moment lies in has ``close`` 1.
        """
        tracks = np.zeros((len(moments), len(TRACKS)))
        at = (moments - self._start_s) * HOPS - self._dropped
        catch = max(half_s * HOPS - 0.5, 0.5)
        first = max(int(at.min() - catch) - 3, 0)
        last = min(int(at.max() + catch) + 2, len(self._found))
        if last <= first:
            return tracks
        found = self._found[first:last]
        voice, dip = self._voice_and_dip(first, last)
        rows = np.clip(np.floor(at + 1e-6).astype(int) - first, 0, len(found) - 1)
        shapes = np.clip(found[:, :SEAL], np.where(np.arange(SEAL) == WIDE, -1, 0), 1)
        shapes[:, CLOSE] = np.minimum(shapes[:, CLOSE], _UNSURE)
        tracks[:] = (shapes * voice[:, None])[rows]
        likely = found[:, SEAL] > np.log(self.threshold / (1 - self.threshold))
        sealed = _lasting(likely) & (dip > _DIP_DB) & (voice == 1)
        middles = np.flatnonzero(sealed) + first + 0.5
        if len(middles):
            after = np.searchsorted(middles, at).clip(0, len(middles) - 1)
            away = np.minimum(
                np.abs(at - middles[after]), np.abs(at - middles[np.maximum(after - 1, 0)])
            )
            tracks[away <= catch, CLOSE] = 1.0
        return tracks

    def forget(self, before_s: float) -> None:
        """Nothing before this moment will be asked for."""
        row = int((before_s - self._start_s) * HOPS) - _CONTEXT - self._dropped
        if row > 0:
            self._found, self._loudness = self._found[row:].copy(), self._loudness[row:].copy()
            self._dropped += row

    def _voice_and_dip(self, first: int, last: int) -> tuple[Array, Array]:
        """For rows ``first`` to ``last`` - 1: how surely somebody speaks, 0..1, and how many
        decibels the moment is below the loudest one around it."""
        start, stop = first - _BEFORE, last + _AFTER
        known = self._loudness[max(start, 0) : stop]
        padding = (max(-start, 0), stop - max(start, 0) - len(known))
        near = np.pad(known, (padding, (0, 0)), constant_values=-120.0)
        around = sliding_window_view(near, _BEFORE + 1 + _AFTER, axis=0).max(2)
        voice = np.clip((around[:, 0] - _SILENT_DB) / (_VOICE_DB - _SILENT_DB), 0, 1)
        return voice, around[:, 1] - near[_BEFORE : len(near) - _AFTER, 1]


def _lasting(likely: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Runs of three rows and more, without their first: a shorter one is no closure."""
    padded = np.pad(likely, (2, 1))
    last_of_three = padded[:-2] & padded[1:-1] & padded[2:]
    return np.asarray(last_of_three[:-1] | last_of_three[1:])
