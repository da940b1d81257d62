"""What the avatar's folder holds: still, clip, and where the face is in both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from app_core.face.track import cycle_track, save_track
from tools.portrait.clip import Clip, clip_track, write_clip

if TYPE_CHECKING:
    from app_core.types import UInt8
    from tools.portrait.frame import Frame


def write_still(clip: Clip, frame: Frame, folder: Path) -> None:
    """``still.png``, which is the clip's picture 0, and ``track.npz``."""
    write_picture(folder / "still.png", clip.picture(0))
    whole = clip_track(frame)
    save_track(folder / "track.npz", cycle_track(whole.boxes[:1], whole.landmarks[:1], whole.fps))


def write_loop(clip: Clip, frame: Frame, folder: Path) -> None:
    """``loop.mp4`` and ``loop.npz``."""
    write_clip(clip, frame, folder / "loop.mp4")
    save_track(folder / "loop.npz", clip_track(frame))


def write_picture(path: Path, pixels: UInt8) -> None:
    """BGR as PNG. Raises OSError when it cannot be written."""
    if not cv2.imwrite(str(path), pixels, [cv2.IMWRITE_PNG_COMPRESSION, 9]):
        raise OSError(f"cannot write {path}")
