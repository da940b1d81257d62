"""Which part of a picture is shown at a size of another shape, so that the face stays in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from app_core.types import Cut

if TYPE_CHECKING:
    from app_core.types import Float32, UInt8

_FACE_HEIGHT_IN_FRAME = 0.45
"""Where the middle of the face comes in a picture that had to be cut above or below."""
_LEAST_SEEN = 0.8
"""The part of a face's height or width that must fit: forehead or ears may be cut."""
_AROUND = 1.3
"""Height or width of the part that is shown with margins, in those of the face."""


def frame_face(wide: int, high: int, box: Float32, size: tuple[int, int]) -> Cut:
    """The largest part with the shape of ``size`` that frames the face in ``box``, (4,) pixels.

    Where the face does not fit in it, the part is larger and has margins. ``size`` is even.
    """
    shape = size[0] / size[1]
    cut_wide, cut_high = min(wide, round(high * shape)), min(high, round(wide / shape))
    if not np.isfinite(box).all():
        box = np.array([0, 0, wide, high], np.float32)
        face_wide = face_high = 0.0
    else:
        face_wide = float(min(box[2], wide) - max(box[0], 0))
        face_high = float(min(box[3], high) - max(box[1], 0))
    middle = float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2
    if cut_high < _LEAST_SEEN * face_high:
        around = min(high, round(_AROUND * face_high))
        margin, along = _margin(wide, around, size)
        top = _within(middle[1] - around / 2, high - around)
        return Cut(_within(middle[0] - along / 2, wide - along), top, along, around, margin, 0)
    if cut_wide < _LEAST_SEEN * face_wide:
        around = min(wide, round(_AROUND * face_wide))
        margin, along = _margin(high, around, size[::-1])
        left = _within(middle[0] - around / 2, wide - around)
        return Cut(left, _within(middle[1] - along / 2, high - along), around, along, 0, margin)
    top_most = middle[1] - cut_high * _FACE_HEIGHT_IN_FRAME
    chin = float(box[3]) - cut_high if face_high else 0.0
    return Cut(
        _within(middle[0] - cut_wide / 2, wide - cut_wide),
        _within(max(top_most, chin), high - cut_high),
        cut_wide,
        cut_high,
    )


def place(pixels: UInt8, cut: Cut, size: tuple[int, int]) -> UInt8:
    """The part of (height, width, 3) pixels at an even (width, height).

    Margins are filled with a blurred copy of the part, drawn over the whole.
    """
    part = pixels[cut.top : cut.top + cut.height, cut.left : cut.left + cut.width]
    wide, high = cut.inner(size)
    if (cut.width, cut.height) != (wide, high):
        how = cv2.INTER_AREA if cut.width > wide else cv2.INTER_CUBIC
        part = cast("UInt8", cv2.resize(part, (wide, high), interpolation=how))
    if (wide, high) == size:
        return part
    small = cv2.resize(part, cut.blurred(size), interpolation=cv2.INTER_AREA)
    whole = cast("UInt8", cv2.resize(small, size, interpolation=cv2.INTER_CUBIC))
    whole[cut.margin_y : cut.margin_y + high, cut.margin_x : cut.margin_x + wide] = part
    return whole


def _margin(most: int, around: int, size: tuple[int, int]) -> tuple[int, int]:
    """Beside a part ``around`` pixels high that fills the height of ``size``: the margin on each
    side, even, and how wide the part is, at most ``most``."""
    free = max(size[0] - most * size[1] / around, 0.0)
    margin = -(-int(np.ceil(free)) // 4) * 2
    return margin, min(most, round((size[0] - 2 * margin) * around / size[1]))


def _within(first: float, last: int) -> int:
    return round(min(max(first, 0), last))
