"""A clip to a cycle without a seam: once through and, unless it closes by itself, back again.

Memory stays at one second of pictures: of the way back, one second at a time is decoded from its
key frame, turned round and encoded.
"""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from app_core.errors import Cancelled, FfmpegFailed
from app_core.media.encoding import COLOURS
from app_core.media.ffmpeg import QUIET
from app_core.media.raw_video import RawPictures, RawWriter, planes

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from app_core.media.ffmpeg import Ffmpeg
    from app_core.media.ingest.probe import ClipFacts
    from app_core.types import Float32, Picture, UInt8

_BACK, _LIST = "back.mp4", "list.txt"
_COPY_S = 600.0

# How a cycle is told from a clip that jumps at its end: by the mean difference of the luma in each
# cell of a coarse grid. Each cell is compared with itself, so a restless background excuses no jump
# of the face.
_LOOK = 48
_CELLS = 6
_USUAL = 95
"""Percentile of a cell's steps inside the clip, by which its closing step is judged."""
_MORE, _UNSEEN = 1.5, 1.0
"""The closing step may be this many times as large, and so many luma steps are seen by nobody."""


@dataclass(frozen=True, slots=True)
class Forward:
    """The clip once through."""

    path: Path
    pictures: int
    closes: bool
    """Its last picture leads to its first as smoothly as any to the next."""
    cut_off: bool
    """The upload ended before its time; what could be read is here."""


def make_cycle(
    ffmpeg: Ffmpeg,
    forward: Forward,
    facts: ClipFacts,
    target: Path,
    progress: Callable[[float], None],
    cancelled: Callable[[], bool],
) -> list[int]:
    """Turns the clip into a cycle at ``target``; the source picture of each of its pictures.

    A clip that closes by itself stays as it is. Any other is followed by its way back, without
    the pictures at the two turns, so none is shown twice.
    """
    if forward.closes or forward.pictures < 3:
        os.replace(forward.path, target)
        return list(range(forward.pictures))
    folder = forward.path.parent
    back = folder / _BACK
    size = facts.size
    middle = forward.pictures - 2
    seconds = _seconds_backwards(ffmpeg, forward, facts)
    with RawWriter(ffmpeg, back, size, facts.fps) as writer, closing(seconds):
        written = 0
        for pictures in seconds:
            for picture in pictures[::-1]:
                if cancelled():
                    raise Cancelled("The import was cancelled")
                writer.write(picture.data)
                written += 1
                progress(written / middle)
        writer.finish()
    names = folder / _LIST
    names.write_text(f"file '{forward.path.name}'\nfile '{_BACK}'\n", "ascii")
    listed = ["-f", "concat", "-i", f"file:{names}"]
    copied = ["-map", "0:v:0", "-c", "copy", *COLOURS, "-y", "-f", "mp4", f"file:{target}"]
    ffmpeg.run([*listed, *copied], timeout_s=_COPY_S)
    for path in (forward.path, back, names):
        path.unlink()
    return [*range(forward.pictures), *range(middle, 0, -1)]


def one_picture(ffmpeg: Ffmpeg, forward: Forward, facts: ClipFacts, index: int) -> Picture:
    """A picture of the clip once more."""
    second, rest = divmod(index, facts.fps)
    size = facts.size
    with _Second(ffmpeg, forward.path, second, size) as pictures:
        return planes(pictures.read(rest + 1)[rest], size)


class CycleCheck:
    def __init__(self) -> None:
        self._first: Float32 | None = None
        self._last: Float32 | None = None
        self._steps: list[Float32] = []

    def add(self, luma: UInt8) -> None:
        small = cv2.resize(luma, (_LOOK, _LOOK), interpolation=cv2.INTER_AREA).astype(np.float32)
        if self._last is None:
            self._first = small
        else:
            self._steps.append(_step(self._last, small))
        self._last = small

    @property
    def closes(self) -> bool:
        if self._first is None or self._last is None or not self._steps:
            return True
        usual = np.percentile(self._steps, _USUAL, axis=0)
        return bool((_step(self._last, self._first) <= _MORE * usual + _UNSEEN).all())


def _step(one: Float32, other: Float32) -> Float32:
    change = cv2.absdiff(one, other)
    return np.asarray(cv2.resize(change, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA))


class _Second(RawPictures):
    """Of a file of ours, from the key frame of a second on."""

    def __init__(self, ffmpeg: Ffmpeg, path: Path, second: int, size: tuple[int, int]) -> None:
        given = ["-threads", "2", "-ss", f"{second}", "-i", f"file:{path}", "-map", "0:v:0"]
        raw = ["-fps_mode", "passthrough", "-f", "rawvideo", "pipe:1"]
        argv = [ffmpeg.path, *QUIET, *given, *raw]
        super().__init__(argv, size, ffmpeg.bound(argv))

    def read(self, count: int) -> UInt8:
        """(count, bytes of a picture)"""
        data = np.empty((count, self._bytes), np.uint8)
        if self._process.read(data.reshape(-1).data) < data.nbytes:
            raise FfmpegFailed("the clip ended before its time")
        return data


def _seconds_backwards(
    ffmpeg: Ffmpeg, forward: Forward, facts: ClipFacts
) -> Generator[UInt8, None, None]:
    """The pictures between the first and the last, in order, of the last second first."""
    size, fps, last = facts.size, facts.fps, forward.pictures - 1
    waiting: _Second | None = None
    try:
        for second in range((last - 1) // fps, -1, -1):
            current = waiting or _Second(ffmpeg, forward.path, second, size)
            # The next one starts to decode while this one's pictures are encoded.
            waiting = _Second(ffmpeg, forward.path, second - 1, size) if second else None
            with current:
                pictures = current.read(min(fps, last - second * fps))
            yield pictures if second else pictures[1:]
    finally:
        if waiting is not None:
            with waiting:
                pass
