"""The sound of each frame of a session as 16-bit samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app_core.audio import int16
from app_core.outputs.live.packet import Kind, Packet

if TYPE_CHECKING:
    from app_core.outputs.live.live_frame import LiveFrame


class PcmEncoder:
    """A ``LiveEncoder``."""

    opening: Packet | None = None

    def encode(self, frame: LiveFrame) -> list[Packet]:
        data = int16(frame.pcm).astype("<i2").tobytes()
        generation, index = frame.generation, frame.index
        return [Packet(Kind.PCM, True, frame.idle, generation, index, frame.micros, data)]

    def limit(self, bits_s: int | None) -> None:
        """It is for pictures."""

    def ask_key(self) -> None:
        """Every one is a key frame."""

    def close(self) -> None:
        """It holds nothing."""
