"""Follows the main face with a finder that looks at each picture by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app_core.face.view import CUT, YuvView

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.face.sighting import Sighting
    from app_core.types import Float32, Picture

_LOYAL = 50
"""Pictures for which the lost face is waited for before another may be followed."""


class AnewFollower:
    def __init__(self, look: Callable[[Picture, Sighting | None], list[Sighting]]) -> None:
        """``look(picture, before)``: the faces in a picture; ``before`` is the one followed."""
        self.cut = False
        self.disowned = 0
        self._look = look
        self._thumbnail: Float32 | None = None
        self._last: Sighting | None = None
        self._missing = 0

    def next(self, picture: Picture) -> Sighting | None:
        thumbnail = YuvView(picture).thumbnail()
        before, self._thumbnail = self._thumbnail, thumbnail
        self.cut = before is not None and float(np.abs(thumbnail - before).mean()) > CUT
        if self.cut or self._missing >= _LOYAL:
            self._last, self._missing = None, 0
        faces = self._look(picture, None if self._missing else self._last)
        if self._last is not None:
            faces = [face for face in faces if _may_be(self._last.box, face.box, self._missing)]
        if not faces:
            self._missing += 1
            return None
        self._last, self._missing = largest(faces), 0
        return self._last


def largest(faces: list[Sighting]) -> Sighting:
    return max(faces, key=lambda face: float(np.prod(face.box[2:] - face.box[:2])))


def _may_be(last: Float32, box: Float32, missing: int) -> bool:
    """Whether a face can have come from one box to another in some pictures."""
    width = float(last[2] - last[0])
    ratio = float(box[2] - box[0]) / max(width, 1e-6)
    far = float(np.hypot(*(last[:2] + last[2:] - box[:2] - box[2:]))) / 2
    return 0.4 < ratio < 2.5 and far <= width * (0.7 + missing / 10)
