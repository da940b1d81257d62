"""An avatar's still as a plate: the pictures that a mouth is drawn onto."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import cv2
import numpy as np

from app_core.avatars.blink import can_blink, close_lids, closure, eyes_of
from app_core.avatars.framing import frame_face, place
from app_core.avatars.slab import Slab, array_bytes, picture_bytes
from app_core.avatars.sway import CYCLE_FPS, CYCLE_PICTURES, Sway
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
        self._kept = _Kept()
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
        drawn = len(self.track.boxes) - 1
        return drawn * picture_bytes((self.width, self.height))

    @property
    def own_bytes(self) -> int:
        """What it takes without them."""
        track = array_bytes(self.track.boxes, self.track.landmarks, self.track.strength)
        return track + picture_bytes((self.width, self.height))

    @property
    def kept_bytes(self) -> int:
        """What kept pictures take, or will."""
        return self.cycle_bytes if self.keep or self._kept.slab is not None else 0

    @property
    def idle(self) -> bool:
        """To give up the pictures frees their memory at once."""
        return True

    def picture(self, index: int) -> Picture:
        """Thread-safe: two threads may draw the same picture once each, and it is the same."""
        if self._sway is None or index == 0:
            return self._still
        kept = self._kept
        found = kept.pictures.get(index)
        if found is None:
            found = self._draw(self._sway, index)
            if self.keep:
                found = kept.put(index, found, len(self.track.boxes))
        return found

    def frame_source(self, use_nvdec: bool = False, gently: bool = False) -> StillPlate:
        """Itself: there is nothing to decode."""
        return self

    def close(self) -> None:
        """The end of one job's frame source; the plate stays usable."""

    def give_up(self) -> None:
        """Keeps nothing until ``keep`` is set again; the plate stays usable."""
        self.keep = False
        self._kept = _Kept()

    def release(self) -> None:
        """The same: there is nothing that runs."""
        self.give_up()

    def _draw(self, sway: Sway, index: int) -> Picture:
        closed = closure(index) if self._blinks else 0.0
        face = close_lids(self._still, self._eyes, closed) if closed else self._still
        return sway.move(face, index)


class _Kept:
    """The pictures that were drawn already."""

    def __init__(self) -> None:
        self.pictures: dict[int, Picture] = {}
        self.slab: Slab | None = None
        self._lock = threading.Lock()

    def put(self, index: int, picture: Picture, count: int) -> Picture:
        """The one that is kept: the first of two threads' that drew it."""
        with self._lock:
            if self.slab is None:
                self.slab = Slab(count, (picture.width, picture.height))
            if index not in self.pictures:
                self.pictures[index] = self.slab.put(index, picture)
            return self.pictures[index]


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
