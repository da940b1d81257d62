"""What a session shows: an avatar's pictures running on, and the mouth on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from app_core.pipeline.plan import picture_at
from app_core.types import Picture

if TYPE_CHECKING:
    from app_core.lipsync.model import FrameSource, LipsyncModel, Plate
    from app_core.pipeline.label import Label
    from app_core.types import Mouth, UInt8


class Scene:
    """One avatar at one size. ``picture`` and ``close`` are for one thread."""

    def __init__(
        self,
        avatar: str,
        plate: Plate,
        face: Any,
        model: LipsyncModel,
        fps: int,
        label: Label | None = None,
    ) -> None:
        self.label = label
        """What is drawn into each picture that leaves while this is shown."""
        self.avatar, self.plate, self.face = avatar, plate, face
        self._model, self._fps = model, fps
        self.first: int | None = None
        """The session's frame that shows its first picture, once it has a place."""
        self.broken = False
        """It could not be shown."""
        self._source: FrameSource | None = None

    def place(self, frame: int) -> None:
        """It will probably begin with the session's ``frame``, unless it has a place already."""
        if self.first is None:
            self.first = frame

    def show_from(self, frame: int) -> None:
        """It is shown from now on: it begins here, or goes on where it has come to."""
        self.first = frame if self.first is None else min(self.first, frame)

    def index(self, frame: int) -> int:
        """Which of the plate's pictures the session's ``frame`` shows."""
        return picture_at(self.plate, self._fps, max(0, frame - (self.first or 0)))

    def picture(self, mouth: Mouth) -> Picture:
        """Do not write to it. Raises FfmpegFailed when a clip cannot be read."""
        if self._source is None:
            self._source = self.plate.frame_source()
        return self._model.apply(self.face, self._source.picture(mouth.picture), mouth)

    def close(self) -> None:
        """Ends what decodes for it; another ``picture`` begins anew."""
        source, self._source = self._source, None
        if source is not None:
            source.close()


def mixed(before: Picture, after: Picture, share: float) -> Picture:
    """``share`` (0..1) of ``after`` over ``before``, both of one size."""

    def plane(one: UInt8, other: UInt8) -> UInt8:
        return np.asarray(cv2.addWeighted(one, 1 - share, other, share, 0), np.uint8)

    return Picture(plane(before.y, after.y), plane(before.u, after.u), plane(before.v, after.v))
