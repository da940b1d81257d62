"""The pictures of a session as H.264 for calls: Annex B, SPS and PPS before each IDR picture."""

from __future__ import annotations

from app_core.media.x264 import CallX264
from app_core.outputs.live.adaptive_encoder import AdaptiveEncoder
from app_core.outputs.live.packet import Kind

_ROOM = 2
"""Times the limit at its opening is what an encoder can be told later."""
_TOO_MUCH = 3
"""So many times the limit, and key frames are too large for the line."""


class H264Encoder(AdaptiveEncoder):
    """The limit takes effect at once. A rise beyond what the open encoder can be told waits for
    the next key frame, at most KEY_FRAME_S."""

    kind = Kind.H264

    def _open(self, width: int, height: int, every: int, index: int) -> CallX264:
        self._room = min(_ROOM * self._bits_s, self._most)
        return CallX264(width, height, self._fps, self._bits_s, self._room, every=every)

    def _outgrown(self, index: int, *, key: bool) -> bool:
        return key and not self._bits_s <= self._room <= _TOO_MUCH * self._bits_s
