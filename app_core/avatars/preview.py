"""A small JPEG of an avatar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from app_core.avatars.framing import frame_face, place
from app_core.avatars.library import STILL, TRACK
from app_core.errors import BadInput
from app_core.face.track import load_track

if TYPE_CHECKING:
    from app_core.avatars.library import Avatar

_QUALITY = 88


def preview(avatar: Avatar, longest: int, square: bool) -> bytes:
    """The still with its longest side at most ``longest`` pixels; ``square`` cuts it as the
    square pictures of live routes are cut. Raises BadInput for a broken avatar.
    """
    pixels = cv2.imread(str(avatar.folder / STILL), cv2.IMREAD_COLOR)
    if pixels is None:
        raise BadInput(f"The avatar {avatar.id} is broken: it has no still", field="avatar")
    high, wide = pixels.shape[:2]
    if square:
        side = max(min(wide, high) // 2 * 2, 2)
        box = load_track(avatar.folder / TRACK).boxes[0]
        cut = frame_face(wide, high, box, (side, side))
        if cut.margin_x or cut.margin_y:
            pixels = place(np.asarray(pixels, np.uint8), cut, (side, side))
        else:
            pixels = pixels[cut.top : cut.top + cut.height, cut.left : cut.left + cut.width]
        high, wide = pixels.shape[:2]
    scale = longest / max(wide, high)
    if scale < 1:
        size = (max(1, round(wide * scale)), max(1, round(high * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    _, coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return bytes(coded.data)
