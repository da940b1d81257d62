"""The pictures of a session as VP8 for calls."""

from __future__ import annotations

from app_core.media.vp8 import Vp8
from app_core.outputs.live.adaptive_encoder import AdaptiveEncoder
from app_core.outputs.live.packet import Kind

CHANGE_PAUSE_S = 2.0
_CHANGE = 0.15
"""Share of the bit rate: less is no change."""


class Vp8Encoder(AdaptiveEncoder):
    """The open encoder cannot be told another bit rate: a new one is opened for it, whose first
    picture is a key frame, at most every CHANGE_PAUSE_S."""

    kind = Kind.VP8

    def _open(self, width: int, height: int, every: int, index: int) -> Vp8:
        self._opened_at, self._opened_for = index, self._bits_s
        return Vp8(width, height, self._fps, self._bits_s, every=every)

    def _outgrown(self, index: int, *, key: bool) -> bool:
        changed = abs(self._bits_s - self._opened_for) > _CHANGE * self._opened_for
        return changed and index - self._opened_at >= CHANGE_PAUSE_S * self._fps
