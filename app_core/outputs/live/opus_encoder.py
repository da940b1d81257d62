"""The sound of a session as Opus packets of 20 ms.

The encoder looks ahead: what a packet decodes to is its input LOOKAHEAD samples (6.5 ms) ago, the
pre-skip of RFC 7845. A packet's ``micros`` has this in it: the first sample that a decoder which
skips nothing (WebCodecs without a description) makes of the packet is heard at ``micros``, the
last of its 960 just before the next packet's. So the last 6.5 ms of each frame, and what does not
fill a packet, come with the next frame. The one packet of a session that would begin before the
clock does is left out: readers such as WebCodecs count on from the time of the first they get.
"""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext

from app_core.audio import int16
from app_core.errors import FfmpegFailed
from app_core.outputs.live.live_frame import SAMPLE_RATE
from app_core.outputs.live.packet import OPUS_SAMPLES, Kind, Packet
from app_core.types import first_sample

if TYPE_CHECKING:
    from app_core.outputs.live.live_frame import LiveFrame

NAME = "libopus"
BIT_RATE = 48_000
LOOKAHEAD = 312
"""Samples."""
_OPTIONS = {"application": "audio", "compression_level": "5", "frame_duration": "20"}
"""At this rate ``voip`` sounds no better and takes three times the time."""

_RECENT = 4
"""Frames: a packet begins in this one or two before it, as they last 16 ms or more."""


class OpusEncoder:
    """A ``LiveEncoder``."""

    opening: Packet | None = None

    def __init__(self) -> None:
        """Raises FfmpegFailed."""
        try:
            codec = av.CodecContext.create(NAME, "w")
            assert isinstance(codec, AudioCodecContext)
            codec.sample_rate, codec.layout, codec.format = SAMPLE_RATE, "mono", "s16"
            codec.time_base, codec.bit_rate = Fraction(1, SAMPLE_RATE), BIT_RATE
            codec.options = dict(_OPTIONS)
            codec.open()
        except (av.FFmpegError, ValueError) as error:
            raise _failed(error) from error
        self._codec: AudioCodecContext | None = codec
        self._waiting = np.zeros(0, np.int16)
        self._position = 0
        """On the session's clock, of the first sample that waits."""
        self._next_index = -1
        self._recent: deque[tuple[int, bool, int]] = deque(maxlen=_RECENT)
        self._samples = 0

    def encode(self, frame: LiveFrame) -> list[Packet]:
        """Those that are full. After frames that were never given the clock is right again."""
        if frame.index != self._next_index:
            self._waiting = self._waiting[:0]
            self._position = first_sample(frame.index, SAMPLE_RATE, frame.fps)
            self._recent.clear()
        self._next_index = frame.index + 1
        self._recent.append((frame.index, frame.idle, frame.generation))
        self._waiting = np.concatenate([self._waiting, int16(frame.pcm)])
        packets = []
        while len(self._waiting) >= OPUS_SAMPLES:
            payload = self._coded(self._waiting[:OPUS_SAMPLES])
            if (begins := self._position - LOOKAHEAD) >= 0:
                packets.append(self._packet(payload, begins, frame.fps))
            self._waiting = self._waiting[OPUS_SAMPLES:]
            self._position += OPUS_SAMPLES
        return packets

    def limit(self, bits_s: int | None) -> None:
        """It is for pictures."""

    def ask_key(self) -> None:
        """Every one can begin a stream."""

    def close(self) -> None:
        """Safe to call again."""
        self._codec = None

    def _coded(self, samples: np.ndarray) -> bytes:
        if self._codec is None:
            raise FfmpegFailed(f"The encoder {NAME} is closed")
        try:
            sound = av.AudioFrame.from_ndarray(samples[np.newaxis], format="s16", layout="mono")
            sound.sample_rate, sound.pts = SAMPLE_RATE, self._samples
            packets = self._codec.encode(sound)
        except (av.FFmpegError, ValueError) as error:
            raise _failed(error) from error
        self._samples += OPUS_SAMPLES
        if len(packets) != 1:
            raise FfmpegFailed(f"The encoder {NAME} made {len(packets)} packets of one")
        return bytes(packets[0])

    def _packet(self, payload: bytes, begins: int, fps: int) -> Packet:
        """``begins``: the sample of the session's clock."""
        index = ((begins + 1) * fps - 1) // SAMPLE_RATE
        _, idle, generation = next(mark for mark in self._recent if mark[0] >= index)
        micros = round(begins * 1e6 / SAMPLE_RATE)
        return Packet(Kind.OPUS, True, idle, generation, index, micros, payload)


def _failed(error: Exception) -> FfmpegFailed:
    return FfmpegFailed(f"The encoder {NAME} failed: {error}")
