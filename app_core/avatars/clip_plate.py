"""An avatar's clip as a plate: the decoder's own pictures, framed on the face."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from app_core.avatars.clip_frames import PictureStream, SharedFrames, StreamedFrames
from app_core.avatars.framing import frame_face
from app_core.avatars.slab import array_bytes, picture_bytes
from app_core.errors import BadInput, FfmpegFailed, NotFound
from app_core.face.track import cut_track, load_track, no_face
from app_core.types import ClipShape, Cut

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app_core.types import FaceTrack, Picture

logger = logging.getLogger(__name__)

Size = tuple[int, int]


class Footage(Protocol):
    """What reads video files."""

    def measure(self, path: Path) -> ClipShape:
        """Raises FfmpegFailed for a file that is no video."""

    def open(
        self, path: Path, cut: Cut, size: Size, *, use_nvdec: bool, gently: bool
    ) -> PictureStream:
        """The file from its start, in a loop, ``cut`` scaled to an even ``size``; ``gently``:
        decoding gives way to live work."""


class _Film:
    """The pictures of the file at ``path``, which may be removed before it is opened."""

    def __init__(self, stream: PictureStream, path: Path) -> None:
        self._stream, self._path = stream, path

    def read(self) -> Picture:
        try:
            return self._stream.read()
        except FfmpegFailed as error:
            if self._path.exists():
                raise
            raise NotFound("The face has been removed", field="avatar") from error

    def close(self) -> None:
        self._stream.close()


class ClipPlate:
    """The pictures of a clip. With ``keep`` they are decoded once and shared by all jobs."""

    def __init__(
        self,
        start: Callable[[bool, bool], PictureStream],
        track: FaceTrack,
        size: Size,
        gains: tuple[float, float],
    ) -> None:
        """``start(use_nvdec, gently)`` decodes the loop from its first picture; ``track`` is in
        pixels of ``size``. ``gains``: of the jaw and of opening."""
        self.width, self.height = size
        self.jaw_gain, self.open_gain = gains
        self.track = track
        self.keep = False
        self._start = start
        self._kept: SharedFrames | None = None
        self._left: list[SharedFrames] = []
        """Given up, and still read by jobs."""
        self._lock = threading.Lock()

    @property
    def cycle_bytes(self) -> int:
        """What all pictures take when they are kept."""
        return len(self.track.boxes) * picture_bytes((self.width, self.height))

    @property
    def own_bytes(self) -> int:
        """What it takes without them."""
        return array_bytes(self.track.boxes, self.track.landmarks, self.track.strength)

    @property
    def kept_bytes(self) -> int:
        """What kept pictures take, or will; those that were given up too while jobs read them."""
        read = sum(not frame_source.over for frame_source in self._left)
        return self.cycle_bytes * (read + (self.keep or self._kept is not None))

    @property
    def idle(self) -> bool:
        """To give up the pictures frees their memory at once."""
        kept = self._kept
        return kept is None or kept.idle

    def picture(self, index: int) -> Picture:
        """Decodes up to ``index`` unless the pictures are kept."""
        frame_source = self.frame_source()
        try:
            return frame_source.picture(index)
        finally:
            frame_source.close()

    def frame_source(
        self, use_nvdec: bool = False, gently: bool = False
    ) -> StreamedFrames | SharedFrames:
        """What all share is never decoded ``gently``: live jobs may wait for it."""
        with self._lock:
            if not self.keep:
                return StreamedFrames(self._start(use_nvdec, gently), len(self.track.boxes))
            if self._kept is not None and self._kept.failed:
                self._put_aside(self._kept)
                self._kept = None
            if self._kept is None:
                self._kept = SharedFrames(self._start(use_nvdec, False), len(self.track.boxes))
            return self._kept.lend()

    def give_up(self) -> None:
        """Keeps nothing until ``keep`` is set again; jobs that read go on. Does not wait."""
        with self._lock:
            kept, self.keep, self._kept = self._kept, False, None
            if kept is not None:
                self._put_aside(kept)

    def release(self) -> None:
        """``give_up``, and ends what decodes; for jobs that read it ends with them."""
        self.give_up()
        for frame_source in self._left:
            if frame_source.over:
                frame_source.end()

    def _put_aside(self, frame_source: SharedFrames) -> None:
        frame_source.leave()
        self._left = [*(left for left in self._left if not left.over), frame_source]

    def stop(self) -> None:
        """Ends a decoder that still fills the kept pictures."""
        with self._lock:
            if self._kept is not None:
                self._kept.stop()


def open_clip(
    path: Path, shape: ClipShape, footage: Footage, size: Size, gains: tuple[float, float]
) -> ClipPlate:
    """The video at ``path``, with the face track ``<stem>.npz`` beside it when there is one.

    Raises BadInput when the track is not of this video.
    """
    track = _track(path, shape)
    cut = _cut(shape, track, size)
    return ClipPlate(
        lambda use_nvdec, gently: _Film(
            footage.open(path, cut, size, use_nvdec=use_nvdec, gently=gently), path
        ),
        cut_track(track, cut, size),
        size,
        gains,
    )


def _track(path: Path, shape: ClipShape) -> FaceTrack:
    beside = path.with_suffix(".npz")
    if not beside.is_file():
        logger.warning("%s has no face track %s: it passes unchanged", path.name, beside.name)
        return no_face(shape.pictures, shape.fps)
    track = load_track(beside)
    if len(track.boxes) != shape.pictures:
        raise BadInput(
            f"{beside.name} has {len(track.boxes)} rows, {path.name} {shape.pictures} pictures"
        )
    return replace(track, fps=shape.fps)


def _cut(shape: ClipShape, track: FaceTrack, size: Size) -> Cut:
    """On even pixels, so that the chroma planes are cut where the luma is."""
    found = np.isfinite(track.boxes).all(1)
    box = track.boxes[found].mean(0) if found.any() else track.boxes[0]
    cut = frame_face(shape.width, shape.height, box, size)
    left, top, width, height = (
        edge // 2 * 2 for edge in (cut.left, cut.top, cut.width, cut.height)
    )
    return Cut(left, top, width, height, cut.margin_x, cut.margin_y)
