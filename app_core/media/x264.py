"""H.264 for live viewers, Baseline: as good as asked for films, of so many bits for calls."""

from __future__ import annotations

from app_core.media.encoding import level
from app_core.media.fragment import nal_units
from app_core.media.picture_encoder import PictureEncoder

KEY_FRAME_S = 10
"""Between key frames that nobody asked for."""
NAME = "libx264"

_CRF = 22
_SEARCH = "subme=1"
"""As ``superfast`` has it: as good for its size as ``veryfast`` on a face, in 0.65 of the time."""
_CALL_PRESET = "superfast"
"""With a bit rate, a tenth quicker than ``veryfast`` with ``_SEARCH`` for 3 % more bits."""
_LEAST_QUANTISER = "qpmin=22"
"""Of a call: a face that is this good, 43 dB, takes no more bits, however many it may, nor time."""
_BITS_A_PIXEL = 0.3
"""At most. Of every level that ``level`` knows less than its own bound."""
_BUFFER_S = 1 / 3
"""How much of the bit rate a key frame may take at once."""
_CALL_BUFFER_S = 1 / 6
"""As ``_BUFFER_S``; and the shorter, the sooner a fall of the bit rate is followed."""
_KEY_BITS = 32_000
"""A key frame may take as many however low the rate: with a few hundred bytes it is grey."""


class FilmX264(PictureEncoder):
    """Of one quality. ``sps`` and ``pps`` are not in its stream."""

    def __init__(self, width: int, height: int, fps: int) -> None:
        """Raises FfmpegFailed."""
        most = _BITS_A_PIXEL * width * height * fps
        options = _options(width, height, fps, most, _BUFFER_S)
        options |= {"crf": f"{_CRF}", "x264-params": _SEARCH}
        super().__init__(NAME, width, height, fps, options, headers_apart=True)
        units = nal_units(self.headers)
        self.sps = next(unit for unit in units if unit[0] & 31 == 7)
        self.pps = next(unit for unit in units if unit[0] & 31 == 8)


class CallX264(PictureEncoder):
    """Of a bit rate that ``aim`` changes at once, without a key frame. SPS and PPS stand before
    each IDR picture."""

    def __init__(self, width: int, height: int, fps: int, bits_s: int, *, every: int = 1) -> None:
        """``bits_s``: the most that it is ever told. Raises FfmpegFailed."""
        buffer_s = max(_CALL_BUFFER_S, _KEY_BITS / bits_s)
        options = _options(width, height, fps, bits_s, buffer_s, every)
        options |= {"preset": _CALL_PRESET, "x264-params": _LEAST_QUANTISER}
        super().__init__(NAME, width, height, fps, options, every=every, bits_s=bits_s)


def _options(
    width: int, height: int, fps: int, most: float, buffer_s: float, every: int = 1
) -> dict[str, str]:
    """``most``: bits a second."""
    return {
        "preset": "veryfast",
        "tune": "zerolatency",
        "profile": "baseline",
        "level": f"{level(width, height, fps) / 10}",
        "bf": "0",
        "sc_threshold": "0",
        "g": f"{KEY_FRAME_S * fps // every}",
        "forced-idr": "1",
        "maxrate": f"{most:.0f}",
        "bufsize": f"{most * buffer_s:.0f}",
    }
