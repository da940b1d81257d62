"""The 468 points of a face mesh to the named points of ``landmarks.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app_core.landmarks import pack

if TYPE_CHECKING:
    from app_core.types import Float32

# Left to right in the picture, for a face that is upright.
_CURVES = {
    "lip_upper_outer": (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291),
    "lip_upper_inner": (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308),
    "lip_lower_inner": (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),
    "lip_lower_outer": (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291),
    "eye_left_upper": (33, 246, 161, 160, 159, 158, 157, 173, 133),
    "eye_left_lower": (33, 7, 163, 144, 145, 153, 154, 155, 133),
    "eye_right_upper": (362, 398, 384, 385, 386, 387, 388, 466, 263),
    "eye_right_lower": (362, 382, 381, 380, 374, 373, 390, 249, 263),
}
_NOSE_BASE, _CHIN, _FOREHEAD = 2, 152, 10
# From the chin up to the ear.
_JAW_LEFT = (152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234)
_JAW_RIGHT = (152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454)
# The middle of each brow's lower edge, and of the upper lid below it.
_BROW_LEFT, _BROW_RIGHT = (52, 159), (282, 386)
_UNDER_BROW = 0.15
"""From the brow's lower edge towards the lid: brows are thicker than the mesh takes them for."""
_JAW_LEVEL = 0.33
"""From the mouth's corners to the chin."""


def from_mesh(points: Float32) -> Float32:
    """(468, 2 or 3) pixels, first centre at 0 -> (POINT_COUNT, 2), first centre at 0.5."""
    flat = points[:, :2].astype(np.float32) + np.float32(0.5)
    parts: dict[str, Float32] = {name: flat[list(curve)] for name, curve in _CURVES.items()}
    parts["nose_base"], parts["chin"] = flat[_NOSE_BASE], flat[_CHIN]
    parts["forehead"] = flat[_FOREHEAD]
    corners = flat[61], flat[291]
    parts["jaw_left"] = jaw_at_mouth(flat[list(_JAW_LEFT)], corners, flat[_CHIN])
    parts["jaw_right"] = jaw_at_mouth(flat[list(_JAW_RIGHT)], corners, flat[_CHIN])
    for name, (brow, lid) in (("brow_left", _BROW_LEFT), ("brow_right", _BROW_RIGHT)):
        parts[name] = flat[brow] + _UNDER_BROW * (flat[lid] - flat[brow])
    return pack(parts)


def jaw_at_mouth(outline: Float32, corners: tuple[Float32, Float32], chin: Float32) -> Float32:
    """Where a jaw's outline, from the chin up, comes to the height between mouth and chin.

    Heights are counted across the line of the mouth's corners, so the face may be turned.
    """
    middle = (corners[0] + corners[1]) / 2
    along = corners[1] - corners[0]
    down = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-6)
    heights = (outline - middle) @ down
    level = _JAW_LEVEL * float((chin - middle) @ down)
    above = np.flatnonzero(heights <= level)
    if not len(above):
        return np.asarray(outline[-1], np.float32)
    last = int(above[0])
    if last == 0:
        return np.asarray(outline[0], np.float32)
    under, over = heights[last - 1], heights[last]
    part = (under - level) / (under - over)
    return np.asarray(outline[last - 1] + part * (outline[last] - outline[last - 1]), np.float32)
