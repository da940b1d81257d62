"""Pictures through an encoder of FFmpeg's, one by one, none held back."""

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

if TYPE_CHECKING:
    from collections.abc import Mapping

    from av.video.plane import VideoPlane

    from app_core.types import Picture, UInt8

_SMALL = 512 * 512
"""Bytes: 25 us."""


class Coded(NamedTuple):
    data: bytes
    """Of H.264: NAL units behind start codes."""
    key: bool


class PictureEncoder:
    """BT.601 in tv range. Used by one thread; works without the GIL."""

    def __init__(
        self,
        name: str,
        width: int,
        height: int,
        fps: int,
        options: Mapping[str, str],
        *,
        every: int = 1,
        bits_s: int | None = None,
        headers_apart: bool = False,
    ) -> None:
        """``name`` and ``options`` are FFmpeg's. Even sides in pixels. One of ``every`` pictures of
        ``fps`` comes. ``headers_apart``: they are in ``headers``, not in the stream.

        Raises FfmpegFailed.
        """
        self._name, self._size = name, (width, height)
        try:
            codec = av.CodecContext.create(name, "w")
            assert isinstance(codec, VideoCodecContext)
            codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
            codec.time_base, codec.framerate = Fraction(1, fps), Fraction(fps, every)
            codec.color_range, codec.colorspace = ColorRange.MPEG, Colorspace.SMPTE170M
            codec.color_primaries, codec.color_trc = ColorPrimaries.SMPTE170M, ColorTrc.SMPTE170M
            codec.thread_count = 1
            if headers_apart:
                codec.flags |= Flags.global_header
            if bits_s is not None:
                codec.bit_rate = bits_s
            codec.options = dict(options)
            codec.open()
            # the encoders copy what they are given, so one frame serves them all
            self._frame = av.VideoFrame(width, height, "yuv420p")
        except (av.FFmpegError, ValueError) as error:
            raise self._failed(error) from error
        self._codec: VideoCodecContext | None = codec
        self._planes = [_Plane(plane) for plane in self._frame.planes]
        self.headers = codec.extradata or b""

    def aim(self, bits_s: int) -> None:
        """From the next picture on, where the encoder can change it."""
        if self._codec is not None:
            self._codec.bit_rate = bits_s

    def encode(self, picture: Picture | None, index: int, *, key: bool) -> Coded:
        """``index``: its number at ``fps``, above all before. None: the same picture again.

        Raises FfmpegFailed.
        """
        if self._codec is None:
            raise FfmpegFailed(f"The encoder {self._name} is closed")
        if picture is not None:
            size = (picture.width, picture.height)
            if size != self._size:
                raise FfmpegFailed(f"The encoder {self._name} takes no {size}, only {self._size}")
            for plane, values in zip(self._planes, picture.planes, strict=True):
                plane.write(values)
        self._frame.pts = index
        self._frame.pict_type = PictureType.I if key else PictureType.NONE
        try:
            packets = self._codec.encode(self._frame)
        except av.FFmpegError as error:
            raise self._failed(error) from error
        if len(packets) != 1:
            raise FfmpegFailed(f"The encoder {self._name} made {len(packets)} pictures of one")
        return Coded(bytes(packets[0]), packets[0].is_keyframe)

    def close(self) -> None:
        """Safe to call again."""
        self._codec = None

    def _failed(self, error: Exception) -> FfmpegFailed:
        return FfmpegFailed(f"The encoder {self._name} failed: {error}")


class _Plane:
    """Of the encoder's frame. numpy lets other threads run while it copies, and waits for Python's
    lock then; what is copied in less time than such a wait is not worth one."""

    def __init__(self, plane: VideoPlane) -> None:
        self._bytes = memoryview(plane)
        rows = np.frombuffer(self._bytes, np.uint8).reshape(plane.height, plane.line_size)
        self._pixels = rows[:, : plane.width]
        """Rows may have room between them."""
        self._at_once = self._pixels.size == rows.size <= _SMALL

    def write(self, values: UInt8) -> None:
        if self._at_once and values.flags.c_contiguous:
            self._bytes[:] = values.data.cast("B")
        else:
            self._pixels[:] = values
