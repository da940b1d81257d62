"""Frames with their sound to an MP4 file, in one pass."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from app_core.errors import SoyleError
from app_core.outputs.frame_encoder import EncodedOutput, FrameEncoder

if TYPE_CHECKING:
    from pathlib import Path

    from app_core.media.ffmpeg import Ffmpeg
    from app_core.outputs.output import Format
    from app_core.request import Encoding

_INDEX_FIRST = ("-movflags", "+faststart")
_FINISH_S = 120.0


class Mp4Writer(EncodedOutput):
    """An ``Output`` that writes beside ``path`` and renames at ``finish``; any other ending leaves
    nothing. Leaving the ``with`` block without ``finish`` aborts.
    """

    def __init__(
        self, path: Path, encoding: Encoding, ffmpeg: Ffmpeg, threads: int | None = None
    ) -> None:
        """``threads`` of the encoder; None: its own choice."""
        super().__init__()
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._encoding, self._ffmpeg, self._threads = encoding, ffmpeg, threads

    def _open(self, format: Format) -> FrameEncoder:
        target, threads = f"file:{self._part}", self._threads
        return FrameEncoder(
            self._ffmpeg, target, format, self._encoding, _INDEX_FIRST, threads=threads
        )

    def finish(self) -> None:
        """Wait for the encoder to end, then give the file its name. Raises FfmpegFailed or
        DiskFull."""
        self._order.finish()
        assert self._encoder is not None
        try:
            self._encoder.end()
            self._encoder.check_sound(_FINISH_S)
            self._encoder.process.finish(_FINISH_S)
            os.replace(self._part, self._path)
        except SoyleError as error:
            self.abort(error)
            self._order.check()

    def abort(self, error: Exception | None = None) -> None:
        """Stop, and leave neither process, thread nor file. Safe to call again."""
        self._order.abort(error)
        if self._encoder is not None:
            self._encoder.stop(_FINISH_S)
        self._part.unlink(missing_ok=True)

    def __enter__(self) -> Mp4Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self.abort()


def start_mp4(
    path: Path, format: Format, encoding: Encoding, ffmpeg: Ffmpeg, threads: int | None = None
) -> Mp4Writer:
    """A writer that has started. Raises FfmpegFailed or Busy."""
    writer = Mp4Writer(path, encoding, ffmpeg, threads)
    writer.start(format)
    return writer
