"""How the layers move in the clip: sway, nod and breath, all at rest in picture 0.

Every layer moves rigidly at a given height; from one height to another the movement may change
from one body's to another's, as the neck's does from the head's to the shoulders'.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tools.portrait.curve import Points, smooth

PICTURES = 250
FPS = 25
NECK = (0.0, 262.0)
"""What the head turns about, face units."""
WAIST = (0.0, 1000.0)
"""What the breathing chest grows from, face units."""
_LAG = 5
"""Pictures that the tips of the hair come after the head."""

Matrix = NDArray[np.float64]
"""(2, 3): where a point of the picture at rest is now, face units."""


class Sway(NamedTuple):
    right: float
    """Face units, as is ``down``."""
    down: float
    turn: float
    """Radians, clockwise in the picture."""
    breath: float
    """0..1."""


class Track(NamedTuple):
    """A layer's movement: ``above`` down to a height of ``start``, ``below`` from ``end`` on."""

    above: Matrix
    below: Matrix
    start: float
    """Face units, as is ``end``."""
    end: float


def sway(picture: float) -> Sway:
    """Harmonics whose value and speed are both 0 at the start, so that the clip has no seam."""
    phase = 2 * math.pi * picture / PICTURES
    slow, twice, thrice = (math.sin(k * phase) for k in (1, 2, 3))
    lean, shake = slow - twice / 2, thrice - 1.5 * twice
    breath = 0.5 - 0.5 * math.cos(3 * phase)
    return Sway(
        right=4.2 * lean,
        down=1.3 * (twice - thrice * 2 / 3) - 1.5 * breath,
        turn=math.radians(0.8) * (0.7 * lean + 0.2 * shake),
        breath=breath,
    )


def tracks(picture: int) -> dict[str, Track]:
    """The movement of each layer in a picture of the cycle."""
    now, late = sway(picture), sway(picture - _LAG)
    body, head = _body(now), _head(now, 1.0)
    front, tips = _head(now, 1.10), _head(late, 1.25)
    back, back_tips = _head(now, 0.92), _head(late, 0.85)
    still = np.array([[1.0, 0, -0.22 * now.right], [0, 1, -0.1 * now.down]])
    return {
        "background": Track(still, still, 0, 1),
        "hair_back": Track(back, back_tips, 60, 330),
        "hair_side": Track(head, back_tips, 60, 360),
        "head": Track(head, body, 238, 320),
        "hair_front": Track(front, tips, 40, 380),
        "body": Track(body, body, 0, 1),
    }


def move(matrix: Matrix, points: Points) -> Points:
    """Points (n, 2) at rest to where they are."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def source_rows(track: Track, heights: NDArray[np.floating]) -> NDArray[np.float64]:
    """(heights, 2, 3): for each height of the moved picture, from there back to the rest."""
    part = smooth((heights - track.start) / (track.end - track.start))[:, None, None]
    return _inverse(track.above) * (1 - part) + _inverse(track.below) * part


def _head(sway: Sway, gain: float) -> Matrix:
    """``gain`` is above 1 for what lies nearer to the viewer than the face."""
    turned = _about(NECK, math.cos(sway.turn), math.sin(sway.turn))
    turned[:, 2] += gain * sway.right, gain * sway.down
    return turned


def _body(sway: Sway) -> Matrix:
    chest = np.array([[1 + 0.0022 * sway.breath, 0, 0], [0, 1 + 0.0036 * sway.breath, 0]])
    chest[1, 2] = -0.0036 * sway.breath * WAIST[1]
    chest[0, 2] = 0.28 * sway.right
    return chest


def _about(pivot: tuple[float, float], cos: float, sin: float) -> Matrix:
    turn = np.array([[cos, -sin], [sin, cos]])
    return np.column_stack([turn, np.array(pivot) - turn @ pivot])


def _inverse(matrix: Matrix) -> Matrix:
    back = np.linalg.inv(matrix[:, :2])
    return np.column_stack([back, -back @ matrix[:, 2]])
