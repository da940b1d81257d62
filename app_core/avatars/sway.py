"""The slight movement of a living head and its breath, as a displacement of a still picture.

The head moves as a rigid body about the neck; towards the picture's border the movement fades
to nothing, so nothing has to be invented at the edges.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from app_core.kernels import kernel
from app_core.types import Picture

if TYPE_CHECKING:
    from app_core.types import Float32, UInt8

CYCLE_PICTURES = 250
CYCLE_FPS = 25.0

_CELL = 8
"""Pixels between the nodes where the displacement is computed; it is linear in between."""
_RIM = 4
"""Pixels at the border that never move; the field is all but 0 there."""
_SHIFT = 0.005
_NOD = 0.0035
_TURN = math.radians(0.35)


class Motion(NamedTuple):
    """A head's pose against the source picture."""

    right: float
    """Pixels."""
    down: float
    """Pixels."""
    turn: float
    """Radians, clockwise in the picture."""


class Sway:
    """The movement of one still: a cycle of ``CYCLE_PICTURES``, at rest in picture 0."""

    def __init__(self, width: int, height: int, box: Float32, chin: Float32) -> None:
        """``box`` (4,) and ``chin`` (2,) in pixels of the still."""
        left, top, right, bottom = (float(edge) for edge in box)
        self._face = bottom - top
        self._pivot = (float(chin[0]), float(chin[1]) + 0.15 * self._face)
        columns = np.arange(-1, width // _CELL + 3) * _CELL + 0.5 * _CELL
        rows = np.arange(-1, height // _CELL + 3) * _CELL + 0.5 * _CELL
        across = _fade(columns, left, right, width)
        down = _fade(rows, top, bottom, height)
        self._weight = (down[:, None] * across[None]).astype(np.float32)
        self._across = (columns - self._pivot[0]).astype(np.float32)
        self._down = (rows - self._pivot[1]).astype(np.float32)

    def motion(self, picture: int) -> Motion:
        """Harmonics of the cycle that are all 0 at its start, so that it has no seam."""
        phase = 2 * math.pi * picture / CYCLE_PICTURES
        slow, breath = math.sin(phase), math.sin(3 * phase)
        drift = 0.65 * slow + 0.35 * math.sin(2 * phase)
        return Motion(
            _SHIFT * self._face * drift,
            _NOD * self._face * breath,
            _TURN * (0.7 * slow + 0.3 * breath),
        )

    def field(self, picture: int) -> Float32:
        """(rows, columns, 2): how far each node's content moved, x and y in pixels."""
        right, down, turn = self.motion(picture)
        field = np.empty((*self._weight.shape, 2), np.float32)
        field[..., 0] = self._weight * (right - turn * self._down[:, None])
        field[..., 1] = self._weight * (down + turn * self._across[None])
        return field

    def move(self, still: Picture, picture: int) -> Picture:
        field = self.field(picture)
        moved = Picture(np.empty_like(still.y), np.empty_like(still.u), np.empty_like(still.v))
        _move((still.y, still.u, still.v), field, (moved.y, moved.u, moved.v))
        return moved

    def move_points(self, points: Float32, picture: int) -> Float32:
        """Where points (n, 2) of the still are in a picture: x' = x + field(x')."""
        field = self.field(picture)
        moved = points.copy()
        for _ in range(4):
            moved = points + _at(field, moved)
        return moved


def _fade(at: Float32, low: float, high: float, size: int) -> Float32:
    """1 over low..high, smoothly 0 at both ends of 0..size."""
    margin = 0.12 * size
    rise = np.clip(at / max(low, margin), 0.0, 1.0)
    fall = np.clip((size - at) / max(size - high, margin), 0.0, 1.0)
    return np.asarray(_smooth(rise) * _smooth(fall), np.float32)


def _smooth(t: Float32) -> Float32:
    return np.asarray(t * t * t * (t * (6 * t - 15) + 10), np.float32)


def _at(field: Float32, points: Float32) -> Float32:
    """The field (rows, columns, 2) at points (n, 2), linear between nodes."""
    rows, columns = field.shape[:2]
    x = np.clip(points[:, 0] / _CELL + 0.5, 0, columns - 1.001)
    y = np.clip(points[:, 1] / _CELL + 0.5, 0, rows - 1.001)
    left, top = x.astype(int), y.astype(int)
    fx, fy = (x - left)[:, None], (y - top)[:, None]
    above = field[top, left] * (1 - fx) + field[top, left + 1] * fx
    below = field[top + 1, left] * (1 - fx) + field[top + 1, left + 1] * fx
    return np.asarray(above * (1 - fy) + below * fy, np.float32)


@kernel
def _move(
    source: tuple[UInt8, UInt8, UInt8], field: Float32, target: tuple[UInt8, UInt8, UInt8]
) -> None:
    _move_plane(source[0], field, target[0], 1.0)
    _move_plane(source[1], field, target[1], 0.5)
    _move_plane(source[2], field, target[2], 0.5)


@kernel
def _move_plane(source: UInt8, field: Float32, target: UInt8, scale: float) -> None:
    """One plane of ``scale`` pixels a picture pixel. A rim of _RIM pixels stays as it is.

    A row is cut into runs whose pixels all lie the same whole number of pixels from their
    source, so that the work on a run is straight-line arithmetic on neighbouring bytes.
    """
    height, width = source.shape
    target[:] = source
    nodes = np.empty((field.shape[1], 2), np.float32)
    moved_x, moved_y = np.empty(width, np.float32), np.empty(width, np.float32)
    left, top = np.empty(width, np.int32), np.empty(width, np.int32)
    cell, per_pixel = int(scale * _CELL), np.float32(1 / (scale * _CELL))
    last_x, last_y = np.float32(width - 3), np.float32(height - 3)
    for row in range(_RIM, height - _RIM):
        along = (row + 0.5) / (scale * _CELL) + 0.5
        node = int(along)
        part = along - node
        for column in range(nodes.shape[0]):
            for axis in range(2):
                nodes[column, axis] = scale * (
                    field[node, column, axis] * (1 - part) + field[node + 1, column, axis] * part
                )
        for node in range(nodes.shape[0] - 1):
            start = max(node * cell - cell // 2, 0)
            end = min((node + 1) * cell - cell // 2, width)
            offset = np.float32(start - node * cell + cell // 2) + np.float32(0.5)
            x, gain_x = nodes[node, 0], (nodes[node + 1, 0] - nodes[node, 0]) * per_pixel
            y, gain_y = nodes[node, 1], (nodes[node + 1, 1] - nodes[node, 1]) * per_pixel
            cell_x, cell_y = moved_x[start:end], moved_y[start:end]
            for k in range(end - start):
                cell_x[k] = x + gain_x * (np.float32(k) + offset)
                cell_y[k] = y + gain_y * (np.float32(k) + offset)
        for column in range(width):
            x = min(max(np.float32(column) - moved_x[column], np.float32(1)), last_x)
            y = min(max(np.float32(row) - moved_y[column], np.float32(1)), last_y)
            whole_x, whole_y = np.int32(x), np.int32(y)
            left[column], top[column] = whole_x - np.int32(column), whole_y
            moved_x[column] = x - np.float32(whole_x)
            moved_y[column] = y - np.float32(whole_y)
        start = _RIM
        while start < width - _RIM:
            shift, lift = left[start], top[start]
            end = start + 1
            while end < width - _RIM and left[end] == shift and top[end] == lift:
                end += 1
            _fill_run(
                source[lift - 1 : lift + 3, start + shift - 1 : end + shift + 2],
                moved_x[start:end],
                moved_y[start:end],
                target[row, start:end],
            )
            start = end


@kernel
def _fill_run(source: UInt8, moved_x: Float32, moved_y: Float32, target: UInt8) -> None:
    """Cubic convolution (R. G. Keys, IEEE Trans. ASSP 29, 1981) with a = -0.75 over 4 x 4
    pixels, which keeps hair about as sharp in every picture.

    ``source`` is (4, n + 3), the others (n,); the fractions are 0..1 past its second pixel.
    """
    line0, line1, line2, line3 = source[0], source[1], source[2], source[3]
    tension, one = np.float32(-0.75), np.float32(1)
    inner, outer = np.float32(1.25), np.float32(2.25)
    for k in range(target.shape[0]):
        f = moved_x[k]
        e = one - f
        a = tension * f * e * e
        b = f * f * (inner * f - outer) + one
        c = e * e * (inner * e - outer) + one
        d = tension * e * f * f
        row0 = a * line0[k] + b * line0[k + 1] + c * line0[k + 2] + d * line0[k + 3]
        row1 = a * line1[k] + b * line1[k + 1] + c * line1[k + 2] + d * line1[k + 3]
        row2 = a * line2[k] + b * line2[k + 1] + c * line2[k + 2] + d * line2[k + 3]
        row3 = a * line3[k] + b * line3[k + 1] + c * line3[k + 2] + d * line3[k + 3]
        f = moved_y[k]
        e = one - f
        value = tension * f * e * (e * row0 + f * row3)
        value += (f * f * (inner * f - outer) + one) * row1
        value += (e * e * (inner * e - outer) + one) * row2
        target[k] = np.uint8(min(max(value + np.float32(0.5), np.float32(0)), np.float32(255)))
