"""Where the square that Wav2Lip looks at lies in each picture, and what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from app_core.landmarks import POINTS
from app_core.lipsync.wav2lip.dimensions import SIDE
from app_core.picture import to_bgr
from app_core.types import Picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app_core.types import FaceTrack, UInt8

_BELOW_CHIN = 0.04
"""How much further down the frame goes, in its own heights. The published inference adds 10
pixels to a face of about 250."""
_LEAST = 16
"""Pixels; a smaller face passes as it is."""
_CLOSED = 0.05
"""Lips nearer to each other than this part of the mouth's width are closed."""


def face_boxes(track: FaceTrack, width: int, height: int) -> NDArray[np.int32]:
    """(pictures, 4): left, top, right, bottom on even pixels, all 0 where there is no face.

    As the detector frames faces that the network was trained on (S3FD): from the middle of the
    forehead to the chin and from ear to ear.
    """
    points = track.landmarks
    brow = (points[:, POINTS["brow_left"], 1] + points[:, POINTS["brow_right"], 1])[:, 0] / 2
    top = (points[:, POINTS["forehead"], 1][:, 0] + brow) / 2
    chin = points[:, POINTS["chin"], 1][:, 0]
    low = chin + _BELOW_CHIN * (chin - top)
    edges = np.stack([track.boxes[:, 0], top, track.boxes[:, 2], low], 1)
    seen = np.isfinite(edges).all(1)
    even = np.rint(np.where(seen[:, None], edges, 0) / 2).astype(np.int32) * 2
    even = np.clip(even, 0, np.array([width, height, width, height]) // 2 * 2).astype(np.int32)
    sizes = even[:, 2:] - even[:, :2]
    even[(sizes < _LEAST).any(1)] = 0
    return even


def closed_mouths(track: FaceTrack) -> NDArray[np.bool_]:
    """(pictures,): whose lips meet."""
    upper = track.landmarks[:, POINTS["lip_upper_inner"]]
    lower = track.landmarks[:, POINTS["lip_lower_inner"]]
    gap = np.linalg.norm(lower - upper, axis=2).max(1)
    across = np.linalg.norm(upper[:, -1] - upper[:, 0], axis=1)
    return np.asarray(gap < _CLOSED * across)  # nan compares as False


def crop(picture: Picture, box: NDArray[np.int32]) -> UInt8:
    """(96, 96, 3) BGR."""
    left, top, right, bottom = (int(edge) for edge in box)
    half = (slice(top // 2, bottom // 2), slice(left // 2, right // 2))
    part = Picture(
        np.ascontiguousarray(picture.y[top:bottom, left:right]),
        np.ascontiguousarray(picture.u[half]),
        np.ascontiguousarray(picture.v[half]),
    )
    smaller = right - left > SIDE and bottom - top > SIDE
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(to_bgr(part), (SIDE, SIDE), interpolation=how), np.uint8)
