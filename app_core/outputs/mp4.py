"""Frames with their sound to an MP4 file, in one pass."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from app_core.errors import SoyleError
from app_core.outputs.frame_encoder import FrameEncoder
from app_core.outputs.output import CallOrder

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from app_core.media.ffmpeg import Ffmpeg
    from app_core.outputs.output import Format
    from app_core.request import Encoding
    from app_core.types import Frame

_INDEX_FIRST = ("-movflags", "+faststart")
_FINISH_S = 120.0


class Mp4Writer:
    """An ``Output`` that writes beside ``path`` and renames at ``finish``; any other ending leaves
    nothing. Leaving the ``with`` block without ``finish`` aborts.
    """

    def __init__(
        self, path: Path, encoding: Encoding, ffmpeg: Ffmpeg, threads: int | None = None
    ) -> None:
        """``threads`` of the encoder; None: its own choice."""
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._encoding, self._ffmpeg, self._threads = encoding, ffmpeg, threads
        self._order = CallOrder()
        self._encoder: FrameEncoder | None = None

    @property
    def pid(self) -> int | None:
        return None if self._encoder is None else self._encoder.process.pid

    def start(self, format: Format) -> None:
        """Raises FfmpegFailed or Busy."""
        self._order.start()
        try:
            self._encoder = FrameEncoder(
                self._ffmpeg,
                f"file:{self._part}",
                format,
                self._encoding,
                _INDEX_FIRST,
                threads=self._threads,
            )
            self._order.check()  # it may have been aborted meanwhile
        except BaseException:
            self.abort()
            raise

    def write(self, frame: Frame) -> None:
        """The next frame. Raises FfmpegFailed or DiskFull."""
        self._order.write()
        assert self._encoder is not None
        try:
            self._encoder.write(frame)
        except SoyleError as error:
            self.abort(error)
            self._order.check()

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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.abort()


def start_mp4(
    path: Path, format: Format, encoding: Encoding, ffmpeg: Ffmpeg, threads: int | None = None
) -> Mp4Writer:
    """A writer that has started. Raises FfmpegFailed or Busy."""
    writer = Mp4Writer(path, encoding, ffmpeg, threads)
    writer.start(format)
    return writer
