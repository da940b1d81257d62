"""Samples without a codec, raw or in a WAV, as mono floats while they arrive."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app_core.errors import VoiceUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app_core.speech.voices.server.feed import Feed
    from app_core.types import Float32

_INTEGER, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_FORMAT = struct.Struct("<HHIIHH")
_SUBFORMAT_AT = 24
"""Of an extensible format chunk: the code of what it extends."""
_SMALLEST_STREAM = 0x7FFF0000
"""A size of 0, or from here on, is of a writer that did not know it yet."""
_CHUNK_HEAD = 8
_LONGEST_FORMAT = 1 << 10  # bytes
CHANNELS = range(1, 9)


@dataclass(frozen=True, slots=True)
class Layout:
    """Little-endian. What 16 bits and more hold is signed."""

    rate: int
    """Samples a second."""
    channels: int = 1
    bits: int = 16
    floating: bool = False

    @property
    def unit(self) -> int:
        """Bytes of a sample of all channels."""
        return self.channels * self.bits // 8

    def mono(self, data: bytes) -> Float32:
        """A whole number of units."""
        samples: Float32
        if self.floating:
            given = np.frombuffer(data, f"<f{self.bits // 8}").astype(np.float32)
            samples = np.asarray(np.nan_to_num(given, nan=0.0, posinf=1.0, neginf=-1.0))
        elif self.bits == 8:
            samples = (
                np.frombuffer(data, np.uint8).astype(np.float32) - np.float32(128)
            ) / np.float32(128)
        elif self.bits == 24:
            wide = np.zeros((len(data) // 3, 4), np.uint8)
            wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
            samples = wide.view("<i4")[:, 0].astype(np.float32) / np.float32(1 << 31)
        else:
            scale = np.float32(1 << (self.bits - 1))
            samples = np.frombuffer(data, f"<i{self.bits // 8}").astype(np.float32) / scale
        if self.channels > 1:
            samples = samples.reshape(-1, self.channels).mean(axis=1, dtype=np.float32)
        return samples


def is_plain_wav(start: bytes) -> bool:
    """Whether the first 22 bytes are of a WAV whose samples have no codec."""
    if start[:4] != b"RIFF" or start[8:16] != b"WAVEfmt " or len(start) < 22:
        return False
    return struct.unpack_from("<H", start, 20)[0] in (_INTEGER, _FLOAT, _EXTENSIBLE)


def wav_layout(feed: Feed) -> tuple[Layout, int | None]:
    """Reads up to the samples: how they lie, and their bytes, None for a stream of any length.

    Raises VoiceUnreachable for a header that cannot be read or is cut.
    """
    feed.skip(12)
    layout: Layout | None = None
    while True:
        head = feed.take(_CHUNK_HEAD)
        if len(head) < _CHUNK_HEAD:
            raise VoiceUnreachable("The speech server sent a WAV that is cut in its header")
        name, size = struct.unpack("<4sI", head)
        if name == b"data" and layout is not None:
            return layout, size if 0 < size < _SMALLEST_STREAM else None
        if name == b"fmt " and _FORMAT.size <= size <= _LONGEST_FORMAT:
            layout = _layout(feed.take(size))
            feed.skip(size % 2)
        else:
            feed.skip(size + size % 2)


def wav_samples(feed: Feed, layout: Layout, size: int | None) -> Iterator[Float32]:
    """Raises VoiceUnreachable when fewer come than the header says."""
    given = 0
    for data in feed.units(layout.unit, size):
        given += len(data)
        yield layout.mono(data)
    if size is not None and given < size - size % layout.unit:
        raise VoiceUnreachable(
            f"The speech server sent a WAV that is {size - given} bytes too short"
        )


def _layout(chunk: bytes) -> Layout:
    if len(chunk) < _FORMAT.size:
        raise VoiceUnreachable("The speech server sent a WAV that is cut in its header")
    code, channels, rate, _, unit, bits = _FORMAT.unpack_from(chunk)
    if code == _EXTENSIBLE and len(chunk) >= _SUBFORMAT_AT + 2:
        (code,) = struct.unpack_from("<H", chunk, _SUBFORMAT_AT)
    layout = Layout(rate, channels, bits, code == _FLOAT)
    known = {_INTEGER: (8, 16, 24, 32), _FLOAT: (32, 64)}.get(code, ())
    if bits not in known or channels not in CHANNELS or unit != layout.unit:
        raise VoiceUnreachable(
            f"The speech server sent a WAV of an unknown kind: code {code}, {channels} channels,"
            f" {bits} bits"
        )
    return layout
