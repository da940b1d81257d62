"""468 landmarks of a face with FaceMesh, as mediapipe 0.10.21 finds them (Apache-2.0)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app_core.face.blazeface import region_around

if TYPE_CHECKING:
    from app_core.face.network import Network
    from app_core.face.view import Region, View
    from app_core.types import Float32

SIDE = 192
MESH_POINTS = 468
_RIGHT_EYE_OUTER, _LEFT_EYE_OUTER = 33, 263
_RIGHT_CHEEK, _LEFT_CHEEK, _FOREHEAD, _CHIN = 234, 454, 10, 152
_LEVEL = 0.1
"""Radians: how far a level face's chin lies behind its forehead in the mesh."""
_REFITS = 3
"""A single fit moves with the region it was given; each refit halves that."""
_MOST_REFITS = 10
"""After a box that was far too large."""
_SETTLED = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    points: Float32
    """(MESH_POINTS, 3): x, y and z in pixels of the picture; smaller z is nearer."""
    presence: float
    """0..1, how sure the network is that this is a face."""

    @property
    def region(self) -> Region:
        """Where to look for the same face again."""
        flat = self.points[:, :2]
        eyes = flat[_RIGHT_EYE_OUTER], flat[_LEFT_EYE_OUTER]
        return region_around(flat.min(0), flat.max(0), *eyes)

    @property
    def box(self) -> Float32:
        """(4,): left, top, right, bottom."""
        flat = self.points[:, :2]
        return np.concatenate([flat.min(0), flat.max(0)])

    @property
    def size(self) -> float:
        """The longer side of the box, pixels."""
        return float(np.ptp(self.points[:, :2], axis=0).max())

    @property
    def yaw(self) -> float:
        """Radians; positive when the nose points to the right of the picture."""
        across = self.points[_LEFT_CHEEK] - self.points[_RIGHT_CHEEK]
        return math.atan2(float(across[2]), math.hypot(*across[:2]))

    @property
    def pitch(self) -> float:
        """Radians; positive when the face looks down."""
        down = self.points[_CHIN] - self.points[_FOREHEAD]
        return math.atan2(float(down[2]), math.hypot(*down[:2])) - _LEVEL


class FaceMesh:
    def __init__(self, network: Network) -> None:
        self._network = network

    def fit(self, view: View, region: Region) -> Mesh:
        """The face in ``region``; look at its presence before you use it."""
        crop = view.crop(region, SIDE, repeat=True)
        out = self._network(crop.astype(np.float32) * np.float32(1 / 255))
        presence, raw = sorted(out.values(), key=np.size)
        local = raw.reshape(MESH_POINTS, 3)
        points = np.empty((MESH_POINTS, 3), np.float32)
        points[:, :2] = local[:, :2] @ region.axes(SIDE).T + region.origin(SIDE)
        points[:, 2] = local[:, 2] * (region.side / SIDE)
        return Mesh(points, 1 / (1 + math.exp(-float(presence.reshape(-1)[0]))))

    def refit(self, view: View, mesh: Mesh) -> Mesh:
        """The same face, looked at again from where it was found until it stays there."""
        for count in range(1, _MOST_REFITS + 1):
            before, mesh = mesh, self.fit(view, mesh.region)
            if count >= _REFITS and abs(mesh.size - before.size) < _SETTLED * before.size:
                break
        return mesh
