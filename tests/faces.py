"""The embedded avatar as the tests of the face and of the mouth use it."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np

from app_core.face.avatar import AvatarLibrary
from app_core.face.plate import StillPlate
from app_core.face.track import cycle_track
from app_core.picture import from_bgr, to_bgr
from app_core.types import Picture

FOLDER = Path(__file__).resolve().parent.parent / "avatar"


def aigul(size: tuple[int, int] = (512, 512), sway: bool = False) -> StillPlate:
    library = AvatarLibrary(FOLDER)
    return library.plate(library.get("aigul"), size, sway=sway)


def rolled(plate: StillPlate, degrees: float) -> StillPlate:
    """The plate's still and its points turned clockwise about the picture's middle."""
    angle, middle = math.radians(degrees), np.array([plate.width / 2, plate.height / 2])
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    shift = middle - turn @ middle
    centers = turn @ np.array([0.5, 0.5]) + shift - 0.5
    pixels = cv2.warpAffine(
        to_bgr(plate.picture(0)),
        np.column_stack([turn, centers]),
        (plate.width, plate.height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    landmarks = plate.track.landmarks @ turn.T + shift
    return StillPlate(
        from_bgr(pixels),
        cycle_track(plate.track.boxes, landmarks, 25.0),
        (1.0, 1.0),
        lively=False,
    )


def differs(one: Picture, other: Picture) -> np.ndarray:
    """(height, width): where any plane differs."""
    chroma = (one.u != other.u) | (one.v != other.v)
    return (one.y != other.y) | chroma.repeat(2, 0).repeat(2, 1)
