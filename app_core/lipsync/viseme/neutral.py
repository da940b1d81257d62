"""The mouth that a face would have if it were silent, in each of its pictures.

Speech is drawn from closed lips. Where the picture's own mouth is open, smiling or talking, its
own lips are first led to those of a neutral mouth: of a photo, its own lips closed; of a clip in
which the person talks, that person's closed lips, carried by the head and not by the mouth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app_core.landmarks import LIP_POINTS, LIPS, POINTS

if TYPE_CHECKING:
    from app_core.types import Float32

Array = NDArray[np.float64]

_OPEN_FROM, _OPEN_TO = 0.06, 0.10
"""Gaps between the lips, in chin heights: from closed to surely open. Finders see a gap of up to
0.05 between closed lips."""
_TALKS = 0.02
"""With more than this part of its pictures open, a clip shows a person who talks."""
_ENOUGH = 25
"""Pictures from which a clip's neutral mouth can be learned."""
_CLOSED_SHARE = 0.2
"""The part of a clip's pictures, those least open, that the neutral mouth is learned from."""
_CLOSED_GAP = 0.03
"""Chin heights: all pictures up to this gap count as closed."""
_SLOPE_CARE = 0.015
"""How far a head turns by chance, in eye distances: smaller turns teach nothing."""
_NARROWER = 0.10
"""How much wider a mouth is when it smiles."""
_FLATTER = 0.35
"""How much of a smile's curve goes when the lips close."""
_UPPER_SHARE = 0.35
"""How far up the lips meet: the lower lip comes up to the upper more than that down to it."""

_AT_ONCE = 1024
"""Pictures whose mouths are closed together: a clip of ten minutes has 30,000."""

_MOUTH = np.concatenate([np.r_[POINTS[name]] for name in (*LIPS, "chin")])
"""What speech moves. Arrays of ``_MOUTH`` points have the lips in the order of LIPS, then the
chin; a point is a complex number."""
_UPPER_OUTER, _UPPER_INNER, _LOWER_INNER, _LOWER_OUTER = (
    slice(lip * LIP_POINTS, (lip + 1) * LIP_POINTS) for lip in range(4)
)
_CHIN = 4 * LIP_POINTS
_STEADY = np.array(
    [
        POINTS["eye_left_upper"].start,
        POINTS["eye_left_upper"].stop - 1,
        POINTS["eye_right_upper"].start,
        POINTS["eye_right_upper"].stop - 1,
        POINTS["nose_base"].start,
        POINTS["forehead"].start,
    ]
)
"""What it does not."""
_NOSE = 4
"""Among the steady points."""


class Neutral(NamedTuple):
    landmarks: Float32
    """(pictures, POINT_COUNT, 2): with the neutral mouth and chin; the same array when none
    differs."""
    differs: NDArray[np.bool_]
    """(pictures,): where the picture's own mouth is another."""


