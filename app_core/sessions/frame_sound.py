"""The sound of an utterance at the session's rate, in the lengths of the session's frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import soxr

from app_core.outputs.live.live_frame import SAMPLE_RATE
from app_core.types import first_sample

if TYPE_CHECKING:
    from app_core.audio import AudioBuffer
    from app_core.types import Float32

FADE = SAMPLE_RATE // 100
"""Samples over which a sound that is cut goes away: 10 ms, or it clicks."""
_READ_S = 0.25


class FrameSound:
    """Of one utterance, read by the session's thread alone, frame after frame."""

    def __init__(self, sound: AudioBuffer) -> None:
        self._sound = sound
        self._read = 0
        self._resampled = sound.sample_rate != SAMPLE_RATE
        if self._resampled:
            self._stream = soxr.ResampleStream(sound.sample_rate, SAMPLE_RATE, 1, dtype="float32")
        self._ended = False
        self._ready: Float32 = np.zeros(0, np.float32)

    def ready(self, count: int) -> bool:
        """Whether the next ``count`` samples are there, or as many as will ever be."""
        while len(self._ready) < count and self._more():
            pass
        return len(self._ready) >= count or self._ended

    def take(self, count: int) -> Float32:
        """The next ``count`` samples; what the end leaves of them is silence."""
        pcm, self._ready = self._ready[:count], self._ready[count:]
        if len(pcm) < count:
            pcm = np.concatenate([pcm, np.zeros(count - len(pcm), np.float32)])
        return pcm

    def tail(self) -> Float32:
        """What would have come next, going away."""
        self.ready(FADE)
        return faded(self._ready)

    def _more(self) -> bool:
        """Reads on. False when there is nothing more now."""
        rate = self._sound.sample_rate
        closed = self._sound.closed  # before the samples: what is written later is not the end
        pcm = self._sound.samples(self._read, self._read + round(_READ_S * rate))
        self._read += len(pcm)
        self._sound.forget(self._read)
        if not len(pcm) and (self._ended or not closed):
            return False
        self._ended = not len(pcm)
        if self._resampled:
            pcm = np.asarray(self._stream.resample_chunk(pcm, last=self._ended), np.float32)
        self._ready = np.concatenate([self._ready, pcm])
        return not self._ended


def samples_of(frame: int, fps: int) -> int:
    """How many samples the session's ``frame`` lasts: frames tile the clock without drift."""
    return first_sample(frame + 1, SAMPLE_RATE, fps) - first_sample(frame, SAMPLE_RATE, fps)


def faded(pcm: Float32) -> Float32:
    """The beginning of a sound, going away within FADE."""
    ramp = np.linspace(1, 0, FADE, dtype=np.float32)[: len(pcm)]
    return np.asarray(pcm[:FADE] * ramp, np.float32)
