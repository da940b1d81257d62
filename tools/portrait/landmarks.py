"""The face's points, taken from the very curves that are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app_core.landmarks import LID_POINTS, LIP_POINTS, pack
from tools.portrait import anatomy
from tools.portrait.curve import Points, across, mirrored, resample, spline

if TYPE_CHECKING:
    from app_core.types import Float32


def landmarks() -> Float32:
    """(POINT_COUNT, 2) in face units, in the order of ``app_core.landmarks.POINTS``."""
    line = resample(across(anatomy.LIP_LINE), LIP_POINTS)
    upper, lower = (resample(lid, LID_POINTS) for lid in anatomy.lids())
    parts = {
        "lip_upper_outer": resample(across(anatomy.UPPER_OUTER), LIP_POINTS),
        "lip_upper_inner": line,
        "lip_lower_inner": line,
        "lip_lower_outer": resample(across(anatomy.LOWER_OUTER), LIP_POINTS),
        "nose_base": [anatomy.NOSE_BASE],
        "chin": [(0, anatomy.CHIN_Y)],
        "jaw_left": mirrored(anatomy.jaw_corner(), -1),
        "jaw_right": anatomy.jaw_corner(),
        "eye_left_upper": mirrored(upper, -1)[::-1],
        "eye_left_lower": mirrored(lower, -1)[::-1],
        "eye_right_upper": upper,
        "eye_right_lower": lower,
        "brow_left": mirrored([anatomy.UNDER_BROW], -1),
        "brow_right": [anatomy.UNDER_BROW],
        "forehead": [(0, anatomy.FOREHEAD_Y)],
    }
    return pack({name: np.asarray(part, np.float32) for name, part in parts.items()})


def box() -> Points:
    """(2, 2): the face's top left and bottom right corner, face units."""
    widest = spline(anatomy.FACE)[:, 0].max()
    return np.array([(-widest, anatomy.FOREHEAD_Y), (widest, anatomy.CHIN_Y)])
