"""Each picture of a session as a JPEG of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app_core.media import jpeg
from app_core.outputs.live.packet import Kind, Packet

if TYPE_CHECKING:
    from app_core.outputs.live.live_frame import LiveFrame


class JpegEncoder:
    """A ``LiveEncoder``. A frame without a picture has no packet."""

    opening: Packet | None = None

    def __init__(self, quality: int) -> None:
        """``quality`` 1..100."""
        self._quality = quality

    def encode(self, frame: LiveFrame) -> list[Packet]:
        if frame.picture is None:
            return []
        data = jpeg.encode(frame.picture, self._quality)
        generation, index = frame.generation, frame.index
        return [Packet(Kind.JPEG, True, frame.idle, generation, index, frame.micros, data)]

    def limit(self, bits_s: int | None) -> None:
        """Each has one quality."""

    def ask_key(self) -> None:
        """Every one is a key frame."""

    def close(self) -> None:
        """It holds nothing."""
