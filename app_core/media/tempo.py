"""Speech said faster or slower at the same pitch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from app_core.media.ffmpeg import Ffmpeg
    from app_core.types import Float32

SPEEDS = (0.5, 2.0)


def stretched(pcm: Float32, rate: int, speed: float, ffmpeg: Ffmpeg) -> Float32:
    """``pcm`` (mono, -1..1, ``rate`` samples a second) at ``speed`` times its own, within SPEEDS:
    exactly ``round(len(pcm) / speed)`` samples. What is said is the same, and so is the pitch.

    One run of ffmpeg, some tens of milliseconds; at a speed of 1 none. Raises FfmpegFailed.
    """
    if speed == 1 or not len(pcm):
        return pcm
    speed = min(max(speed, SPEEDS[0]), SPEEDS[1])
    raw = ["-f", "f32le", "-ar", str(rate), "-ac", "1"]
    tempo = ["-af", f"atempo={speed:.6f}", "-threads", "1"]
    data = np.ascontiguousarray(pcm, "<f4").tobytes()
    said = ffmpeg.run([*raw, "-i", "pipe:0", *tempo, "-f", "f32le", "pipe:1"], data=data)
    found = np.frombuffer(said, "<f4")
    samples = round(len(pcm) / speed)
    exact = np.zeros(samples, np.float32)
    exact[: len(found)] = found[:samples]
    return exact
