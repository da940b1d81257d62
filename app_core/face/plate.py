"""An avatar's still as a plate: the pictures that a mouth is drawn onto."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from app_core.face.blink import can_blink, close_lids, closure, eyes_of
from app_core.face.framing import frame_face, place
from app_core.face.sway import CYCLE_FPS, CYCLE_PICTURES, Sway
from app_core.face.track import cut_track, cycle_track
from app_core.landmarks import POINTS
from app_core.picture import from_bgr
from app_core.types import FaceTrack, Picture

if TYPE_CHECKING:
    from pathlib import Path


class StillPlate:
    """A still that sways and blinks in a seamless cycle, or, with ``lively`` off, stands.

    Picture 0 is the still itself. The other pictures are drawn when they are first asked for
    and stay as long as ``keep`` is set.
    """

    def __init__(
        self, still: Picture, track: FaceTrack, gains: tuple[float, float], *, lively: bool
    ) -> None:
        """``track``: one picture, in the still's pixels. ``gains``: of the jaw and of opening."""
        self.width, self.height = still.width, still.height
        self.jaw_gain, self.open_gain = gains
        self.keep = False
        self._still = still
        self._kept: dict[int, Picture] = {}
        self._eyes = eyes_of(track.landmarks[0])
        self._sway: Sway | None = None
        self._blinks = False
        self.track = track
        if lively and bool(np.isfinite(track.landmarks[0]).all()):
            chin = track.landmarks[0, POINTS["chin"]][0]
            self._sway = Sway(self.width, self.height, track.boxes[0], chin)
            self.track = _swayed(track, self._sway)
            self._blinks = can_blink(still, self._eyes)

    @property
    def cycle_bytes(self) -> int:
        """What all pictures of the cycle take when they are kept."""
        return len(self.track.boxes) * (self.width * self.height * 3 // 2)

    def picture(self, index: int) -> Picture:
        """Thread-safe: two threads may draw the same picture once each, and it is the same."""
        if self._sway is None or index == 0:
            return self._still
        kept = self._kept.get(index)
        if kept is None:
            kept = self._draw(self._sway, index)
            if self.keep:
                self._kept[index] = kept
        return kept

    def reel(self, use_nvdec: bool = False) -> StillPlate:
        """Itself: there is nothing to decode."""
        return self

    def close(self) -> None:
        """The end of one job's reel; the plate stays usable."""

    def release(self) -> None:
        """Keeps nothing from now on; the plate stays usable."""
        self.keep = False
        self._kept = {}

    def _draw(self, sway: Sway, index: int) -> Picture:
        closed = closure(index) if self._blinks else 0.0
        face = close_lids(self._still, self._eyes, closed) if closed else self._still
        return sway.move(face, index)


def _swayed(track: FaceTrack, sway: Sway) -> FaceTrack:
    corners = track.boxes[0].reshape(2, 2)
    points = np.concatenate([corners, track.landmarks[0]])
    moved = np.stack([sway.move_points(points, index) for index in range(CYCLE_PICTURES)])
    strength = np.repeat(track.strength[:1], CYCLE_PICTURES)
    return cycle_track(moved[:, :2].reshape(-1, 4), moved[:, 2:], CYCLE_FPS, strength)


def read_still(path: Path, track: FaceTrack, size: tuple[int, int]) -> tuple[Picture, FaceTrack]:
    """A picture file cut and scaled to ``size`` (even width, height), its track with it.

    Raises OSError when the file cannot be read as a picture.
    """
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise OSError(f"{path.name} is not a picture")
    high, wide = pixels.shape[:2]
    cut = frame_face(wide, high, track.boxes[0], size)
    placed = place(np.asarray(pixels, np.uint8), cut, size)
    return from_bgr(placed), cut_track(track, cut, size)
