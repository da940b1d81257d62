"""The mel window of each frame, as the sound arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import soxr

from app_core.lipsync.wav2lip.dimensions import BANDS, COLUMNS
from app_core.lipsync.wav2lip.mel import COLUMNS_A_SECOND, SAMPLE_RATE, SILENCE, MelStream
from app_core.types import frame_count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app_core.types import Float32, Speech

FRAME = np.dtype([("mel", np.float32, (BANDS, COLUMNS)), ("voice", np.float32)])
"""``voice`` is 0..1: 0 where the whole window is silent, 1 from half of it on."""

_AUDIBLE = -2.0
"""A column is sound when its loudest band is above this, 25 % of the range: a whisper near by."""


class MelWindows:
    """``FRAME`` for each frame of one job, shape (frames,).

    The window of frame n starts at column int(n * 80 / fps), as in the published inference.
    Beyond both ends of the sound is silence, so that there is a window for every frame.
    """

    def __init__(self, fps: int, offset: float = 0.0) -> None:
        """``offset``: frames by which the mouths come later. Training had windows that start a
        frame earlier than the published inference takes them: 1.0 undoes that.
        """
        self._step = COLUMNS_A_SECOND / fps
        self._fps, self._offset = fps, offset
        self._mel = MelStream()
        self._resample: soxr.ResampleStream | None = None
        self._rate = 0
        self._samples = 0
        self._frames = 0
        lead = -min(self._start(0), 0)
        self._columns: Float32 = np.full((lead, BANDS), SILENCE, np.float32)
        """Columns from ``_first`` on."""
        self._first = -lead

    def push(self, speech: Speech) -> NDArray[np.void]:
        """The frames that are settled now. All pieces of a job have one sample rate."""
        if not self._rate:
            self._rate = speech.sample_rate
            if self._rate != SAMPLE_RATE:
                self._resample = soxr.ResampleStream(self._rate, SAMPLE_RATE, 1, "float32")
        elif speech.sample_rate != self._rate:
            raise ValueError(f"{speech.sample_rate} Hz in a job of {self._rate} Hz")
        self._samples += len(speech.pcm)
        self._columns = np.concatenate([self._columns, self._mel.push(self._at_16k(speech.pcm))])
        return self._windows(len(self._columns) + self._first)

    def finish(self) -> NDArray[np.void]:
        """The frames that are left; together with those of ``push``, frame_count() of them."""
        if not self._rate:
            return np.zeros(0, FRAME)
        rest = self._mel.push(self._at_16k(np.zeros(0, np.float32), last=True))
        frames = frame_count(self._samples, self._rate, self._fps)
        known = [self._columns, rest, self._mel.finish()]
        short = self._start(frames) + COLUMNS - self._first - sum(map(len, known))
        silence = np.full((max(short, 0), BANDS), SILENCE, np.float32)
        self._columns = np.concatenate([*known, silence])
        return self._windows(self._start(frames - 1) + COLUMNS)

    def _at_16k(self, pcm: Float32, last: bool = False) -> Float32:
        if self._resample is None:
            return pcm
        return np.asarray(self._resample.resample_chunk(pcm.astype(np.float32), last=last))

    def _start(self, frame: int) -> int:
        """The first column of a frame's window. The small term keeps n * 3.2 from falling short."""
        return int(np.floor((frame - self._offset) * self._step + 1e-6))

    def _windows(self, end: int) -> NDArray[np.void]:
        """Of the frames whose windows end at column ``end`` or before."""
        starts = []
        while self._start(self._frames) + COLUMNS <= end:
            starts.append(self._start(self._frames) - self._first)
            self._frames += 1
        made = np.zeros(len(starts), FRAME)
        for row, start in zip(made, starts, strict=True):
            window = self._columns[start : start + COLUMNS]
            row["mel"] = window.T
            row["voice"] = min(1.0, 2 * float((window.max(1) > _AUDIBLE).mean()))
        done = max(self._start(self._frames) - self._first, 0)
        self._columns, self._first = self._columns[done:].copy(), self._first + done
        return made
