"""Follows the main face with a finder that looks at each picture by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app_core.face.detection import CHOSEN_REACH, apart, by_size, middle
from app_core.face.view import CUT, YuvView

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.face.detection import FaceDetection, Point
    from app_core.types import Float32, Picture

_LOYAL = 50
"""Pictures for which the lost face is waited for before another may be followed."""


class PerFrameTracker:
    def __init__(
        self,
        look: Callable[[Picture, FaceDetection | None], list[FaceDetection]],
        near: Point | None = None,
    ) -> None:
        """``look(picture, before)``: the faces in a picture; ``before`` is the one followed."""
        self._near = near
        self.cut = False
        self.disowned = 0
        self._look = look
        self._thumbnail: Float32 | None = None
        self._last: FaceDetection | None = None
        self._missing = 0

    def next(self, picture: Picture) -> FaceDetection | None:
        thumbnail = YuvView(picture).thumbnail()
        before, self._thumbnail = self._thumbnail, thumbnail
        self.cut = before is not None and float(np.abs(thumbnail - before).mean()) > CUT
        if self.cut or self._missing >= _LOYAL:
            self._last, self._missing = None, 0
        faces = self._look(picture, None if self._missing else self._last)
        if self._last is not None:
            faces = [face for face in faces if _may_be(self._last.box, face.box, self._missing)]
        elif self._near is not None:
            faces = [face for face in faces if _is_at(self._near, face.box)]
        if not faces:
            self._missing += 1
            return None
        self._last, self._missing = self._choose(faces), 0
        return self._last

    def _choose(self, faces: list[FaceDetection]) -> FaceDetection:
        """One that a person chose is told from its neighbours by where it was."""
        if self._near is None:
            return by_size(faces)[0]
        there = self._near if self._last is None else middle(self._last.box)
        return min(faces, key=lambda face: apart(middle(face.box), there))


def _is_at(near: Point, box: Float32) -> bool:
    return apart(near, middle(box)) <= CHOSEN_REACH * float(box[2] - box[0])


def _may_be(last: Float32, box: Float32, missing: int) -> bool:
    """Whether a face can have come from one box to another in some pictures."""
    width = float(last[2] - last[0])
    ratio = float(box[2] - box[0]) / max(width, 1e-6)
    far = float(np.hypot(*(last[:2] + last[2:] - box[:2] - box[2:]))) / 2
    return 0.4 < ratio < 2.5 and far <= width * (0.7 + missing / 10)
