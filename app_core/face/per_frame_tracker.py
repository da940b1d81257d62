"""Follows the main face with a finder that looks at each picture by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app_core.face.followed_face import FollowedFace
from app_core.face.view import YuvView

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.face.detection import FaceDetection, Point
    from app_core.types import Picture


class PerFrameTracker:
    def __init__(
        self,
        look: Callable[[Picture, FaceDetection | None], list[FaceDetection]],
        near: Point | None = None,
    ) -> None:
        """``look(picture, before)``: the faces in a picture; ``before`` is the one followed."""
        self.cut = False
        self.disowned = 0
        self._look = look
        self._followed: FollowedFace[FaceDetection] = FollowedFace(_width, near)

    def next(self, picture: Picture) -> FaceDetection | None:
        followed = self._followed
        self.cut = followed.cut(YuvView(picture))
        faces = self._look(picture, None if followed.missing else followed.last)
        face = followed.among(faces)
        if face is None:
            followed.missing += 1
            return None
        return followed.seen(face)


def _width(face: FaceDetection) -> float:
    return float(face.box[2] - face.box[0])
