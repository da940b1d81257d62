"""Sound as bytes: WAV headers and 16-bit samples."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from app_core.media.ffmpeg import Ffmpeg
    from app_core.types import Float32

_SAMPLE_BYTES = 2
_UNKNOWN_SIZE = 0xFFFFFFFF
_FULL_SCALE = 32768


def header(sample_rate: int, samples: int | None) -> bytes:
    """The 44 bytes before 16-bit mono samples.

    ``samples`` None is a stream of unknown length: both sizes are then 0xFFFFFFFF, which players
    read as "until the end".
    """
    size = _UNKNOWN_SIZE if samples is None else samples * _SAMPLE_BYTES
    riff_size = min(36 + size, _UNKNOWN_SIZE)
    pcm, channels, bits = 1, 1, 8 * _SAMPLE_BYTES
    chunk = struct.pack(
        "<HHIIHH", pcm, channels, sample_rate, sample_rate * _SAMPLE_BYTES, _SAMPLE_BYTES, bits
    )
    riff = struct.pack("<4sI4s", b"RIFF", riff_size, b"WAVE")
    return riff + struct.pack("<4sI16s4sI", b"fmt ", len(chunk), chunk, b"data", size)


def pcm16(sound: Float32) -> bytes:
    """Samples -1..1 as little-endian 16 bit, rounded to nearest; louder ones are clipped."""
    scaled: Float32 = np.rint(sound * np.float32(_FULL_SCALE))
    return np.clip(scaled, -_FULL_SCALE, _FULL_SCALE - 1).astype("<i2").tobytes()


def resampled(pcm: bytes, sample_rate: int, wanted_rate: int, ffmpeg: Ffmpeg) -> bytes:
    """Mono 16-bit samples at another rate, band-limited, of the same duration to one sample.

    Raises FfmpegFailed.
    """
    if sample_rate == wanted_rate:
        return pcm
    samples = -(-len(pcm) // _SAMPLE_BYTES * wanted_rate // sample_rate)
    raw = ["-f", "s16le", "-ac", "1"]
    given = [*raw, "-ar", f"{sample_rate}", "-i", "pipe:0"]
    data = ffmpeg.run([*given, *raw, "-ar", f"{wanted_rate}", "pipe:1"], data=pcm)
    return data[: samples * _SAMPLE_BYTES].ljust(samples * _SAMPLE_BYTES, b"\0")
