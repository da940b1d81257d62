"""The sound of an answer: mono at one rate, in parts of a quarter to half a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import soxr

from app_core.errors import VoiceUnreachable
from app_core.speech.voices.server.feed import Feed
from app_core.speech.voices.server.pcm import (
    CHANNELS,
    Layout,
    is_plain_wav,
    wav_layout,
    wav_samples,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from app_core.cancel_scope import Stale
    from app_core.speech.voices.server.decoder import Decoder
    from app_core.types import Float32

RATE = 24000
"""Samples a second of all that leaves here: OpenAI's own."""

_LEAST, _MOST = RATE // 4, RATE // 2
_RATES = range(8000, 192_001)
_RAW = frozenset({"audio/pcm", "audio/x-pcm", "audio/raw", "audio/x-raw"})
_ANY = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_MAGICS = (b"RIFF", b"fLaC", b"OggS", b"ID3", b"\x1a\x45\xdf\xa3", b"FORM", b"RF64")
_START = 22
"""Bytes by which a format is known."""


def sound(
    blocks: Iterable[bytes],
    kind: str,
    layout: Layout,
    raw: bool,
    decoder: Decoder,
    stale: Stale,
    limit_s: float,
) -> Generator[Float32]:
    """Mono parts -1..1 at RATE, the last one shorter.

    ``kind``: the media type that the server told; ``layout``: how samples without a header lie;
    ``raw``: what has no name of its own is such. WAV without a codec and raw samples are given
    out as they arrive, all else when it is whole. Raises VoiceUnreachable for what is no sound,
    is cut, or is longer than ``limit_s``, and Cancelled.
    """
    feed = Feed(blocks)
    start = feed.peek(_START)
    if not start:
        raise VoiceUnreachable("The speech server sent no sound")
    if is_plain_wav(start):
        layout, size = wav_layout(feed)
        rate, samples = layout.rate, wav_samples(feed, layout, size)
    elif kind in _RAW or (raw and kind in _ANY and not start.startswith(_MAGICS)):
        if layout.channels not in CHANNELS:
            raise VoiceUnreachable(f"The speech server sent {layout.channels} channels")
        rate, samples = layout.rate, map(layout.mono, feed.units(layout.unit))
    elif kind.startswith(("audio/", "video/")) or kind in _ANY or start.startswith(_MAGICS):
        rate, samples = decoder.read(feed, stale, limit_s)
    else:
        raise VoiceUnreachable(f"The speech server answered with {kind[:60]}, which is no sound")
    if rate not in _RATES:
        raise VoiceUnreachable(f"The speech server sent {rate} samples a second")
    yield from _parts(_at_rate(_bounded(samples, rate, limit_s), rate))


def _bounded(samples: Iterable[Float32], rate: int, limit_s: float) -> Iterator[Float32]:
    left = int(limit_s * rate)
    for block in samples:
        left -= len(block)
        if left < 0:
            raise VoiceUnreachable("The speech server's answer does not end")
        yield np.clip(block, -1, 1)


def _at_rate(samples: Iterable[Float32], rate: int) -> Iterator[Float32]:
    """As it is where the rate is RATE already."""
    if rate == RATE:
        yield from samples
        return
    stream = soxr.ResampleStream(rate, RATE, 1, dtype="float32")
    for block in samples:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


def _parts(samples: Iterable[Float32]) -> Iterator[Float32]:
    waiting: list[Float32] = []
    length = 0
    for block in samples:
        waiting.append(block)
        length += len(block)
        if length >= _LEAST:
            joined = np.concatenate(waiting)
            while len(joined) >= _LEAST:
                yield joined[:_MOST]
                joined = joined[_MOST:]
            waiting, length = [joined], len(joined)
    if length:
        yield np.concatenate(waiting)
