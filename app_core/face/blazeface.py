"""Face boxes and six keypoints with BlazeFace, as mediapipe 0.10.21 finds them (Apache-2.0).

"Left" and "right" are the subject's own here: keypoint 0 is the right eye, on the picture's left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app_core.face.view import Region

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app_core.face.network import Network
    from app_core.face.view import View
    from app_core.types import Float32

RIGHT_EYE, LEFT_EYE = 0, 1
_LOGIT_LIMIT = 100.0
_SAME_FACE = 0.3
"""Boxes that overlap more than this are one face."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What differs between the networks."""

    side: int
    """Of the input, pixels; RGB, -1..1."""
    grid: tuple[tuple[int, int], ...]
    """(stride in input pixels, anchors a cell), in the order of the outputs."""
    boxes: str
    """Names of the outputs."""
    scores: str
    min_score: float


SHORT_RANGE = Spec(128, ((8, 2), (16, 6)), "regressors", "classificators", 0.5)
FULL_RANGE = Spec(192, ((4, 1),), "Identity", "Identity_1", 0.6)


@dataclass(frozen=True, slots=True)
class Detection:
    box: Float32
    """(4,): left, top, right, bottom, pixels, along the sides of the region that was searched."""
    keypoints: Float32
    """(6, 2)"""
    score: float

    @property
    def region(self) -> Region:
        """Where the landmarks are looked for: half as large again, turned with the eyes."""
        return region_around(
            self.box[:2], self.box[2:], self.keypoints[RIGHT_EYE], self.keypoints[LEFT_EYE]
        )


class BlazeFace:
    def __init__(self, network: Network, spec: Spec) -> None:
        self._network, self._spec = network, spec
        self._anchors = anchor_centres(spec)

    def detect(self, view: View, regions: Sequence[Region] = ()) -> list[Detection]:
        """Best first. Without ``regions``: in the whole picture."""
        groups = [self._search(view, each) for each in regions or [whole(view)]]
        found = [each for group in groups for each in group]
        if len(groups) > 1 and found:  # one face may be in several regions
            rows, scores = zip(*found, strict=True)
            found = weighted_nms(np.stack(rows), np.array(scores, np.float32))
        return [Detection(row[:4], row[4:].reshape(6, 2), score) for row, score in found]

    def _search(self, view: View, region: Region) -> list[tuple[Float32, float]]:
        side = self._spec.side
        crop = view.crop(region, side, repeat=False)
        out = self._network(crop.astype(np.float32) * np.float32(2 / 255) - np.float32(1))
        blended = weighted_nms(*decode(out, self._spec, self._anchors))
        return [(_to_picture(row * side, region, side), score) for row, score in blended]


def whole(view: View) -> Region:
    """The smallest square around the picture."""
    return Region(view.width / 2, view.height / 2, float(max(view.width, view.height)))


def windows(view: View, parts: int) -> list[Region]:
    """Squares of 1 / ``parts`` of the longer side that overlap by half and cover the picture."""
    side = max(view.width, view.height) / parts

    def middles(length: int) -> list[float]:
        if length <= side:
            return [length / 2]
        steps = math.ceil((length - side) / (side / 2) - 1e-6)
        return [side / 2 + (length - side) * step / steps for step in range(steps + 1)]

    return [Region(x, y, side) for y in middles(view.height) for x in middles(view.width)]


def anchor_centres(spec: Spec) -> Float32:
    """(boxes, 2), 0..1. Every anchor has size 1, so only its centre matters."""
    layers = []
    for stride, per_cell in spec.grid:
        cells = -(-spec.side // stride)
        line = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        x, y = np.meshgrid(line, line)
        layers.append(np.repeat(np.stack([x.ravel(), y.ravel()], 1), per_cell, axis=0))
    return np.concatenate(layers)


def decode(out: dict[str, Float32], spec: Spec, anchors: Float32) -> tuple[Float32, Float32]:
    """Rows (n, 16) of left, top, right, bottom and six points in 0..1, and their scores (n,)."""
    logits = out[spec.scores].reshape(-1).clip(-_LOGIT_LIMIT, _LOGIT_LIMIT)
    scores = (1 / (1 + np.exp(-logits.astype(np.float64)))).astype(np.float32)
    kept = scores >= spec.min_score
    raw = out[spec.boxes].reshape(-1, 16)[kept] / np.float32(spec.side)
    centres = anchors[kept]
    middle, size = raw[:, :2] + centres, raw[:, 2:4]
    points = raw[:, 4:].reshape(-1, 6, 2) + centres[:, None]
    corners = [middle - size / 2, middle + size / 2, points.reshape(-1, 12)]
    return np.concatenate(corners, axis=1), scores[kept]


def weighted_nms(rows: Float32, scores: Float32) -> list[tuple[Float32, float]]:
    """Each group of overlapping boxes as one, its mean weighted by score; best first.

    The first four columns of a row are the box. A group keeps its best score.
    """
    order = np.argsort(-scores, kind="stable")
    rows, scores = rows[order], scores[order]
    found = []
    while len(rows):
        joined = overlap(rows[0], rows) > _SAME_FACE
        joined[0] = True
        weight = scores[joined, None]
        found.append(((rows[joined] * weight).sum(0) / weight.sum(), float(scores[0])))
        rows, scores = rows[~joined], scores[~joined]
    return found


def overlap(one: Float32, many: Float32) -> Float32:
    """Intersection over union of one box with each of many."""
    size = np.minimum(one[2:4], many[:, 2:4]) - np.maximum(one[:2], many[:, :2])
    shared = np.prod(np.maximum(size, 0), axis=1)
    areas = np.prod(many[:, 2:4] - many[:, :2], axis=1) + np.prod(one[2:4] - one[:2])
    return np.asarray(shared / np.maximum(areas - shared, 1e-9), np.float32)


def region_around(low: Float32, high: Float32, right_eye: Float32, left_eye: Float32) -> Region:
    """What the landmark network wants to see of a face between two corners."""
    x, y = (low + high) / 2
    across = left_eye - right_eye
    side = float(max(high - low)) * 1.5
    return Region(float(x), float(y), side, math.atan2(float(across[1]), float(across[0])))


def _to_picture(row: Float32, region: Region, pixels: int) -> Float32:
    """A row in pixels of a crop of ``region`` to the picture's; a turned box keeps its size."""
    axes, origin = region.axes(pixels), region.origin(pixels)
    points = row.reshape(8, 2)
    moved = points @ axes.T + origin
    if region.angle:
        middle = moved[:2].mean(0)
        half = (points[1] - points[0]) / 2 * (region.side / pixels)
        moved[0], moved[1] = middle - half, middle + half
    return np.asarray(moved.reshape(16), np.float32)
