"""Raw pictures out of one ffmpeg and into another, for work that nobody waits for live."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Self

from app_core.media.ffmpeg import QUIET
from app_core.media.process import FfmpegProcess, InputPipe
from app_core.types import Picture

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    from app_core.types import UInt8

CRF = 17
COLOURS = ["-color_range", "tv", "-colorspace", "smpte170m"]
COLOURS += ["-color_primaries", "smpte170m", "-color_trc", "smpte170m"]

_FINISH_S = 120.0


def gently(ffmpeg: str) -> list[str]:
    """Whoever watches a live face comes first."""
    nice = shutil.which("nice")
    return [*((nice, "-n", "10") if nice else ()), ffmpeg, *QUIET]


def planes(data: UInt8, size: tuple[int, int]) -> Picture:
    """Of the bytes of one picture of an even (width, height): views, no copy."""
    luma, half = size[0] * size[1], (size[1] // 2, size[0] // 2)
    return Picture(
        data[:luma].reshape(size[1], size[0]),
        data[luma : luma * 5 // 4].reshape(half),
        data[luma * 5 // 4 :].reshape(half),
    )


class _Running:
    """Its ffmpeg ends with the ``with`` block."""

    _process: FfmpegProcess

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.stop()


class RawPictures(_Running):
    """Raw pictures out of a running ffmpeg."""

    def __init__(
        self, argv: Sequence[str], size: tuple[int, int], memory: int | None = None
    ) -> None:
        """``memory`` bounds what ffmpeg may take, bytes."""
        self._bytes = size[0] * size[1] * 3 // 2
        self._process = FfmpegProcess(argv, output=True, memory=memory)


class RawWriter(_Running):
    """Raw pictures to H.264 with a key frame each second and no picture out of order."""

    def __init__(self, ffmpeg: str, target: Path, size: tuple[int, int], fps: int) -> None:
        self._pipe = InputPipe()
        shape = ["-pixel_format", "yuv420p", "-video_size", f"{size[0]}x{size[1]}"]
        raw = ["-probesize", "32", "-analyzeduration", "0", "-f", "rawvideo", *shape]
        keys = f"keyint={fps}:min-keyint={fps}:scenecut=0:force-cfr=1"
        coded = ["-c:v", "libx264", "-preset", "veryfast", "-crf", f"{CRF}", "-bf", "0"]
        argv = [
            *gently(ffmpeg),
            *("-y", *raw, "-framerate", f"{fps}", *COLOURS, "-i", self._pipe.url),
            *("-fps_mode", "cfr", *coded, "-x264-params", keys, "-pix_fmt", "yuv420p", *COLOURS),
            *("-f", "mp4", f"file:{target}"),
        ]
        self._process = FfmpegProcess(argv, inputs=[self._pipe])

    def write(self, data: memoryview) -> None:
        self._process.write(self._pipe, data)

    def finish(self) -> None:
        self._process.finish(_FINISH_S)
