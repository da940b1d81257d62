"""Which of the faces in a picture is the one that is followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import numpy as np

from app_core.face.detection import CHOSEN_REACH, apart, middle
from app_core.face.view import CUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from app_core.face.detection import Point
    from app_core.face.view import View
    from app_core.types import Float32

LOYAL = 50
"""Pictures for which a lost face is waited for before another may be followed."""


class _Seen(Protocol):
    @property
    def box(self) -> Float32:
        """(4,): left, top, right, bottom, pixels."""


Face = TypeVar("Face", bound=_Seen)


class FollowedFace(Generic[Face]):
    """Of one clip. The largest face, or the one at which a person pointed, until the shot ends or
    it is lost for LOYAL pictures."""

    def __init__(self, size: Callable[[Face], float], near: Point | None = None) -> None:
        """``size(face)``: pixels, to compare; ``near``: where a person pointed."""
        self._size, self._near = size, near
        self._thumbnail: Float32 | None = None
        self.last: Face | None = None
        """Where it was seen last in this shot."""
        self.missing = 0
        """Pictures since."""

    def cut(self, view: View) -> bool:
        """Looks at the next picture: whether a new shot begins with it, in which any face may be
        followed."""
        before, self._thumbnail = self._thumbnail, view.thumbnail()
        cut = before is not None and float(np.abs(self._thumbnail - before).mean()) > CUT
        if cut or self.missing >= LOYAL:
            self.last, self.missing = None, 0
        return cut

    def seen(self, face: Face) -> Face:
        """It is this one."""
        self.last, self.missing = face, 0
        return face

    def among(self, faces: Iterable[Face]) -> Face | None:
        """The one that can be it. A face that a person chose is known from its neighbours by where
        it was."""
        able = [face for face in faces if self._may_be(face)]
        if not able:
            return None
        if self._near is None:
            return max(able, key=self._size)
        there = self._near if self.last is None else middle(self.last.box)
        return min(able, key=lambda face: apart(middle(face.box), there))

    def _may_be(self, face: Face) -> bool:
        """Whether it can have come from where it was seen last to here in so many pictures."""
        size = self._size(face)
        if self.last is not None:
            before = self._size(self.last)
            far = apart(middle(self.last.box), middle(face.box))
            near_enough = far <= before * (0.7 + self.missing / 10)
            return 0.4 < size / max(before, 1e-6) < 2.5 and near_enough
        if self._near is not None:
            return apart(self._near, middle(face.box)) <= CHOSEN_REACH * size
        return True
