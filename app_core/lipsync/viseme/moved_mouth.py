"""A picture with another mouth, made in one call: each call that lets others run waits to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app_core.kernels import kernel
from app_core.lipsync.viseme.displacement import displace
from app_core.lipsync.viseme.geometry import COLUMNS, TABLE_ROWS, Measures, form_mouth
from app_core.lipsync.viseme.light import hue, light_on_enamel, look, tint
from app_core.lipsync.viseme.mouth_interior import draw_interior
from app_core.lipsync.viseme.warp import warp_skin
from app_core.types import Picture

if TYPE_CHECKING:
    from app_core.lipsync.viseme.pose import Pose
    from app_core.lipsync.viseme.rig import Rig
    from app_core.types import Float32, UInt8

_CELL = 4
"""Pixels between the nodes where the displacement is computed."""
_LARGE = 90.0
"""From this half mouth width on, pixels, the nodes are twice as far apart."""


def move_mouth(
    rig: Rig, pose: Pose, picture: Picture, tracks: Float32, strength: float = 1.0
) -> Picture:
    """A copy of ``picture`` with the mouth of ``tracks`` (8,). ``strength`` (0..1): how far the
    picture's own mouth is closed first."""
    target = np.empty_like(picture.y), np.empty_like(picture.u), np.empty_like(picture.v)
    teeth = rig.upper_teeth, rig.lower_teeth
    _move(
        picture.planes,
        target,
        pose,
        rig.measures,
        rig.curves,
        rig.own,
        teeth,
        rig.skin,
        tracks,
        float(strength),
    )
    return Picture(*target)


@kernel
def _move(
    source: tuple[UInt8, UInt8, UInt8],
    target: tuple[UInt8, UInt8, UInt8],
    pose: Pose,
    usual: Measures,
    curves: Float32,
    own: Float32,
    teeth: tuple[Float32, Float32],
    skin: float,
    tracks: Float32,
    strength: float,
) -> None:
    """``usual``: as the rig was made; ``skin`` and ``teeth``: its own."""
    target[0][:] = source[0]
    target[1][:] = source[1]
    target[2][:] = source[2]
    seen = look(source, pose, usual.half_width, usual.chin)
    light, shown = light_on_enamel(seen, skin), hue(seen)
    measures = Measures(
        usual.half_width,
        usual.chin,
        usual.nose,
        usual.jaw,
        usual.jaw_level,
        usual.neck,
        usual.own_width,
        usual.parted * strength,
        light,
        seen.side,
        usual.first_x,
        usual.column_step,
    )
    table = np.empty((TABLE_ROWS, COLUMNS), np.float32)
    shape = form_mouth(measures, curves, tracks, table)
    cell = _CELL if measures.half_width < _LARGE else 2 * _CELL
    nodes = displace(pose, cell, measures, shape, table, curves, own, strength)
    warp_skin(source, target, pose, cell, nodes, shown.colour)
    upper, lower = teeth
    draw_interior(target, pose, measures, shape, table, upper, lower, tint(seen, light), shown)
