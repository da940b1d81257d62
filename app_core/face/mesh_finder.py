"""Finds and follows faces with the networks of mediapipe, in ``models/face``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from app_core.face.blazeface import FULL_RANGE, SHORT_RANGE, BlazeFace, overlap, whole, windows
from app_core.face.detection import FaceDetection, by_size
from app_core.face.facemesh import FaceMesh
from app_core.face.followed_face import FollowedFace
from app_core.face.mesh_points import from_mesh
from app_core.face.network import has_litert, open_network
from app_core.face.view import Region, RgbView, YuvView

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app_core.face.detection import Point
    from app_core.face.facemesh import Mesh
    from app_core.face.view import View
    from app_core.types import Float32, Picture, UInt8

SHORT, FULL, MESH = (
    "face_detection_short_range.tflite",
    "face_detection_full_range_sparse.tflite",
    "face_landmark.tflite",
)

MIN_PRESENCE = 0.5
_IN_WINDOWS = 0.95
"""Windows show the detector many more things that are no face."""
_QUARTERS = (math.pi / 2, -math.pi / 2, math.pi)
_SURE = 0.85
"""Score of the detector: 0.9 and more on an upright face, up to 0.77 on one upside down."""
_TURNED = 0.1
"""A turned face has to score higher by this."""

_CHECK_EVERY = 5
_MIN_AGREEMENT = 0.3
"""Overlap of landmarks and detection: 0.40 and more on a face, 0.05 after a cut."""
_SILENT_CHECKS = 3
"""Checks in which the detector may see no face where a frontal one is followed."""
_CHECK_SIDE = 2.5
"""Side of the square that is checked, in sizes of the face."""
_DETECTABLE = 0.6
"""Radians of yaw or pitch up to which the detector has to see a face."""
_THOROUGH_EVERY = 10
"""Pictures without a face between two searches for small and for turned ones."""
_SAME = 0.3
"""Of the face's size: two that are nearer than this are one."""


class Networks:
    """One thread's own."""

    def __init__(self, folder: Path) -> None:
        """Raises ModelFailed."""
        self.mesh = FaceMesh(open_network(folder / MESH))
        self.short = BlazeFace(open_network(folder / SHORT), SHORT_RANGE)
        self._full_file = folder / FULL
        self._full: BlazeFace | None = None

    @property
    def full(self) -> BlazeFace | None:
        """Finds smaller faces; None without its file or without LiteRT, which alone runs it."""
        if self._full is None and has_litert() and self._full_file.is_file():
            self._full = BlazeFace(open_network(self._full_file), FULL_RANGE)
        return self._full

    def faces(self, view: View, *, thorough: bool) -> list[Mesh]:
        """All faces of the first search that finds any."""
        for found in self._searches(view, thorough):
            if not found:
                continue
            sure = max(score for score, _ in found)
            if thorough and sure < _SURE:  # may be a face that is upside down
                for turned in self._turned(view):
                    if max((score for score, _ in turned), default=0.0) > sure + _TURNED:
                        sure, found = max(score for score, _ in turned), turned
            return [mesh for _, mesh in found]
        return []

    def _searches(self, view: View, thorough: bool) -> Iterator[list[tuple[float, Mesh]]]:
        yield self._meshes(view, self.short, [whole(view)], MIN_PRESENCE)
        full = self.full
        if full is not None:
            yield self._meshes(view, full, [whole(view)], MIN_PRESENCE)
        if not thorough:
            return
        if full is not None:
            yield self._meshes(view, full, windows(view, 2), _IN_WINDOWS)
        else:
            yield self._meshes(view, self.short, windows(view, 2), _IN_WINDOWS)
            yield self._meshes(view, self.short, windows(view, 3), _IN_WINDOWS)
        yield from self._turned(view)

    def _turned(self, view: View) -> Iterator[list[tuple[float, Mesh]]]:
        upright = whole(view)
        for angle in _QUARTERS:
            turned = Region(upright.x, upright.y, upright.side, angle)
            yield self._meshes(view, self.short, [turned], _IN_WINDOWS)

    def _meshes(
        self, view: View, detector: BlazeFace, regions: list[Region], least: float
    ) -> list[tuple[float, Mesh]]:
        """Each face with the detector's score. What is none may be taken for one only once."""
        meshes = []
        for found in detector.detect(view, regions):
            mesh = self.mesh.fit(view, found.region)
            if mesh.presence >= least:
                mesh = self.mesh.refit(view, mesh)
            if mesh.presence >= least:
                meshes.append((found.score, mesh))
        return meshes


