"""Smoothing for clips that are wholly known: no lag, and nothing crosses a cut."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from app_core.types import Float32

Complex = NDArray[np.complex128]

MIN_CUTOFF_HZ = 1.0
BETA = 20.0
"""Hz of cut-off for each face width a second."""
_SPEED_CUTOFF_HZ = 1.0
_BLOCK = 2000
"""Pictures that are smoothed at once: an hour takes no more memory than a minute."""
_AROUND = 200
"""Pictures before and after a block that it still feels."""


def smooth_face(points: Float32, fps: float, face_width: float) -> Float32:
    """(pictures, n, 2) pixels: the head's movement and the face's own, each smoothed by itself.

    So a face trembles no more when its head moves than when it rests.
    """
    if len(points) < 2:
        return points
    smooth = np.empty(points.shape, np.float32)
    for start in range(0, len(points), _BLOCK):
        first, end = max(start - _AROUND, 0), start + _BLOCK
        done = _smooth_block(points[first : end + _AROUND], fps, face_width)
        smooth[start:end] = done[start - first : end - first]
    return smooth


def _smooth_block(points: Float32, fps: float, face_width: float) -> Float32:
    plane = _complex(points)
    middle = plane.mean(1, keepdims=True)
    shape = (plane - middle)[0]
    for _ in range(2):  # the mean shape, and how each picture's is turned and scaled against it
        turn = _turned(plane - middle, shape)
        shape = ((plane - middle) / turn).mean(0)
    turn = _turned(plane - middle, shape)
    own = (plane - middle) / turn
    parts = np.concatenate([middle, turn * face_width, own], axis=1)
    done = _complex(smooth_points(_pairs(parts), fps, face_width))
    middle, turn, own = done[:, :1], done[:, 1:2] / max(face_width, 1e-6), done[:, 2:]
    return _pairs(middle + turn * own).astype(np.float32)


def _turned(plane: Complex, shape: Complex) -> Complex:
    """(pictures, 1): the turn and scale that bring ``shape`` closest to each picture's."""
    weight = max(float((np.abs(shape) ** 2).sum()), 1e-12)
    found = (plane * shape.conj()).sum(1, keepdims=True) / weight
    return np.asarray(np.where(np.abs(found) > 1e-6, found, 1.0))


def _pairs(plane: Complex) -> Float32:
    return np.asarray(np.stack([plane.real, plane.imag], -1))


def _complex(points: Float32) -> Complex:
    return np.asarray(points[..., 0].astype(np.float64) + 1j * points[..., 1])


def smooth_points(points: Float32, fps: float, face_width: float) -> Float32:
    """(pictures, n, 2) pixels: the mean of a One-Euro filter run forward and backward.

    One-Euro (Casiez, Roussel and Vogel, CHI 2012) is steady while a point is slow and quick while
    it is fast. What one direction trails, the other leads by.
    """
    if len(points) < 2:
        return points
    scaled = points.astype(np.float64) / max(face_width, 1e-6)
    both = np.stack([scaled, scaled[::-1]], axis=1)
    done = _one_euro(both, fps)
    mean = (done[:, 0] + done[::-1, 1]) / 2
    return np.asarray(mean * max(face_width, 1e-6), np.float32)


def _one_euro(points: np.ndarray, fps: float) -> np.ndarray:
    """(pictures, ..., 2), forward."""
    filtered = np.empty_like(points)
    value = filtered[0] = points[0]
    speed = np.zeros_like(value)
    steady = _weight(_SPEED_CUTOFF_HZ, fps)
    for index in range(1, len(points)):
        speed = speed + steady * ((points[index] - value) * fps - speed)
        norm = np.sqrt((speed * speed).sum(-1, keepdims=True))
        turn = (MIN_CUTOFF_HZ + BETA * norm) * (2 * math.pi / fps)
        value = value + turn / (turn + 1) * (points[index] - value)
        filtered[index] = value
    return filtered


def _weight(cutoff_hz: float, fps: float) -> float:
    turn = 2 * math.pi * cutoff_hz / fps
    return turn / (turn + 1)


def smooth_values(values: Float32, sigma: float) -> Float32:
    """(pictures, ...): a Gaussian of ``sigma`` pictures; the ends are continued through their
    last points, so that a steady movement stays as it is."""
    reach = min(math.ceil(3 * sigma), len(values) - 1)
    if reach < 1:
        return values
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    bell /= bell.sum()
    wide = values.astype(np.float64)
    before = 2 * wide[0] - wide[reach:0:-1]
    after = 2 * wide[-1] - wide[-2 : -reach - 2 : -1]
    padded = np.concatenate([before, wide, after])
    total = np.zeros_like(wide)
    for step, weight in enumerate(bell):
        total += weight * padded[step : step + len(wide)]
    return total.astype(np.float32)


def limit_slope(values: Float32, step: float) -> Float32:
    """The highest curve below ``values`` that changes by at most ``step`` a picture."""
    limited = values.astype(np.float32).copy()
    for index in range(1, len(limited)):
        limited[index] = min(limited[index], limited[index - 1] + step)
    for index in range(len(limited) - 2, -1, -1):
        limited[index] = min(limited[index], limited[index + 1] + step)
    return limited


def smoothstep(values: Float32) -> Float32:
    held = np.clip(values, 0.0, 1.0)
    return np.asarray(held * held * (3 - 2 * held), np.float32)