def neutral_mouths(landmarks: Float32) -> Neutral:
    """Of (pictures, POINT_COUNT, 2) landmarks; rows of NaN stay."""
    found = np.flatnonzero(np.isfinite(landmarks).all((1, 2)))
    differs = np.zeros(len(landmarks), bool)
    if not len(found):
        return Neutral(landmarks, differs)
    mouths = _complex(landmarks, _MOUTH)[found]
    openness = _openness(mouths)
    if len(found) >= _ENOUGH and (openness > _OPEN_TO).mean() > _TALKS:
        mouths = _carried(mouths, _complex(landmarks, _STEADY)[found], openness)
        openness = _openness(mouths)
        differs[found] = True
    else:
        differs[found] = openness > _OPEN_FROM
        mouths, openness = mouths[openness > _OPEN_FROM], openness[openness > _OPEN_FROM]
    if not len(mouths):
        return Neutral(landmarks, differs)
    neutral = np.array(landmarks, np.float32, order="C")
    points = neutral.view(np.complex64)[..., 0]
    open_ones = np.flatnonzero(differs)
    for first in range(0, len(open_ones), _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        points[open_ones[some, None], _MOUTH] = _closed(mouths[some], openness[some])
    return Neutral(neutral, differs)


def gap(landmarks: Float32) -> float:
    """Between the lips of (POINT_COUNT, 2) landmarks, in chin heights."""
    return float(_openness(_complex(landmarks[None], _MOUTH))[0])


def _complex(landmarks: Float32, which: NDArray[np.int64]) -> NDArray[np.complex128]:
    """Some points of each picture."""
    points = np.ascontiguousarray(landmarks, np.float32).view(np.complex64)[..., 0]
    return points.take(which, 1).astype(np.complex128)


def _frame(points: NDArray[np.complex128]) -> tuple[NDArray[np.complex128], ...]:
    """The middle between the mouth's corners and the unit along them, (pictures, 1) each."""
    left, right = points[:, _UPPER_OUTER.start], points[:, _UPPER_OUTER.stop - 1]
    along = right - left
    return ((left + right) / 2)[:, None], (along / np.abs(along))[:, None]


def _openness(points: NDArray[np.complex128]) -> Array:
    """(pictures,): the gap between the lips in chin heights."""
    middle, along = _frame(points)
    upper = (points[:, _UPPER_INNER] / along).imag
    lower = (points[:, _LOWER_INNER] / along).imag
    chin = ((points[:, [_CHIN]] - middle) / along).imag[:, 0]
    return np.asarray((lower - upper)[:, 2:-2].max(1) / np.maximum(chin, 1.0))


def _carried(
    mouths: NDArray[np.complex128], steady: NDArray[np.complex128], openness: Array
) -> NDArray[np.complex128]:
    """The mouth of the pictures in which it is least open, in each picture.

    Its place against eyes and nose follows the head's turns, which the nose shows: it is a linear
    function of where the nose is between the eyes, learned from the closed pictures.
    """
    origin = steady.mean(1, keepdims=True)
    steady = steady - origin
    pattern = steady[0]
    for _ in range(3):
        scale = (steady @ pattern.conj() / np.sum(np.abs(pattern) ** 2))[:, None]
        pattern = (steady / scale).mean(0)
    scale *= np.abs(pattern[3] - pattern[0])
    nose = steady[:, _NOSE] / scale[:, 0]
    closed = openness <= max(_CLOSED_GAP, float(np.quantile(openness, _CLOSED_SHARE)))
    nose -= nose[closed].mean()
    turns = np.stack([np.ones(len(nose)), nose.real, nose.imag], 1)
    known = turns[closed]
    care = np.diag([0.0, 1.0, 1.0]) * closed.sum() * _SLOPE_CARE**2
    local = (mouths[closed] - origin[closed]) / scale[closed]
    rates = np.linalg.solve(known.T @ known + care, known.T @ local)
    return np.asarray((turns @ rates) * scale + origin)


def _closed(points: NDArray[np.complex128], openness: Array) -> NDArray[np.complex128]:
    """The lips brought together, each as thick as it is; the smile a little less wide."""
    t = np.clip((openness - _OPEN_FROM) / (_OPEN_TO - _OPEN_FROM), 0, 1)
    part = (t * t * (3 - 2 * t))[:, None]
    middle, along = _frame(points)
    local = (points - middle) / along
    upper, lower = local[:, _UPPER_INNER], local[:, _LOWER_INNER]
    seam = _UPPER_SHARE * upper + (1 - _UPPER_SHARE) * lower
    seam = seam.real + 1j * seam.imag * (1 - _FLATTER)
    wanted = np.empty((len(points), 4, LIP_POINTS), complex)
    wanted[:, 0] = seam - _swollen(upper - local[:, _UPPER_OUTER])
    wanted[:, 1] = wanted[:, 2] = seam
    wanted[:, 3] = seam + _swollen(local[:, _LOWER_OUTER] - lower)
    wanted = wanted.real * (1 - _NARROWER) + 1j * wanted.imag
    corners = wanted[:, [0, 3]][:, :, [0, -1]].mean(1)
    wanted[:, 0, [0, -1]] = wanted[:, 3, [0, -1]] = corners
    shut = local.copy()
    shut[:, :_CHIN] += part * (wanted.reshape(len(points), -1) - local[:, :_CHIN])
    upper, lower = shut[:, _UPPER_INNER], shut[:, _LOWER_INNER]
    shut[:, _UPPER_INNER] = shut[:, _LOWER_INNER] = (upper + lower) / 2
    shut[:, _CHIN] -= 0.5j * np.maximum(openness - 0.10, 0) * local[:, _CHIN].imag
    return np.asarray(shut * along + middle)


def _swollen(thickness: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """A lip that is less stretched is thicker."""
    return np.asarray(thickness.real + 1j * thickness.imag / (1 - _NARROWER) ** 0.8)