class MeshFinder:
    name = "mediapipe"
    sees_turned = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def photo(self, rgb: UInt8) -> FaceDetection | None:
        return next(iter(self.faces(rgb)), None)

    def faces(self, rgb: UInt8) -> list[FaceDetection]:
        networks, view = Networks(self._folder), RgbView(rgb)
        found: list[Mesh] = []
        for mesh in sorted(networks.faces(view, thorough=True), key=lambda mesh: -mesh.size):
            # Two detections may have come to one face.
            if all(_distance(mesh, other) > _SAME * other.size for other in found):
                found.append(mesh)
        return by_size(detection_of(mesh) for mesh in found)

    def tracker(self, near: Point | None = None) -> MeshTracker:
        return MeshTracker(Networks(self._folder), near)


class MeshTracker:
    """Looks for a face once; from then on each picture is fitted where the face was before.

    The landmark network does not notice that its face is gone: it may be sure of one that it
    invents. So a change of the whole picture forgets the face, and now and then the detector has
    to agree.
    """

    def __init__(self, networks: Networks, near: Point | None = None) -> None:
        self.cut = False
        self.disowned = 0
        self._networks = networks
        self._followed: FollowedFace[Mesh] = FollowedFace(lambda mesh: mesh.size, near)
        self._face: Mesh | None = None
        """In the picture before."""
        self._trusted = 0
        """Pictures since the detector agreed."""
        self._silent = 0

    def next(self, picture: Picture) -> FaceDetection | None:
        view = YuvView(picture)
        self.disowned = 0
        self.cut = self._followed.cut(view)
        if self.cut:
            self._face = None
            self._trusted = self._silent = 0
        self._face = self._again(view) or self._detect(view)
        if self._face is None:
            self._followed.missing += 1
            return None
        return detection_of(self._followed.seen(self._face))

    def _again(self, view: View) -> Mesh | None:
        if self._face is None:
            return None
        mesh = self._networks.mesh.fit(view, self._face.region)
        if mesh.presence < MIN_PRESENCE:
            return None
        self._trusted += 1
        if self._trusted % _CHECK_EVERY == 0 or _jumped(self._face, mesh):
            return mesh if self._agreed(view, mesh) else None
        return mesh

    def _agreed(self, view: View, mesh: Mesh) -> bool:
        around = mesh.region
        angle = around.angle
        window = Region(around.x, around.y, mesh.size * _CHECK_SIDE, angle)
        found = self._networks.short.detect(view, [window])
        if found:
            boxes = np.stack([each.box for each in found])
            agreed = float(overlap(_box_along(mesh, angle), boxes).max()) >= _MIN_AGREEMENT
            self._silent = 0
        else:
            frontal = abs(mesh.yaw) < _DETECTABLE and abs(mesh.pitch) < _DETECTABLE
            self._silent += frontal
            agreed = self._silent < _SILENT_CHECKS
        if not agreed:
            self.disowned = self._trusted - 1
            self._followed.last = None
        if found or not agreed:
            self._trusted = self._silent = 0
        return agreed

    def _detect(self, view: View) -> Mesh | None:
        thorough = self._followed.missing % _THOROUGH_EVERY == 0
        found = self._followed.among(self._networks.faces(view, thorough=thorough))
        if found is not None:
            self._trusted = self._silent = 0
        return found


def detection_of(mesh: Mesh) -> FaceDetection:
    return FaceDetection(
        landmarks=from_mesh(mesh.points),
        box=mesh.box + np.float32(0.5),
        yaw=mesh.yaw,
        pitch=mesh.pitch,
        presence=mesh.presence,
        roll=mesh.region.angle,
    )


def _distance(one: Mesh, other: Mesh) -> float:
    """Between the middles, pixels."""
    return float(np.hypot(*(one.box[:2] + one.box[2:] - other.box[:2] - other.box[2:]))) / 2


def _jumped(before: Mesh, now: Mesh) -> bool:
    """Farther, or another size, than a head gets in one picture."""
    ratio = now.size / max(before.size, 1e-6)
    return not 0.8 < ratio < 1.25 or _distance(before, now) > 0.3 * before.size


def _box_along(mesh: Mesh, angle: float) -> Float32:
    """The box of a turned face as if it were upright, about the same middle."""
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    local = mesh.points[:, :2] @ turn
    low, high = local.min(0), local.max(0)
    middle, half = turn @ ((low + high) / 2), (high - low) / 2
    return np.concatenate([middle - half, middle + half]).astype(np.float32)
