"""Which face of a picture is meant, and which side of the picture is up."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app_core.errors import BadInput
from app_core.face.detection import apart, middle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app_core.face.detection import FaceDetection, Point

ROTATIONS = (0, 90, 180, 270)
_FACE = re.compile(r"[0-9]{1,2}|[0-9]{1,5}(\.[0-9]{1,3})?,[0-9]{1,5}(\.[0-9]{1,3})?")
"""An index or x,y, as a form has it."""


@dataclass(frozen=True, slots=True)
class FaceChoice:
    """Empty for most imports: the largest face, set upright."""

    face: int | Point | None = None
    """A number from 0, the largest face first; or the face nearest to a point, in pixels of the
    picture as its file says it is shown, turned by ``rotate``."""
    rotate: int | None = None
    """Degrees clockwise, beyond what the file says; None: until the face is upright."""

    @property
    def metadata(self) -> dict[str, Any]:
        """What of it is not empty, as an avatar.toml has it."""
        face = self.face if not isinstance(self.face, tuple) else "{:g},{:g}".format(*self.face)
        return {
            name: value
            for name, value in (("face", face), ("rotate", self.rotate))
            if value is not None
        }

    @property
    def quarters(self) -> int:
        """Clockwise."""
        return (self.rotate or 0) // 90

    def point(self, shown: tuple[int, int], size: tuple[int, int]) -> Point | None:
        """Where it points in a picture that had (width, height) ``shown`` and has ``size`` now,
        both turned by ``rotate``. Raises BadInput outside of it.
        """
        if not isinstance(self.face, tuple):
            return None
        x, y = self.face
        if x > shown[0] or y > shown[1]:
            raise BadInput(
                f"'face' is {x:g},{y:g}, outside of the picture of {shown[0]}x{shown[1]} pixels",
                field="face",
            )
        return x * size[0] / shown[0], y * size[1] / shown[1]

    def pick(self, faces: Sequence[FaceDetection], point: Point | None) -> FaceDetection:
        """One of the faces of a picture, the largest first. Raises BadInput."""
        if point is not None:
            return min(faces, key=lambda face: apart(middle(face.box), point))
        index = self.face if isinstance(self.face, int) else 0
        if index >= len(faces):
            raise no_such_face(index, len(faces))
        return faces[index]


def no_such_face(index: int, count: int) -> BadInput:
    seen = "1 face was" if count == 1 else f"{count} faces were"
    return BadInput(
        f"'face' is {index}, but {seen} found; they are numbered from 0, the largest first",
        field="face",
    )


def read_choice(face: str | None, rotate: str | None) -> FaceChoice:
    """Of the fields of a form; None and empty are not given. Raises BadInput naming the field."""
    found: int | Point | None = None
    if face:
        if not _FACE.fullmatch(face):
            raise BadInput(
                "'face' must be a number from 0, the largest face first, or x,y in pixels",
                field="face",
            )
        x, _, y = face.partition(",")
        found = (float(x), float(y)) if y else int(x)
    if rotate and rotate not in map(str, ROTATIONS):
        raise BadInput("'rotate' must be 0, 90, 180 or 270 degrees clockwise", field="rotate")
    return FaceChoice(found, int(rotate) if rotate else None)


def lying(roll: float) -> int:
    """Quarters anticlockwise that set a face upright again."""
    return round(roll / (math.pi / 2)) % 4


def turned(point: Point, size: tuple[int, int], quarters: int) -> Point:
    """A point of a picture of (width, height) ``size`` after quarters anticlockwise, as
    numpy.rot90 turns."""
    x, y = point
    wide, high = size
    for _ in range(quarters % 4):
        x, y, wide, high = y, wide - x, high, wide
    return x, y
