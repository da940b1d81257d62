"""The pictures of a session as fragmented MP4 for MediaSource, each sent as soon as it is coded.

A time in the film is the session's clock. Where pictures are left out the one before lasts
longer: it is coded once more for the length of the gap, because after a gap MediaSource shows
nothing until the next key frame (Media Source Extensions, coded frame processing).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app_core.media.encoding import level
from app_core.media.fragment import TIMESCALE, fragment, initialisation, length_prefixed
from app_core.media.x264 import FilmX264
from app_core.outputs.live.packet import Kind, Packet
from app_core.types import first_sample

if TYPE_CHECKING:
    from app_core.outputs.live.live_frame import LiveFrame
    from app_core.types import Picture

KEY_PAUSE_S = 0.4
"""Between a key frame and the next that somebody asked for."""


def mime(width: int, height: int, fps: int) -> str:
    """What MediaSource calls the stream (RFC 6381): H.264 Constrained Baseline and its level."""
    return f'video/mp4; codecs="avc1.42c0{level(width, height, fps):02x}"'


class Mp4Encoder:
    """A ``LiveEncoder``."""

    def __init__(self, width: int, height: int, fps: int) -> None:
        """Raises FfmpegFailed."""
        self._fps = fps
        self._codec = FilmX264(width, height, fps)
        start = initialisation(width, height, self._codec.sps, self._codec.pps)
        self._opening = Packet(Kind.MP4_START, True, True, 0, 0, 0, start)
        self._sequence = 0
        self._last: LiveFrame | None = None
        self._next_index = self._key_index = 0
        self._wanted = True
        """A key frame is."""

    @property
    def opening(self) -> Packet:
        return self._opening

    def encode(self, frame: LiveFrame) -> list[Packet]:
        """None for a frame without a picture; two for the first one after such."""
        if frame.picture is None:
            return []
        packets = []
        if self._last is not None and frame.index > self._next_index:
            packets.append(self._again(self._last, frame))
        packets.append(self._coded(frame, frame.picture, frame.index, frame.index + 1))
        self._last = frame
        return packets

    def ask_key(self) -> None:
        """At the next picture, or KEY_PAUSE_S after the last key frame."""
        self._wanted = True

    def close(self) -> None:
        self._codec.close()

    def _again(self, last: LiveFrame, frame: LiveFrame) -> Packet:
        return self._coded(last, None, self._next_index, frame.index)

    def _coded(self, frame: LiveFrame, picture: Picture | None, start: int, end: int) -> Packet:
        """``picture`` from frame ``start`` to frame ``end``."""
        rested = start - self._key_index >= KEY_PAUSE_S * self._fps
        key = self._wanted and (self._sequence == 0 or rested)
        coded = self._codec.encode(picture, start, key=key)
        if coded.key:
            self._key_index, self._wanted = start, False
        self._sequence += 1
        self._next_index = end
        ticks, until = (first_sample(index, TIMESCALE, self._fps) for index in (start, end))
        data = length_prefixed(coded.data)
        payload = fragment(self._sequence, ticks, until - ticks, data, key=coded.key)
        micros = round(start * 1e6 / self._fps)
        return Packet(Kind.MP4, coded.key, frame.idle, frame.generation, start, micros, payload)
