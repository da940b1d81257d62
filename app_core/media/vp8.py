"""VP8 for calls, by libvpx."""

from __future__ import annotations

from app_core.media.picture_encoder import PictureEncoder
from app_core.media.x264 import KEY_FRAME_S

NAME = "libvpx"

_SPEED = "-6"
"""Fixed, so that pictures do not get worse on a busy machine."""
_LEAST_QUANTISER = "16"
"""Of 0..63: a face that is this good, 44 dB, takes no more bits, however many it may."""
_MOST_QUANTISER = "56"
_BUFFER_S = 1 / 2


class Vp8(PictureEncoder):
    """Of one bit rate: libvpx ignores ``aim``."""

    def __init__(self, width: int, height: int, fps: int, bits_s: int, *, every: int = 1) -> None:
        """Raises FfmpegFailed."""
        options = {
            "deadline": "realtime",
            "cpu-used": _SPEED,
            "error-resilient": "default",
            "lag-in-frames": "0",
            "g": f"{KEY_FRAME_S * fps // every}",
            "qmin": _LEAST_QUANTISER,
            "qmax": _MOST_QUANTISER,
            "minrate": f"{bits_s}",
            "maxrate": f"{bits_s}",
            "bufsize": f"{bits_s * _BUFFER_S:.0f}",
        }
        super().__init__(NAME, width, height, fps, options, every=every, bits_s=bits_s)
