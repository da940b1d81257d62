"""The faces that the network looks at: cut out of a plate's pictures once, in the background.

A long clip speaks at once: its faces are cut in the order in which jobs need them, faster than
they are shown, and a frame whose face is not there yet waits in its own lane.
"""

from __future__ import annotations

import logging
import mmap
import os
import threading
import time
import weakref
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np

from app_core.errors import Busy, afresh
from app_core.lipsync.wav2lip.dimensions import SIDE, blank_faces
from app_core.lipsync.wav2lip.framing import crop
from app_core.lipsync.wav2lip.runtime import FaceAt
from app_core.storage.nameless_file import nameless_file
from app_core.threads import start_thread

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from app_core.lipsync.model import FrameSource, Plate
    from app_core.lipsync.wav2lip.runtime import Runtime
    from app_core.types import FaceTrack, UInt8

logger = logging.getLogger(__name__)

FACE_BYTES = SIDE * SIDE * 3
IN_MEMORY = 64 << 20
"""Faces that take more lie in a file without a name, which the system may page out."""
PATIENCE_S = 60.0
_CLOSING_S = 5.0
AHEAD = 250
"""Pictures beyond the furthest that anyone asked for are cut out slowly, so that decoding a long
clip takes no time from those who speak on it."""
_GENTLE_S = 0.04
_AGAIN_S = 5.0
"""From a failure to the next try."""


class Crops:
    """Thread-safe. Holds no plate, so that it goes when its plate does."""

    def __init__(
        self, plate: Plate, boxes: NDArray[np.int32], runtime: Runtime, folder: Path | None
    ) -> None:
        """``folder`` takes the file of a long clip. Raises Busy when no thread is left."""
        self._plate = weakref.ref(plate)
        self._boxes, self._runtime = boxes, runtime
        self._rows = face_rows(plate.track, boxes)
        self._made = np.zeros(int(self._rows.max(initial=-1)) + 1, np.bool_)
        room = _room(len(self._made), folder)
        self.held = runtime.hold(room)
        self.nbytes = room.nbytes if self.held is room and room.flags.owndata else 0
        """In this machine's memory; a file is the system's to page out."""
        self.device_bytes = room.nbytes if self.held is not room else 0
        """In a memory of the device's own."""
        self._changed = threading.Condition()
        self._error: Exception | None = None
        self._again_s = 0.0
        self._closing = threading.Event()
        self._furthest = 0
        self._thread: threading.Thread | None = None
        self._begin()

    def ready(self, picture: int) -> bool:
        """``at`` will not wait. Pictures that could not be read are read again after a while."""
        self._furthest = max(self._furthest, picture)
        row = self._rows[picture]
        if row < 0 or self._made[row]:
            return True
        if self._error is None:
            return False
        if time.monotonic() < self._again_s:
            return True
        self._start()
        return False

    def at(self, picture: int) -> FaceAt:
        """Waits for it. Raises what went wrong when the pictures cannot be read."""
        self._furthest = max(self._furthest, picture)
        row = int(self._rows[picture])
        with self._changed:
            self._changed.wait_for(lambda: self._made[row] or self._error, PATIENCE_S)
            if self._made[row]:
                return FaceAt(self.held, row)
        if self._error is not None:
            raise afresh(self._error)
        raise TimeoutError(f"no face was cut out for {PATIENCE_S:.0f} s")

    def stop(self) -> None:
        """Cuts out no more, soon."""
        self._closing.set()

    def close(self) -> None:
        """Cuts out no more."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(_CLOSING_S)

    def _start(self) -> None:
        """Without a thread it is tried again after a while, like a clip that cannot be read."""
        try:
            self._begin()
        except Busy as error:
            self._fail(error)

    def _begin(self) -> None:
        if not self._closing.is_set():
            thread = threading.Thread(target=self._run, name="faces", daemon=True)
            self._error = None
            start_thread(thread)
            self._thread = thread

    def _fail(self, error: Exception) -> None:
        with self._changed:
            self._error, self._again_s = error, time.monotonic() + _AGAIN_S
            self._changed.notify_all()

    def _run(self) -> None:
        plate = self._plate()
        if plate is None or not len(self._made):
            return
        try:
            with closing(plate.frame_source()) as frame_source:
                del plate
                self._cut(frame_source)
        except Exception as error:  # whatever stops this thread must reach those who wait
            logger.warning("the faces of a clip were not cut out: %s", error)
            self._fail(afresh(error))

    def _cut(self, frame_source: FrameSource) -> None:
        for picture, row in enumerate(self._rows):
            if self._closing.is_set() or self._plate() is None or self._made.all():
                return
            if row < 0 or self._made[row]:
                continue
            if picture > self._furthest + AHEAD:
                self._closing.wait(_GENTLE_S)
            face = crop(frame_source.picture(picture), self._boxes[picture])
            self._runtime.fill(self.held, int(row), face)
            with self._changed:
                self._made[row] = True
                self._changed.notify_all()


def face_rows(track: FaceTrack, boxes: NDArray[np.int32]) -> NDArray[np.int32]:
    """(pictures,): the place of each picture's face, -1 without one.

    A clip that goes forth and back again has each face once.
    """
    count = len(boxes)
    own = np.arange(count)
    points = track.landmarks
    back = np.array_equal(points[1:], points[:0:-1], equal_nan=True)
    if back and not np.array_equal(points[1:], points[:-1], equal_nan=True):
        own = np.minimum(own, count - own)
    own[~boxes.any(1)] = -1
    _, rows = np.unique(own, return_inverse=True)
    return np.asarray(rows - (own < 0).any(), np.int32)


def _room(faces: int, folder: Path | None) -> UInt8:
    """Zeros, (faces, 96, 96, 3)."""
    shape = faces, SIDE, SIDE, 3
    size = faces * FACE_BYTES
    if size <= IN_MEMORY:
        return blank_faces(faces)
    try:
        with nameless_file(folder) as file:
            os.posix_fallocate(file.fileno(), 0, size)
            return np.frombuffer(mmap.mmap(file.fileno(), size), np.uint8).reshape(shape)
    except (OSError, AttributeError) as error:  # no space, or no such call on this system
        logger.warning("%d MiB of faces stay in memory: %s", size >> 20, error)
        return blank_faces(faces)
