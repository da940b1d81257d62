"""The base clip: the layers moved against each other, and the face's points moved with them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from app_core.avatars.blink import close_lids, closure, eyes_of
from app_core.face.track import cycle_track
from app_core.media.ffmpeg import find_ffmpeg
from app_core.picture import from_bgr
from app_core.types import Picture
from tools.portrait.landmarks import box, landmarks
from tools.portrait.motion import FPS, PICTURES, Track, move, source_rows, tracks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app_core.types import FaceTrack, UInt8
    from tools.portrait.frame import Frame

ORDER = (
    "background",
    "hair_back",
    "head",
    "head_shade",
    "hair_side",
    "body",
    "body_shade",
    "hair_front",
)
"""Layers from the bottom to the top, each plain "over" what is below it."""
_EDGE = cv2.BORDER_REPLICATE
_SHADES = {"head_shade": "head", "body_shade": "body"}
"""The hair's shadows move with the hair and fall on one layer only."""


class Clip:
    """The pictures of the cycle. ``layers``: premultiplied BGRA with the frame's margins."""

    def __init__(self, frame: Frame, layers: Mapping[str, UInt8]) -> None:
        self._frame = frame
        self._layers = layers
        width, height = frame.layer_size
        left, top = frame.origin
        self._x = ((np.arange(width) + 0.5 - left) / frame.unit).astype(np.float32)
        self._y = (np.arange(height) + 0.5 - top) / frame.unit
        self._eyes = eyes_of(frame.to_layer(landmarks()).astype(np.float32))

    def picture(self, index: int) -> UInt8:
        """(height, width, 3) BGR. Picture 0 is the drawing at rest."""
        now = tracks(index)
        drawn: UInt8 | None = None
        cover: dict[str, UInt8] = {}
        for name in ORDER:
            layer = self._layers[name]
            if name == "head":
                layer = self._blinking(layer, closure(index))
            moved = self._moved(layer, now["hair_front" if name in _SHADES else name])
            if name in _SHADES:
                moved = _times(moved, cover[_SHADES[name]])
            cover[name] = moved[..., 3]
            colors = moved[..., :3]
            drawn = colors if drawn is None else cv2.add(_times(drawn, 255 - moved[..., 3]), colors)
        edge = self._frame.margin
        return np.ascontiguousarray(drawn[edge:-edge, edge:-edge])

    def _moved(self, layer: UInt8, track: Track) -> UInt8:
        rows = source_rows(track, self._y)
        unit, (left, top) = self._frame.unit, self._frame.origin
        places = []
        for axis, start in ((0, left), (1, top)):
            slope = rows[:, axis, 0] * unit
            rest = (rows[:, axis, 1] * self._y + rows[:, axis, 2]) * unit + start - 0.5
            across = slope[:, None].astype(np.float32) * self._x
            places.append(across + rest[:, None].astype(np.float32))
        return np.asarray(cv2.remap(layer, *places, cv2.INTER_CUBIC, borderMode=_EDGE), np.uint8)

    def _blinking(self, head: UInt8, closed: float) -> UInt8:
        """The lids are opaque, so each color of the layer can be warped like a luma plane."""
        if not closed:
            return head
        none = np.zeros((head.shape[0] // 2, head.shape[1] // 2), np.uint8)
        colors = [
            close_lids(Picture(plane, none, none), self._eyes, closed).y
            for plane in cv2.split(head)[:3]
        ]
        return np.dstack([*colors, head[..., 3]])


def _times(pixels: UInt8, factor: UInt8) -> UInt8:
    """Pixels (height, width, channels) times factor / 255."""
    repeated = cv2.merge([factor] * pixels.shape[2])
    return np.asarray(cv2.multiply(pixels, repeated, scale=1 / 255), np.uint8)


def clip_track(frame: Frame) -> FaceTrack:
    """One row a picture, moved by the very matrix that moves the head."""
    points = np.concatenate([box(), landmarks()])
    moved = np.stack(
        [frame.to_picture(move(tracks(index)["head"].above, points)) for index in range(PICTURES)]
    )
    return cycle_track(
        moved[:, :2].reshape(-1, 4).astype(np.float32), moved[:, 2:].astype(np.float32), FPS
    )


def write_clip(clip: Clip, frame: Frame, path: Path, crf: int = 18) -> None:
    """All pictures as H.264 at a constant rate, a key frame each second, without sound.

    Raises OSError when the encoder fails.
    """
    size = f"{frame.width}x{frame.height}"
    raw = ["-f", "rawvideo", "-pixel_format", "yuv420p", "-video_size", size]
    tags = ["-colorspace", "smpte170m", "-color_primaries", "smpte170m", "-color_trc", "smpte170m"]
    argv = [find_ffmpeg().path, "-hide_banner", "-loglevel", "error", "-y"]
    argv += [*raw, "-framerate", str(FPS), "-color_range", "tv", *tags, "-i", "pipe:0", "-an"]
    argv += ["-c:v", "libx264", "-preset", "medium", "-crf", str(crf), "-profile:v", "high"]
    argv += ["-g", str(FPS), "-keyint_min", str(FPS), "-sc_threshold", "0"]
    argv += ["-color_range", "tv", *tags, "-fps_mode", "cfr", "-movflags", "+faststart", str(path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE) as encoder:
        assert encoder.stdin is not None
        for index in range(PICTURES):
            planes = from_bgr(clip.picture(index))
            for plane in (planes.y, planes.u, planes.v):
                encoder.stdin.write(plane.tobytes())
    if encoder.returncode:
        raise OSError(f"ffmpeg ended with {encoder.returncode}")
