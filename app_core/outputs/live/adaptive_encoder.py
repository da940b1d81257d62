"""The pictures of a session for calls: as many bits as the line takes, and pictures to match."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

import cv2
import numpy as np

from app_core.outputs.live.key_requests import KeyRequests
from app_core.outputs.live.packet import Kind, Packet
from app_core.outputs.live.quality_ladder import RUNGS, QualityLadder
from app_core.outputs.live.video_rates import LEAST_BITS_S, VideoRates
from app_core.types import Picture

if TYPE_CHECKING:
    from app_core.media.picture_encoder import PictureEncoder
    from app_core.outputs.live.live_frame import LiveFrame
    from app_core.types import UInt8


class AdaptiveEncoder(ABC):
    """A ``LiveEncoder``. A frame without a picture has no packet, nor one that the ladder leaves
    out. A picture of another size is a key frame."""

    kind: ClassVar[Kind]
    opening: Packet | None = None

    def __init__(self, width: int, height: int, fps: int, rates: VideoRates | None = None) -> None:
        """``rates``: those of the size by default."""
        self._size, self._fps = (width, height), fps
        rates = rates or VideoRates.for_size(width, height, fps)
        self._most = rates.ceiling
        self._least = min(max(round(RUNGS[-1].need * rates.floor), LEAST_BITS_S), self._most)
        self._bits_s = self._most
        self._ladder = QualityLadder(rates.floor, fps)
        self._rung = self._ladder.rung
        self._keys = KeyRequests(fps)
        self._codec: PictureEncoder | None = None
        self._last: int | None = None

    @abstractmethod
    def _open(self, width: int, height: int, every: int, index: int) -> PictureEncoder:
        """For ``_bits_s``, from picture ``index`` on."""

    @abstractmethod
    def _outgrown(self, index: int, *, key: bool) -> bool:
        """Whether the open encoder is no longer right for ``_bits_s``, at a picture that is to be
        a ``key`` frame or not."""

    def limit(self, bits_s: int | None) -> None:
        """From the next picture on; None: the ceiling. It goes no higher, and no lower than the
        last rung of the ladder needs."""
        wanted = self._most if bits_s is None else bits_s
        self._bits_s = min(max(wanted, self._least), self._most)

    def encode(self, frame: LiveFrame) -> list[Packet]:
        """Raises FfmpegFailed."""
        index, picture = frame.index, frame.picture
        rung = self._ladder.look(index, self._bits_s)
        if picture is None or (self._last is not None and index - self._last < rung.every):
            return []
        size = rung.size(*self._size)
        key = self._keys.due(index)
        codec = self._codec
        if codec is None or rung != self._rung or self._outgrown(index, key=key):
            self.close()
            codec = self._codec = self._open(*size, rung.every, index)
            self._rung = rung
        codec.aim(self._bits_s)
        if rung.scale != 1:
            picture = _resized(picture, *size)
        coded = codec.encode(picture, index, key=key)
        if coded.key:
            self._keys.made(index)
        self._last = index
        micros, generation = frame.micros, frame.generation
        return [Packet(self.kind, coded.key, frame.idle, generation, index, micros, coded.data)]

    def ask_key(self) -> None:
        """At the next picture, or KEY_PAUSE_S after the last key frame."""
        self._keys.ask()

    def close(self) -> None:
        if self._codec is not None:
            self._codec.close()


def _resized(picture: Picture, width: int, height: int) -> Picture:
    half = (width // 2, height // 2)
    y, u, v = _plane(picture.y, (width, height)), _plane(picture.u, half), _plane(picture.v, half)
    return Picture(y, u, v)


def _plane(plane: UInt8, size: tuple[int, int]) -> UInt8:
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8)
