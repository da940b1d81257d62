"""What a session shows: an avatar's pictures running on, and the mouth on them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from app_core.errors import Cancelled
from app_core.pipeline.plan import picture_at
from app_core.types import Picture

if TYPE_CHECKING:
    from app_core.lipsync.model import FrameSource, LipsyncModel, Plate
    from app_core.types import Mouth, UInt8


class Scene:
    """One avatar at one size. ``picture`` is for one thread."""

    def __init__(self, avatar: str, plate: Plate, face: Any, model: LipsyncModel, fps: int) -> None:
        self.avatar, self.plate, self.face = avatar, plate, face
        self._model, self._fps = model, fps
        self.first: int | None = None
        """The session's frame that shows its first picture, once it has a place."""
        self._source: FrameSource | None = None
        self._closed = False
        self._lock = threading.Lock()

    def place(self, frame: int) -> None:
        """It begins with the session's ``frame``, unless it has begun, or is going to."""
        if self.first is None:
            self.first = frame

    def index(self, frame: int) -> int:
        """Which of the plate's pictures the session's ``frame`` shows."""
        return picture_at(self.plate, self._fps, max(0, frame - (self.first or 0)))

    def picture(self, mouth: Mouth) -> Picture:
        """Do not write to it. Raises FfmpegFailed when a clip cannot be read, Cancelled after
        ``close``."""
        source = self._source or self._open()
        return self._model.apply(self.face, source.picture(mouth.picture), mouth)

    def _open(self) -> FrameSource:
        with self._lock:
            if self._closed:
                raise Cancelled("The session has ended")
            self._source = self.plate.frame_source()
            return self._source

    def close(self) -> None:
        """From any thread; safe to call again."""
        with self._lock:
            self._closed = True
            source, self._source = self._source, None
        if source is not None:
            source.close()


def mixed(before: Picture, after: Picture, share: float) -> Picture:
    """``share`` (0..1) of ``after`` over ``before``, both of one size."""

    def plane(one: UInt8, other: UInt8) -> UInt8:
        return np.asarray(cv2.addWeighted(one, 1 - share, other, share, 0), np.uint8)

    return Picture(plane(before.y, after.y), plane(before.u, after.u), plane(before.v, after.v))
