"""The pictures of a session as H.264 for calls: Annex B, SPS and PPS before each IDR picture."""

from __future__ import annotations

from app_core.media.x264 import CallX264
from app_core.outputs.live.adaptive_encoder import AdaptiveEncoder
from app_core.outputs.live.packet import Kind

_TOO_MUCH = 1.4
"""Times the limit: an encoder opened for so much saves up bits while it may not spend them, and
takes the longer to follow a fall, the longer it was so."""


class H264Encoder(AdaptiveEncoder):
    """A fall of the limit needs no key frame. A rise above what the encoder was opened for waits
    for the next one, at most KEY_FRAME_S."""

    kind = Kind.H264

    def _open(self, width: int, height: int, every: int, index: int) -> CallX264:
        self._opened_for = self._bits_s
        return CallX264(width, height, self._fps, self._bits_s, every=every)

    def _outgrown(self, index: int, *, key: bool) -> bool:
        return key and not self._bits_s <= self._opened_for <= _TOO_MUCH * self._bits_s
