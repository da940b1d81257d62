"""The Wav2Lip model as the server sees it."""

from __future__ import annotations

import time
import weakref
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from app_core.lipsync.wav2lip.crops import Crops
from app_core.lipsync.wav2lip.dimensions import HALF, SIDE, blank_faces, blank_mels
from app_core.lipsync.wav2lip.features import MelWindows
from app_core.lipsync.wav2lip.framing import closed_mouths, face_boxes
from app_core.lipsync.wav2lip.paste import paste
from app_core.lipsync.wav2lip.runtime import FaceAt
from app_core.types import Mouth

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from app_core.lipsync.model import FeatureStream, Plate
    from app_core.lipsync.wav2lip.runtime import Runtime
    from app_core.types import Float32, MouthTask, Picture

_TRIALS = 5
PATCH = np.dtype([("bgr", np.uint8, (HALF, SIDE, 3)), ("weight", np.float32)])
"""A mouth is one of these: the lower half of the face, and how much of it is seen, 0..1."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Face:
    boxes: NDArray[np.int32]
    """(pictures, 4): left, top, right, bottom, all 0 without a face."""
    crops: Crops
    strength: Float32
    """(pictures,), 0..1: how much of a mouth is drawn."""
    closed: NDArray[np.bool_]
    """(pictures,): whose own mouth is closed."""

    @property
    def nbytes(self) -> int:
        return self.crops.nbytes + self.boxes.nbytes + self.strength.nbytes

    @property
    def device_bytes(self) -> int:
        """Of a memory of the device's own."""
        return self.crops.device_bytes

    def weight(self, picture: int, voice: float) -> float:
        """In silence a picture whose own mouth is closed is left as it is."""
        heard = voice if self.closed[picture] else 1.0
        return heard * float(self.strength[picture])


class Wav2LipModel:
    name = "wav2lip"

    def __init__(self, runtime: Runtime, offset: float = 0.0, work_dir: Path | None = None) -> None:
        """``offset``: frames by which the mouths come later than in the published inference.
        ``work_dir`` takes the faces of long clips.
        """
        self._runtime, self._offset, self._work_dir = runtime, offset, work_dir
        self._crops: weakref.WeakSet[Crops] = weakref.WeakSet()
        self.device, self.face_room = f"{runtime.device} ({runtime.name})", runtime.face_room
        self.max_batch = runtime.max_batch
        self.frames_per_s = 0.0

    def warm_up(self) -> None:
        """Also times a few full batches."""
        self._runtime.warm_up()
        self.face_room = self._runtime.face_room
        batch = self.max_batch = self._runtime.max_batch
        held = self._runtime.hold(blank_faces(1))
        mel, faces = blank_mels(batch), [FaceAt(held, 0)] * batch
        spent_s = []
        for _ in range(_TRIALS):
            began = time.perf_counter()
            self._runtime.draw(mel, faces)
            spent_s.append(time.perf_counter() - began)
        self.frames_per_s = batch / sorted(spent_s)[_TRIALS // 2]

    def open(self, plate: Plate) -> Face:
        boxes = face_boxes(plate.track, plate.width, plate.height)
        crops = Crops(plate, boxes, self._runtime, self._work_dir)
        self._crops.add(crops)
        strength = np.where(boxes.any(1), plate.track.strength, 0).astype(np.float32)
        face = Face(boxes, crops, strength, closed_mouths(plate.track))
        weakref.finalize(face, crops.stop).atexit = False  # it may go before its plate does
        return face

    def close(self) -> None:
        for crops in list(self._crops):
            crops.close()

    def features(self, fps: int) -> FeatureStream:
        return MelWindows(fps, self._offset)

    def ready(self, task: MouthTask) -> bool:
        return bool(task.face.crops.ready(task.picture))

    def draw(self, tasks: Sequence[MouthTask]) -> list[Mouth]:
        made = np.zeros(len(tasks), PATCH)
        for row, task in zip(made, tasks, strict=True):
            row["weight"] = task.face.weight(task.picture, float(task.features["voice"]))
        seen = [n for n, row in enumerate(made) if row["weight"] > 0]
        if seen:
            mel = np.stack([tasks[n].features["mel"] for n in seen])
            faces = [tasks[n].face.crops.at(tasks[n].picture) for n in seen]
            made["bgr"][seen] = self._runtime.draw(mel, faces)
        # Copies: one that waits for a slow reader must not hold its whole batch.
        return [Mouth(t.index, t.picture, made[n : n + 1].copy()) for n, t in enumerate(tasks)]

    def rest(self, index: int, picture: int) -> Mouth:
        """The picture as it is."""
        return Mouth(index, picture, np.zeros(1, PATCH))

    def eased(self, mouth: Mouth, weight: float) -> Mouth:
        made = mouth.drawing.copy()
        made["weight"] *= weight
        return replace(mouth, drawing=made)

    def apply(self, face: Face, picture: Picture, mouth: Mouth) -> Picture:
        """``picture`` itself where nothing is drawn."""
        (patch,) = mouth.drawing
        if not patch["weight"] > 0:
            return picture
        left, top, right, bottom = (int(edge) for edge in face.boxes[mouth.picture])
        return paste(picture, (left, top, right, bottom), patch["bgr"], float(patch["weight"]))
