"""The sound of an utterance, cut into the session's frames at the session's rate."""

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

    def __init__(self, sound: AudioBuffer, fps: int) -> None:
        self._sound, self._fps = sound, fps
        self._read = 0
        self._resampled = sound.sample_rate != SAMPLE_RATE
        if self._resampled:
            self._stream = soxr.ResampleStream(sound.sample_rate, SAMPLE_RATE, 1, dtype="float32")
        self._flushed = False
        self._ready: Float32 = np.zeros(0, np.float32)

    def frame(self, index: int) -> Float32:
        """The samples of frame ``index`` of the utterance; what is missing of them is silence."""
        count = first_sample(index + 1, SAMPLE_RATE, self._fps) - first_sample(
            index, SAMPLE_RATE, self._fps
        )
        while len(self._ready) < count and self._more():
            pass
        pcm, self._ready = self._ready[:count], self._ready[count:]
        if len(pcm) < count:
            pcm = np.concatenate([pcm, np.zeros(count - len(pcm), np.float32)])
        return pcm

    def tail(self) -> Float32:
        """What would have come next, going away."""
        pcm = self._ready[:FADE]
        ramp = np.linspace(1, 0, FADE, dtype=np.float32)[: len(pcm)]
        return np.asarray(pcm * ramp, np.float32)

    def _more(self) -> bool:
        """Reads on. False when there is nothing more now."""
        rate = self._sound.sample_rate
        ended = self._sound.complete  # before the samples: what is written later is not the end
        pcm = self._sound.samples(self._read, self._read + round(_READ_S * rate))
        self._read += len(pcm)
        self._sound.forget(self._read)
        if self._resampled and not self._flushed:
            last = ended and not len(pcm)
            self._flushed = last
            made = self._stream.resample_chunk(pcm, last=last)
        else:
            made = pcm
        if len(made):
            self._ready = np.concatenate([self._ready, np.asarray(made, np.float32)])
        return bool(len(pcm)) or (ended and self._resampled and not self._flushed)
