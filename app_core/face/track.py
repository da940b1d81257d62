"""Where the face is: on disk, and moved along when a picture is cropped and scaled."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np

from app_core.errors import BadInput
from app_core.landmarks import POINT_COUNT
from app_core.types import FaceTrack

if TYPE_CHECKING:
    from pathlib import Path

    from app_core.types import Cut, Float32


def save_track(path: Path, track: FaceTrack) -> None:
    with path.open("wb") as file:
        np.savez(
            file,
            boxes=track.boxes,
            landmarks=track.landmarks,
            fps=np.asarray(track.fps, float),
            strength=track.strength,
        )


def load_track(path: Path) -> FaceTrack:
    """Raises BadInput when the file is not a track of ``POINT_COUNT`` points.

    A file without strengths has all of it wherever there is a face.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            boxes = arrays["boxes"].astype(np.float32)
            landmarks = arrays["landmarks"].astype(np.float32)
            fps = float(arrays["fps"])
            strength = arrays["strength"].astype(np.float32) if "strength" in arrays else None
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise BadInput(f"{path.name} is not a face track: {error}") from error
    pictures = len(boxes) if boxes.ndim else 0
    if boxes.shape != (pictures, 4) or landmarks.shape != (pictures, POINT_COUNT, 2) or not fps > 0:
        raise BadInput(
            f"{path.name} holds boxes {boxes.shape} and landmarks {landmarks.shape}, "
            f"not (n, 4) and (n, {POINT_COUNT}, 2)"
        )
    if strength is not None and strength.shape != (pictures,):
        raise BadInput(f"{path.name} holds strengths {strength.shape}, not ({pictures},)")
    return _frozen(boxes, landmarks, fps, strength)


def crop_track(
    track: FaceTrack, corner: tuple[float, float], scale: tuple[float, float]
) -> FaceTrack:
    """The track of pictures cut at ``corner`` (left, top) and then scaled by (x, y) factors."""
    origin, factor = np.array(corner, np.float32), np.array(scale, np.float32)
    boxes = (track.boxes.reshape(-1, 2, 2) - origin) * factor
    landmarks = (track.landmarks - origin) * factor
    return _frozen(boxes.reshape(-1, 4), landmarks, track.fps, track.strength)


def cut_track(track: FaceTrack, cut: Cut, size: tuple[int, int]) -> FaceTrack:
    """The track of pictures of which ``cut`` was taken and shown at ``size``."""
    wide, high = cut.inner(size)
    scale = (wide / cut.width, high / cut.height)
    corner = (cut.left - cut.margin_x / scale[0], cut.top - cut.margin_y / scale[1])
    return crop_track(track, corner, scale)


def no_face(pictures: int, fps: float) -> FaceTrack:
    """The track of pictures in which no face is known."""
    nowhere = np.full(1, np.nan, np.float32)
    landmarks = np.broadcast_to(nowhere, (pictures, POINT_COUNT, 2))
    strength = np.broadcast_to(np.zeros(1, np.float32), (pictures,))
    return FaceTrack(np.broadcast_to(nowhere, (pictures, 4)), landmarks, fps, strength)


def cycle_track(
    boxes: Float32, landmarks: Float32, fps: float, strength: Float32 | None = None
) -> FaceTrack:
    """Boxes (pictures, 4), landmarks (pictures, POINT_COUNT, 2) and strengths (pictures,) as a
    read-only track. Without strengths: 1 wherever there is a face."""
    if strength is not None:
        strength = strength.astype(np.float32)
    return _frozen(boxes.astype(np.float32), landmarks.astype(np.float32), fps, strength)


def _frozen(
    boxes: Float32, landmarks: Float32, fps: float, strength: Float32 | None = None
) -> FaceTrack:
    """A row without a face has no strength, whatever was asked."""
    found = np.isfinite(boxes).all(1) & np.isfinite(landmarks).all((1, 2))
    wanted = 1.0 if strength is None else np.clip(np.nan_to_num(strength), 0.0, 1.0)
    drawn = np.where(found, wanted, 0.0).astype(np.float32)
    for array in (boxes, landmarks, drawn):
        array.flags.writeable = False
    return FaceTrack(boxes, landmarks, fps, drawn)
