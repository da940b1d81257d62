"""Pictures to H.264 one by one, none held back: what live viewers are sent."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import av
import numpy as np
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from app_core.errors import FfmpegFailed
from app_core.media.encoding import level
from app_core.media.fragment import nal_units

if TYPE_CHECKING:
    from av.video.plane import VideoPlane

    from app_core.types import Picture, UInt8

KEY_FRAME_S = 10
"""Between key frames that nobody asked for."""
NAME = "libx264"

_CRF = 22
_SEARCH = "subme=1"
"""As ``superfast`` has it: as good for its size as ``veryfast`` on a face, in 0.65 of the time."""
_BITS_A_PIXEL = 0.3
"""At most. Of every level that ``level`` knows less than its own bound."""
_BUFFER_S = 1 / 3
"""How much of the bit rate a key frame may take at once."""


class Coded(NamedTuple):
    data: bytes
    """NAL units behind start codes."""
    key: bool


class X264:
    """Baseline, BT.601 in tv range. Used by one thread; works without the GIL."""

    def __init__(self, width: int, height: int, fps: int) -> None:
        """Even sides in pixels. Raises FfmpegFailed."""
        self._size = (width, height)
        rate = _BITS_A_PIXEL * width * height * fps
        try:
            codec = av.CodecContext.create(NAME, "w")
            assert isinstance(codec, VideoCodecContext)
            codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
            codec.time_base, codec.framerate = Fraction(1, fps), Fraction(fps)
            codec.color_range, codec.colorspace = ColorRange.MPEG, Colorspace.SMPTE170M
            codec.color_primaries, codec.color_trc = ColorPrimaries.SMPTE170M, ColorTrc.SMPTE170M
            codec.thread_count = 1
            codec.flags |= Flags.global_header
            codec.options = {
                "preset": "veryfast",
                "tune": "zerolatency",
                "profile": "baseline",
                "level": f"{level(width, height, fps) / 10}",
                "bf": "0",
                "sc_threshold": "0",
                "g": f"{KEY_FRAME_S * fps}",
                "forced-idr": "1",
                "crf": f"{_CRF}",
                "maxrate": f"{rate:.0f}",
                "bufsize": f"{rate * _BUFFER_S:.0f}",
                "x264-params": _SEARCH,
            }
            codec.open()
            # x264 copies what it is given, so one frame serves them all
            self._frame = av.VideoFrame(width, height, "yuv420p")
        except (av.FFmpegError, ValueError) as error:
            raise _failed(error) from error
        self._codec: VideoCodecContext | None = codec
        self._planes = [_pixels(plane) for plane in self._frame.planes]
        units = nal_units(codec.extradata or b"")
        self.sps = next(unit for unit in units if unit[0] & 31 == 7)
        self.pps = next(unit for unit in units if unit[0] & 31 == 8)

    def encode(self, picture: Picture | None, index: int, *, key: bool) -> Coded:
        """``index``: its number at ``fps``, above all before. None: the same picture again.

        Raises FfmpegFailed.
        """
        if self._codec is None:
            raise FfmpegFailed(f"The encoder {NAME} is closed")
        if picture is not None:
            size = (picture.width, picture.height)
            if size != self._size:
                raise FfmpegFailed(f"The encoder {NAME} takes no {size}, only {self._size}")
            for plane, values in zip(self._planes, (picture.y, picture.u, picture.v), strict=True):
                plane[:] = values
        self._frame.pts = index
        self._frame.pict_type = PictureType.I if key else PictureType.NONE
        try:
            packets = self._codec.encode(self._frame)
        except av.FFmpegError as error:
            raise _failed(error) from error
        if len(packets) != 1:
            raise FfmpegFailed(f"The encoder {NAME} made {len(packets)} pictures of one")
        return Coded(bytes(packets[0]), packets[0].is_keyframe)

    def close(self) -> None:
        """Safe to call again."""
        self._codec = None


def _pixels(plane: VideoPlane) -> UInt8:
    """A view, (height, width), whose rows may have room between them."""
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return rows[:, : plane.width]


def _failed(error: Exception) -> FfmpegFailed:
    return FfmpegFailed(f"The encoder {NAME} failed: {error}")
