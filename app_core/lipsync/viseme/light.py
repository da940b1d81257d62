"""The light on a face in one picture, and what it makes of the parts of a mouth that are drawn.

Every picture is looked at for itself: a clip may fade in from black, a lamp may be switched, and
a picture may be grey. The parts are made for neutral light and for the colours of a living face.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from app_core.kernels import kernel
from app_core.lipsync.viseme.curves import smoothstep, unit

if TYPE_CHECKING:
    from app_core.lipsync.viseme.pose import Pose
    from app_core.types import Float32, UInt8

BRIGHTEST = 1.2
"""Light at the last entry of the tint table."""
_SHADES = 128
_POWERS = np.array([0.92, 1.18, 1.30])
"""Shadows in the mouth go red-brown, not grey: R, G and B fall off differently."""
_TINTS = np.linspace(0, BRIGHTEST, _SHADES)[:, None] ** _POWERS

_ENAMEL = 1.42
"""Light on enamel against that on skin."""
_LEAST, _MOST = 0.35, 1.08
"""Light on enamel beside skin that is dark, and beside skin that is overexposed."""
_DARK = 0.8
"""Of the brightest that the face has: in the dark, enamel beside dark skin has no more light."""
_STEADY = 0.03
"""A change of the skin up to this part is taken for chance."""
_ONE_SIDED = 0.05
"""How much lighter one cheek is, against the skin, when the light surely comes from its side."""

_LIVING = 0.19
"""Colour of living skin in neutral light, against its luma; where there is less, the picture is
pale, toned or grey."""
_FAINT_LUMA = 0.01
_WARM = ((1.08, 1.45), (0.82, 1.08), (0.53, 0.95))
"""R, G and B of skin against their mean, in the light of the day or of any usual lamp."""

_GRID = 24
"""Points a side of the grid on which the brightest of a face is looked for."""
_RARE = 12
"""Points that may be brighter: reflections."""


class Look(NamedTuple):
    """What a picture shows of the face's light."""

    red: float
    """Mean of both cheeks and the chin, 0..1, as are green and blue."""
    green: float
    blue: float
    skin: float
    """Mean of the three."""
    colour: float
    """0 in a grey picture .. 1 in one with the colours of life."""
    side: float
    """-1 when the light comes from the left .. 1 from the right."""
    brightest: float
    """Luma of the brightest parts of the face, 0..1."""


class Hue(NamedTuple):
    """What becomes of a colour that is drawn."""

    colour: float
    """How much of it stays, 0..1."""
    red: float
    """Factor of a coloured light; 1 in any usual one, as are green and blue."""
    green: float
    blue: float


@kernel
def look(planes: tuple[UInt8, UInt8, UInt8], pose: Pose, half_width: float, chin: float) -> Look:
    """``planes``: Y, U, V. ``half_width`` and ``chin``: as in ``Measures``."""
    found = np.zeros(3)
    means = np.zeros(3)
    cheeks = np.zeros(2)
    reach = max(2, int(0.08 * chin))
    for spot in range(3):
        u = (-1.5, 1.5, 0.0)[spot] * half_width
        v = (-0.1, -0.1, 0.55)[spot] * chin
        x = pose.x + pose.cos * u - pose.sin * v
        y = pose.y + pose.sin * u + pose.cos * v
        luma = (_square(planes[0], x, y, reach) - 16) / 219
        blue = (_square(planes[1], 0.5 * x, 0.5 * y, reach // 2) - 128) / 224
        red = (_square(planes[2], 0.5 * x, 0.5 * y, reach // 2) - 128) / 224
        means += np.array([luma, blue, red]) / 3
        r = unit(luma + 1.402 * red)
        g = unit(luma - 0.344136 * blue - 0.714136 * red)
        b = unit(luma + 1.772 * blue)
        found += np.array([r, g, b]) / 3
        if spot < 2:
            cheeks[spot] = (r + g + b) / 3
    skin = (found[0] + found[1] + found[2]) / 3
    colour = np.hypot(means[1], means[2]) / (max(means[0], 0.0) + _FAINT_LUMA)
    aside = (cheeks[1] - cheeks[0]) / (_ONE_SIDED * max(skin, 1e-3))
    return Look(
        found[0],
        found[1],
        found[2],
        skin,
        smoothstep(colour / _LIVING),
        min(max(aside, -1.0), 1.0),
        _brightest(planes[0], pose, half_width, chin),
    )


@kernel
def light_on_enamel(seen: Look, usual: float) -> float:
    """0..1.08. ``usual``: the skin, 0..1, of the picture that the rig was made from."""
    change = seen.skin - usual
    least = _STEADY * min(usual, seen.skin)
    steady = usual if abs(change) <= least else seen.skin - np.copysign(least, change)
    floor = min(_LEAST, _DARK * seen.brightest)
    return float(min(max(_ENAMEL * steady, floor), _MOST))


@kernel
def tint(seen: Look, light: float) -> Float32:
    """(128, 3): R, G, B of white enamel in light 0..BRIGHTEST, of which ``light`` is the most.

    Enamel takes a little of the light's colour. The dark of a picture is no shadow.
    """
    mean = max(seen.skin, 1e-3)
    dark = min(max(light / _LEAST, 1e-3), 1.0)
    tints = np.empty((_SHADES, 3), np.float32)
    for channel in range(3):
        white = min(max((seen.red, seen.green, seen.blue)[channel] / mean, 0.8), 1.25) ** 0.22
        factor = white * dark ** (1 - _POWERS[channel])
        for shade in range(_SHADES):
            tints[shade, channel] = _TINTS[shade, channel] * factor
    return tints


@kernel
def hue(seen: Look) -> Hue:
    mean = max(seen.skin, _FAINT_LUMA)
    return Hue(
        seen.colour,
        1 + (_unusual(seen.red / mean, 0) - 1) * seen.colour,
        1 + (_unusual(seen.green / mean, 1) - 1) * seen.colour,
        1 + (_unusual(seen.blue / mean, 2) - 1) * seen.colour,
    )


@kernel
def _unusual(part: float, channel: int) -> float:
    """Against the nearest that a usual light makes of skin."""
    least, most = _WARM[channel]
    return part / min(max(part, least), most)


@kernel
def _square(plane: UInt8, x: float, y: float, reach: int) -> float:
    row = min(max(int(y), 0), plane.shape[0] - 1)
    column = min(max(int(x), 0), plane.shape[1] - 1)
    span = max(1, reach)
    square = plane[max(row - span, 0) : row + span, max(column - span, 0) : column + span]
    return float(np.mean(square))


@kernel
def _brightest(luma: UInt8, pose: Pose, half_width: float, chin: float) -> float:
    """From the brows to the chin, reflections left out."""
    counts = np.zeros(256, np.int32)
    for k in range(_GRID):
        v = chin * (-1.4 + 2.2 * k / (_GRID - 1))
        for n in range(_GRID):
            u = half_width * (-1.7 + 3.4 * n / (_GRID - 1))
            row = int(pose.y + pose.sin * u + pose.cos * v)
            column = int(pose.x + pose.cos * u - pose.sin * v)
            row = min(max(row, 0), luma.shape[0] - 1)
            column = min(max(column, 0), luma.shape[1] - 1)
            counts[luma[row, column]] += 1
    level, left = 255, _RARE
    while level > 16 and left >= counts[level]:
        left -= counts[level]
        level -= 1
    return (level - 16) / 219
