"""Mouth and picture to Frame, in the thread of whoever reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app_core.types import Frame, first_sample

if TYPE_CHECKING:
    from app_core.job import Job
    from app_core.lipsync.model import LipsyncModel, Plate
    from app_core.types import Mouth


class Composer:
    def __init__(self, job: Job, plate: Plate, face: Any, model: LipsyncModel) -> None:
        self._sound, self._fps = job.sound, job.request.fps
        self._plate, self._face, self._model = plate, face, model
        self.width, self.height = plate.width, plate.height

    def frame(self, mouth: Mouth) -> Frame:
        rate = self._sound.sample_rate
        picture = self._plate.picture(mouth.picture)
        return Frame(
            index=mouth.index,
            seconds=mouth.index / self._fps,
            picture=self._model.apply(self._face, picture, mouth),
            pcm=self._sound.samples(
                first_sample(mouth.index, rate, self._fps),
                first_sample(mouth.index + 1, rate, self._fps),
            ),
        )
