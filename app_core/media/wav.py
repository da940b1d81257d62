"""Sound as bytes: WAV headers and 16-bit samples."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

from app_core.audio import SAMPLE_BYTES, int16

if TYPE_CHECKING:
    from app_core.audio import AudioBuffer
    from app_core.media.ffmpeg import Ffmpeg
    from app_core.types import Float32

_UNKNOWN_SIZE = 0xFFFFFFFF


def header(sample_rate: int, samples: int | None) -> bytes:
    """The 44 bytes before 16-bit mono samples.

    ``samples`` None is a stream of unknown length: both sizes are then 0xFFFFFFFF, which players
    read as "until the end".
    """
    size = _UNKNOWN_SIZE if samples is None else samples * SAMPLE_BYTES
    riff_size = min(36 + size, _UNKNOWN_SIZE)
    pcm, channels, bits = 1, 1, 8 * SAMPLE_BYTES
    chunk = struct.pack(
        "<HHIIHH", pcm, channels, sample_rate, sample_rate * SAMPLE_BYTES, SAMPLE_BYTES, bits
    )
    riff = struct.pack("<4sI4s", b"RIFF", riff_size, b"WAVE")
    return riff + struct.pack("<4sI16s4sI", b"fmt ", len(chunk), chunk, b"data", size)


class WavFile:
    """A complete sound as a WAV file to read: the parts that are asked for come from wherever the
    sound lies. For one thread."""

    def __init__(self, sound: AudioBuffer) -> None:
        self._sound, self._at = sound, 0
        self._head = header(sound.sample_rate, len(sound))
        self.size = len(self._head) + len(sound) * SAMPLE_BYTES

    def read(self, size: int = -1) -> bytes:
        """Less than ``size`` at the end, or when the sound has been released meanwhile."""
        start, head = self._at, len(self._head)
        self._at = stop = self.size if size < 0 else min(start + size, self.size)
        first = max(start - head, 0) // SAMPLE_BYTES
        last = -(-max(stop - head, 0) // SAMPLE_BYTES)
        pcm = self._sound.read(first, last - first, 0.0) if last > first else b""
        origin = head + first * SAMPLE_BYTES
        return self._head[start:stop] + pcm[max(start - origin, 0) : max(stop - origin, 0)]

    def seek(self, at: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        self._at = min(max(origin + at, 0), self.size)
        return self._at

    def tell(self) -> int:
        return self._at

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        """There is nothing open."""


def pcm16(sound: Float32) -> bytes:
    """Samples -1..1 as little-endian 16 bit, rounded to nearest; louder ones are clipped."""
    return int16(sound).astype("<i2").tobytes()


def resampled(pcm: bytes, sample_rate: int, wanted_rate: int, ffmpeg: Ffmpeg) -> bytes:
    """Mono 16-bit samples at another rate, band-limited, of the same duration to one sample.

    Raises FfmpegFailed.
    """
    if sample_rate == wanted_rate:
        return pcm
    samples = -(-len(pcm) // SAMPLE_BYTES * wanted_rate // sample_rate)
    raw = ["-f", "s16le", "-ac", "1"]
    given = [*raw, "-ar", f"{sample_rate}", "-i", "pipe:0"]
    data = ffmpeg.run([*given, *raw, "-ar", f"{wanted_rate}", "pipe:1"], data=pcm)
    return data[: samples * SAMPLE_BYTES].ljust(samples * SAMPLE_BYTES, b"\0")
