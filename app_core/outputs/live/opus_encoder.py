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
from typing import TYPE_CHECKING

import numpy as np

from app_core.media.opus import LOOKAHEAD, SAMPLES, OpusCoder
from app_core.outputs.live.live_frame import SAMPLE_RATE
from app_core.outputs.live.packet import Kind, Packet
from app_core.types import first_sample

if TYPE_CHECKING:
    from app_core.outputs.live.live_frame import LiveFrame
    from app_core.types import Float32

BIT_RATE = 48_000

_RECENT = 4
"""Frames: a packet begins in this one or two before it, as they last 16 ms or more."""


class OpusEncoder:
    """A ``LiveEncoder``."""

    opening: Packet | None = None

    def __init__(self) -> None:
        """Raises FfmpegFailed."""
        self._coder = OpusCoder(BIT_RATE)
        self._waiting: Float32 = np.zeros(0, np.float32)
        self._position = 0
        """On the session's clock, of the first sample that waits."""
        self._next_index = -1
        self._recent: deque[tuple[int, bool, int]] = deque(maxlen=_RECENT)

    def encode(self, frame: LiveFrame) -> list[Packet]:
        """Those that are full. After frames that were never given the clock is right again."""
        if frame.index != self._next_index:
            self._waiting = self._waiting[:0]
            self._position = first_sample(frame.index, SAMPLE_RATE, frame.fps)
            self._recent.clear()
        self._next_index = frame.index + 1
        self._recent.append((frame.index, frame.idle, frame.generation))
        waiting = [self._waiting, frame.pcm]
        self._waiting = np.concatenate(waiting) if len(self._waiting) else frame.pcm
        packets = []
        while len(self._waiting) >= SAMPLES:
            payload = self._coder.encode(self._waiting[:SAMPLES])
            if (begins := self._position - LOOKAHEAD) >= 0:
                packets.append(self._packet(payload, begins, frame.fps))
            self._waiting = self._waiting[SAMPLES:]
            self._position += SAMPLES
        return packets

    def limit(self, bits_s: int | None) -> None:
        """It is for pictures."""

    def ask_key(self) -> None:
        """Every one can begin a stream."""

    def close(self) -> None:
        """Safe to call again."""
        self._coder.close()

    def _packet(self, payload: bytes, begins: int, fps: int) -> Packet:
        """``begins``: the sample of the session's clock."""
        index = ((begins + 1) * fps - 1) // SAMPLE_RATE
        _, idle, generation = next(mark for mark in self._recent if mark[0] >= index)
        micros = round(begins * 1e6 / SAMPLE_RATE)
        return Packet(Kind.OPUS, True, idle, generation, index, micros, payload)
