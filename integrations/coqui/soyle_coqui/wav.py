"""Sound as bytes."""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
_UNKNOWN = 0xFFFFFFFF


def header(sample_rate: int, samples: int | None) -> bytes:
    """Of 16-bit mono. ``samples`` None: a stream, whose sizes are 0xFFFFFFFF."""
    size = _UNKNOWN if samples is None else 2 * samples
    form = struct.pack("<HHIIHH", 1, 1, sample_rate, 2 * sample_rate, 2, 16)
    riff = struct.pack("<4sI4s", b"RIFF", min(36 + size, _UNKNOWN), b"WAVE")
    return riff + struct.pack("<4sI16s4sI", b"fmt ", 16, form, b"data", size)


def pcm16(sound: Float32) -> bytes:
    """Samples -1..1 as little-endian 16 bit; louder ones are clipped, what is no number is 0."""
    tame = np.clip(np.nan_to_num(sound, nan=0.0), -1.0, 1.0)
    return np.round(tame * 32767).astype("<i2").tobytes()
