"""What the steps of one import share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2

from app_core.avatars.library import STILL, TRACK
from app_core.errors import Cancelled
from app_core.face.face_choice import FaceChoice
from app_core.face.track import cycle_track, save_track
from app_core.media.ingest.limits import IngestLimits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app_core.face.finder import FaceFinder
    from app_core.media.ffmpeg import Ffmpeg
    from app_core.types import Float32, UInt8

STILL_FPS = 25.0


@dataclass(frozen=True, slots=True)
class ImportTools:
    ffmpeg: Callable[[], Ffmpeg]
    """Raises FfmpegFailed where there is none."""
    finder: Callable[[], FaceFinder]
    limits: IngestLimits = field(default_factory=IngestLimits)
    room: Callable[[int], None] = lambda size: None
    """Raises DiskFull when the face, as many bytes, has none."""
    use_nvdec: bool = False
    """Where an NVIDIA decoder works."""


@dataclass(frozen=True, slots=True)
class ImportJob:
    source: Path
    folder: Path
    """Where the avatar is made."""
    tools: ImportTools
    finder: FaceFinder
    choice: FaceChoice
    note: Callable[[str, float], None]
    cancelled: Callable[[], bool]

    def check(self) -> None:
        if self.cancelled():
            raise Cancelled("The import was cancelled")


def save_still(folder: Path, bgr: UInt8, box: Float32, landmarks: Float32) -> None:
    _, png = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    (folder / STILL).write_bytes(png.tobytes())
    save_track(folder / TRACK, cycle_track(box[None], landmarks[None], STILL_FPS))
