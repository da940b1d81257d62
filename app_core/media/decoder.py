"""A video file to planar pictures: one ffmpeg that decodes forward, in a loop, and scales."""

from __future__ import annotations

import re
import threading
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from app_core.errors import FfmpegFailed
from app_core.media.ffmpeg import QUIET
from app_core.media.mp4_index import count_pictures
from app_core.media.process import FfmpegProcess
from app_core.media.raw_video import planes
from app_core.types import ClipShape, Picture

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app_core.media.ffmpeg import Ffmpeg
    from app_core.types import Cut

_HEADER = re.compile(rb"YUV4MPEG2 W(\d+) H(\d+) F(\d+):(\d+)")
_LOCAL = ("-protocol_whitelist", "file,pipe")


def measure_clip(ffmpeg: Ffmpeg, path: Path) -> ClipShape:
    """Decodes one picture and counts the others. Raises OSError or FfmpegFailed."""
    video = [*_LOCAL, "-i", f"file:{path}", "-map", "0:v:0"]
    one = ["-frames:v", "1", "-pix_fmt", "yuv420p", "-f", "yuv4mpegpipe", "pipe:1"]
    header = _HEADER.match(ffmpeg.run([*video, *one]))
    pictures = count_pictures(path)
    if pictures is None:
        packets = ffmpeg.run([*video, "-c", "copy", "-f", "framecrc", "pipe:1"], timeout_s=300.0)
        pictures = sum(not line.startswith(b"#") for line in packets.splitlines())
    if header is None or not pictures or header[3] == b"0":
        raise FfmpegFailed(f"{path.name} holds no pictures")
    width, height, count, seconds = (int(number) for number in header.groups())
    return ClipShape(width, height, float(Fraction(count, seconds)), pictures)


def decoder_argv(
    ffmpeg: str, path: Path, cut: Cut, size: tuple[int, int], *, use_nvdec: bool
) -> list[str]:
    """Every picture of the file once in each round, whatever their times, upright.

    Those that are BT.601 in tv range and of the asked size leave bit for bit as they were coded.
    """
    filters = [f"crop={cut.width}:{cut.height}:{cut.left}:{cut.top}:exact=1"]
    # Without accurate_rnd the sums over many rows stray, and grey takes on a colour.
    ours = "out_color_matrix=smpte170m:out_range=tv"
    wide, high = cut.inner(size)
    how = "area" if wide < cut.width else "bicubic"
    shown = f"scale={wide}:{high}:flags={how}+accurate_rnd:{ours},format=yuv420p"
    if (wide, high) == size:
        filters.append(shown)
    else:  # on a blurred copy of itself
        small = "scale={}:{}:flags=area+accurate_rnd".format(*cut.blurred(size))
        large = f"scale={size[0]}:{size[1]}:flags=bicubic+accurate_rnd"
        back = f"[part]{small}:{ours},format=yuv420p,{large}[back]"
        onto = f"[back][shown]overlay={cut.margin_x}:{cut.margin_y}:format=yuv420,format=yuv420p"
        filters[0] += ",split[front][part]"
        filters = [";".join([filters[0], f"[front]{shown}[shown]", back, onto])]
    return [
        ffmpeg,
        *QUIET,
        *(("-hwaccel", "cuda") if use_nvdec else ("-threads", "1")),
        *[*_LOCAL, "-stream_loop", "-1", "-i", f"file:{path}", "-map", "0:v:0"],
        *["-vf", ",".join(filters), "-fps_mode", "passthrough", "-f", "rawvideo", "pipe:1"],
    ]


class ClipDecoder:
    """The running decoder. Leaving the ``with`` block ends it."""

    def __init__(
        self,
        ffmpeg: Ffmpeg,
        path: Path,
        cut: Cut,
        size: tuple[int, int],
        *,
        use_nvdec: bool = False,
        gently: bool = False,
    ) -> None:
        self._width, self._height = size
        argv = decoder_argv(ffmpeg.path, path, cut, size, use_nvdec=use_nvdec)
        self._process = FfmpegProcess(argv, output=True, memory=ffmpeg.bound(argv), gently=gently)
        self._closing = threading.Lock()

    @property
    def pid(self) -> int:
        return self._process.pid

    def read(self) -> Picture:
        """The next picture. Raises FfmpegFailed, also after ``close``."""
        luma = self._width * self._height
        data = np.empty(luma * 3 // 2, np.uint8)
        try:
            read = self._process.read(data.data)
        except ValueError:
            raise FfmpegFailed("the video was closed") from None
        if read < len(data):
            raise FfmpegFailed("the video ended in the middle of a picture")
        return planes(data, (self._width, self._height))

    def close(self) -> None:
        """From any thread; safe to call again."""
        with self._closing:
            self._process.stop()

    def __enter__(self) -> ClipDecoder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def start_video_decoder(
    ffmpeg: Ffmpeg,
    path: Path,
    cut: Cut | None = None,
    size: tuple[int, int] | None = None,
    *,
    use_nvdec: bool = False,
    gently: bool = False,
) -> ClipDecoder:
    """``cut`` of the video (default: all of it), scaled to an even (width, height), in a loop;
    ``gently``: giving way to live work.

    ``read()`` gives one Picture after the other; close it. Raises FfmpegFailed.
    """
    if cut is None:
        cut = measure_clip(ffmpeg, path).whole
    even = (cut.width // 2 * 2, cut.height // 2 * 2)
    return ClipDecoder(ffmpeg, path, cut, size or even, use_nvdec=use_nvdec, gently=gently)


class ClipFootage:
    """What avatars read their clips with. ``ffmpeg()`` finds the program when it is needed."""

    def __init__(self, ffmpeg: Callable[[], Ffmpeg]) -> None:
        self._ffmpeg = ffmpeg

    def measure(self, path: Path) -> ClipShape:
        return measure_clip(self._ffmpeg(), path)

    def open(
        self, path: Path, cut: Cut, size: tuple[int, int], *, use_nvdec: bool, gently: bool
    ) -> ClipDecoder:
        return start_video_decoder(
            self._ffmpeg(), path, cut, size, use_nvdec=use_nvdec, gently=gently
        )
