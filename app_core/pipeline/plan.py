"""Speech to tasks: which frame wears which mouth on which picture."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from app_core.errors import ModelFailed
from app_core.types import MouthTask, frame_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from app_core.lipsync.model import FeatureStream, Plate
    from app_core.types import Speech


class Plan:
    """Numbers the frames of one job and gives each its picture, in the plate's own time."""

    def __init__(
        self,
        job_id: str,
        fps: int,
        plate: Plate,
        face: Any,
        features: FeatureStream,
        picture: Callable[[int], int] | None = None,
    ) -> None:
        """``picture(index)``: which picture of the plate frame ``index`` will be shown on; without
        it the job begins at the plate's first one."""
        self._job_id, self._fps = job_id, fps
        self._face, self._features = face, features
        self._picture = picture or partial(picture_at, plate, fps)
        self._next = 0
        self._samples = 0
        self._sample_rate = 1

    def add(self, speech: Speech) -> list[MouthTask]:
        self._samples += len(speech.pcm)
        self._sample_rate = speech.sample_rate
        return list(self._tasks(self._features.push(speech)))

    def finish(self) -> list[MouthTask]:
        """The last tasks. Raises ModelFailed unless there is one task for each frame of sound."""
        tasks = list(self._tasks(self._features.finish()))
        if self._next != self.frames:
            raise ModelFailed(f"The model made {self._next} of {self.frames} frames")
        return tasks

    @property
    def frames(self) -> int:
        """Frames of the sound so far."""
        return frame_count(self._samples, self._sample_rate, self._fps)

    def _tasks(self, features: NDArray[Any]) -> Iterator[MouthTask]:
        for row in features:
            index = self._next
            self._next += 1
            yield MouthTask(self._job_id, index, self._picture(index), self._face, row)


def picture_at(plate: Plate, fps: int, frame: int) -> int:
    """The picture of a plate that runs in its own time, ``frame`` frames after its first one."""
    # The small term keeps n * (1 / 25) * 25 from falling under n.
    return int(frame * (plate.track.fps / fps) + 1e-6) % len(plate.track.boxes)
