"""The articulation of one job's sound, as the sound arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app_core.lipsync.viseme.articulation import (
    JAW,
    OPEN,
    REACH_S,
    Array,
    gestures,
    settling,
    shaped,
    tracks,
)
from app_core.lipsync.viseme.heard.heard_articulation import HeardArticulation
from app_core.lipsync.viseme.loudness import Loudness
from app_core.types import Float32, Phoneme, frame_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app_core.types import Speech

_LOUDNESS_SHARE = 0.2
"""How much a loud voice opens the mouth further, and a soft one less."""


class Articulation:
    """Eight tracks (``articulation.TRACKS``) for each frame of one job, shape (frames, 8) float32.

    Phonemes give the tracks where a piece has them, the sound alone (``heard``) where it has
    not. Frames tile the whole job's sound; a frame is given out as soon as no later piece
    can change it, so the same sound gives the same frames however it is cut into pieces.
    """

    def __init__(self, fps: int) -> None:
        self._fps = fps
        self._rate = 0
        self._samples = 0
        self._given = 0
        self._phonemes: list[Phoneme] = []
        self._heard_spans: list[tuple[float, float]] = []
        self._loudness: Loudness | None = None
        self._heard: HeardArticulation | None = None

    @property
    def lookahead_s(self) -> float:
        """Sound that has to be known after a frame before it is given out."""
        return REACH_S + (settling(self._fps) + 1) / self._fps

    def push(self, speech: Speech) -> Float32:
        """The frames that are settled now. All pieces of a job have one sample rate."""
        if self._loudness is None:
            self._rate = speech.sample_rate
            self._loudness = Loudness(self._rate)
        elif speech.sample_rate != self._rate:
            raise ValueError(f"{speech.sample_rate} Hz in a job of {self._rate} Hz")
        start_s = self._samples / self._rate
        self._samples += len(speech.pcm)
        if speech.phonemes is None:
            loudest_db = self._loudness.loudest_db
            self._heard = self._heard or HeardArticulation(self._rate, start_s, loudest_db)
            self._heard_spans.append((start_s, self._samples / self._rate))
        else:
            self._add(start_s, speech.phonemes)
        self._loudness.push(speech.pcm)
        if self._heard is not None:
            self._heard.push(speech.pcm)
        known = self._samples / self._rate - REACH_S
        return self._frames(int(known * self._fps) - settling(self._fps))

    def finish(self) -> Float32:
        """The frames that are left; together with those of ``push``, frame_count() of them."""
        silence = np.zeros(0, np.float32)
        if self._loudness is None:
            return self._frames(0)
        self._loudness.push(silence, last=True)
        if self._heard is not None:
            self._heard.push(silence, last=True)
        return self._frames(frame_count(self._samples, self._rate, self._fps), last=True)

    def _add(self, start_s: float, phonemes: Sequence[Phoneme]) -> None:
        for phoneme in phonemes:
            end_s = start_s + phoneme.end_s
            if not phoneme.ipa and self._phonemes and not self._phonemes[-1].ipa:
                before = self._phonemes.pop()
                self._phonemes.append(Phoneme("", before.start_s, end_s))
            else:
                self._phonemes.append(Phoneme(phoneme.ipa, start_s + phoneme.start_s, end_s))

    def _frames(self, stop: int, *, last: bool = False) -> Float32:
        if stop <= self._given or self._loudness is None:
            return np.zeros((0, 8), np.float32)
        margin = settling(self._fps)
        first = max(self._given - margin, 0)
        end = stop if last else stop + margin
        frames = tracks(gestures(self._phonemes, self._samples / self._rate), first, end, self._fps)
        moments = (np.arange(first, end) + 0.5) / self._fps
        self._hear(frames, moments)
        gain = 1 + _LOUDNESS_SHARE * self._loudness.gain(moments)
        frames[:, JAW : OPEN + 1] *= gain[:, None]
        settled = shaped(frames, self._fps)[self._given - first : stop - first]
        self._given = stop
        self._forget()
        return settled.astype(np.float32)

    def _hear(self, frames: Array, moments: Array) -> None:
        """Overwrites the frames of pieces without phonemes."""
        for start_s, end_s in self._heard_spans:
            inside = (moments >= start_s) & (moments < end_s)
            if self._heard is not None and inside.any():
                frames[inside] = self._heard.tracks(moments[inside], 0.5 / self._fps)

    def _forget(self) -> None:
        """Drops what no frame to come depends on."""
        needed_s = (self._given - settling(self._fps)) / self._fps - 2 * REACH_S
        self._phonemes = [phoneme for phoneme in self._phonemes if phoneme.end_s > needed_s]
        self._heard_spans = [span for span in self._heard_spans if span[1] > needed_s]
        for listener in (self._loudness, self._heard):
            if listener is not None:
                listener.forget(needed_s)
