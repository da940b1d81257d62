"""Mouth and picture to Frame, in the thread of whoever reads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from app_core.errors import Cancelled, afresh
from app_core.types import Frame, first_sample

if TYPE_CHECKING:
    from app_core.job import Job
    from app_core.lipsync.model import FrameSource, LipsyncModel, Plate
    from app_core.pipeline.label import Label
    from app_core.types import Mouth, Picture


class Composer:
    """Owns the job's frame source, which opens at the first frame. ``frame`` is for one thread."""

    def __init__(
        self, job: Job, plate: Plate, face: Any, model: LipsyncModel, label: Label | None = None
    ) -> None:
        """``label`` is drawn into each picture, also into one that passes unchanged."""
        self._label = label
        self._job, self._sound, self._fps = job, job.sound, job.request.fps
        self._plate, self._face, self._model = plate, face, model
        self._faceless = frozenset(
            np.flatnonzero(~np.isfinite(plate.track.landmarks).all((1, 2))).tolist()
        )
        self._frame_source: FrameSource | None = None
        self._closed = False
        self._lock = threading.Lock()
        self.width, self.height = plate.width, plate.height

    def frame(self, mouth: Mouth) -> Frame:
        """Raises FfmpegFailed when the clip cannot be read, and what ended the job
        after ``close``."""
        rate = self._sound.sample_rate
        source = self._picture(mouth.picture)
        if mouth.picture in self._faceless:
            self._job.frames_without_face += 1
        with self._job.working("inference"):
            picture = self._model.apply(self._face, source, mouth)
            if self._label is not None:
                picture = self._label.drawn(picture)
        return Frame(
            index=mouth.index,
            seconds=mouth.index / self._fps,
            picture=picture,
            pcm=self._sound.samples(
                first_sample(mouth.index, rate, self._fps),
                first_sample(mouth.index + 1, rate, self._fps),
            ),
        )

    def close(self) -> None:
        """Ends what decodes for this job. From any thread; safe to call again."""
        with self._lock:
            self._closed = True
            frame_source, self._frame_source = self._frame_source, None
        if frame_source is not None:
            frame_source.close()

    def _picture(self, index: int) -> Picture:
        frame_source = self._frame_source
        if frame_source is None:
            with self._job.working("opening"):
                return self._open().picture(index)
        return frame_source.picture(index)

    def _open(self) -> FrameSource:
        with self._lock:
            if self._closed:
                raise afresh(self._job.error or Cancelled("The job has ended"))
            self._frame_source = self._plate.frame_source(
                self._job.request.decoding_on_gpu, gently=not self._job.live
            )
            return self._frame_source
