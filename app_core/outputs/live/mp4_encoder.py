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
from app_core.outputs.live.key_requests import KeyRequests
from app_core.outputs.live.packet import Kind, Packet
from app_core.types import first_sample

if TYPE_CHECKING:
    from app_core.outputs.live.live_frame import LiveFrame
    from app_core.types import Picture


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
        self._next_index = 0
        self._keys = KeyRequests(fps)

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

    def limit(self, bits_s: int | None) -> None:
        """A film has one quality."""

    def ask_key(self) -> None:
        """At the next picture, or KEY_PAUSE_S after the last key frame."""
        self._keys.ask()

    def close(self) -> None:
        self._codec.close()

    def _again(self, last: LiveFrame, frame: LiveFrame) -> Packet:
        return self._coded(last, None, self._next_index, frame.index)

    def _coded(self, frame: LiveFrame, picture: Picture | None, start: int, end: int) -> Packet:
        """``picture`` from frame ``start`` to frame ``end``."""
        coded = self._codec.encode(picture, start, key=self._keys.due(start))
        if coded.key:
            self._keys.made(start)
        self._sequence += 1
        self._next_index = end
        ticks, until = (first_sample(index, TIMESCALE, self._fps) for index in (start, end))
        data = length_prefixed(coded.data)
        payload = fragment(self._sequence, ticks, until - ticks, data, key=coded.key)
        micros = round(start * 1e6 / self._fps)
        return Packet(Kind.MP4, coded.key, frame.idle, frame.generation, start, micros, payload)
