"""Raw pictures out of one ffmpeg and into another, for work that nobody waits for live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from app_core.media.encoding import RawVideo, encoding_argv
from app_core.media.ffmpeg import QUIET
from app_core.media.process import FfmpegProcess, InputPipe
from app_core.request import Encoding
from app_core.types import Picture

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from app_core.media.ffmpeg import Ffmpeg
    from app_core.types import UInt8

ENCODING = Encoding("libx264", 17, "veryfast", key_frame_s=1, b_frames=False)
"""Of what is written once and decoded at every use."""

_FINISH_S = 120.0


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

    def __exit__(self, *_: object) -> None:
        self._process.stop()


class RawPictures(_Running):
    """Raw pictures out of a running ffmpeg."""

    def __init__(
        self, argv: Sequence[str], size: tuple[int, int], memory: int | None = None
    ) -> None:
        """``memory`` bounds what ffmpeg may take, bytes."""
        self._bytes = size[0] * size[1] * 3 // 2
        self._process = FfmpegProcess(argv, output=True, memory=memory, gently=True)


class RawWriter(_Running):
    """Raw pictures to H.264 with a key frame each second and no picture out of order."""

    def __init__(self, ffmpeg: Ffmpeg, target: Path, size: tuple[int, int], fps: int) -> None:
        self._pipe = InputPipe()
        video = RawVideo(self._pipe.url, *size, fps)
        argv = encoding_argv([ffmpeg.path, *QUIET], f"file:{target}", ENCODING, video)
        self._process = FfmpegProcess(
            argv, inputs=[self._pipe], memory=ffmpeg.bound(argv), gently=True
        )

    def write(self, data: memoryview) -> None:
        self._process.write(self._pipe, data)

    def finish(self) -> None:
        self._process.finish(_FINISH_S)
