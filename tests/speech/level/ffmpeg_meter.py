"""ffmpeg's own loudness meter, to compare with."""

from __future__ import annotations

import re
import subprocess
from typing import NamedTuple

from imageio_ffmpeg import get_ffmpeg_exe

from app_core.types import Float32


class Reading(NamedTuple):
    lufs: float
    """To a tenth, as is the peak."""
    dbtp: float


def ffmpeg_meter(pcm: Float32, sample_rate: int) -> Reading:
    """Of a mono sound of at least 0.4 s."""
    words = ["-hide_banner", "-nostats", "-f", "f32le", "-ar", str(sample_rate), "-ac", "1"]
    meter = "ebur128=peak=true:framelog=quiet"
    done = subprocess.run(
        [get_ffmpeg_exe(), *words, "-i", "-", "-af", meter, "-f", "null", "-"],
        input=pcm.tobytes(),
        capture_output=True,
        timeout=60,
        check=True,
    )
    summary = done.stderr.decode().rpartition("Summary")[2]
    lufs = re.search(r"I:\s+(\S+) LUFS", summary)
    peak = re.search(r"Peak:\s+(\S+) dBFS", summary)
    assert lufs and peak, summary
    return Reading(float(lufs[1]), float(peak[1]))
