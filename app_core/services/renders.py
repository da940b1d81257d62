"""The renders that run: what belongs to each, how one begins and the one way it ends."""

from __future__ import annotations

import logging
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app_core.channel import Channel
from app_core.errors import Cancelled, SoyleError
from app_core.job import Job, JobStatus
from app_core.pipeline.compose import Composer
from app_core.pipeline.job_thread import JobThread
from app_core.pipeline.plan import Plan
from app_core.request import MjpegRequest
from app_core.services.admission import Admission
from app_core.services.video_lipsync_stream import note_statistics
from app_core.sound import Sound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app_core.config import Config
    from app_core.face.avatar import Avatar
    from app_core.job import JobTable
    from app_core.request import RenderRequest
    from app_core.services.studio import Studio
    from app_core.types import Speech

logger = logging.getLogger(__name__)

FILE_CHANNEL = 64
"""Mouths that wait for the writer of a file, a full batch where that is more; a live reader has
one second of them."""
LONGEST_SPEECH_S = 3600.0
_JOIN_S = 5.0


@dataclass(frozen=True, slots=True)
class _Render:
    """What runs for a job."""

    thread: JobThread
    composer: Composer


class Renders:
    """Thread-safe."""

    def __init__(self, config: Config, studio: Studio, jobs: JobTable) -> None:
        self._config, self._studio, self._jobs = config, studio, jobs
        self._admission = Admission(jobs, studio.capacity, config.max_jobs)
        self._running: dict[str, _Render] = {}

    def begin(
        self,
        request: RenderRequest,
        avatar: Avatar,
        speeches: Callable[[Job], Iterator[Speech]],
        sample_rate: int,
        batch_size: int | None = None,
        *,
        recorded: bool = False,
    ) -> Job:
        """``batch_size`` bounds the batches; a ``recorded`` sound may have any length.

        Raises BadInput, Conflict, NotReady or Busy.
        """
        model, engine = self._studio.ready()
        began_s = time.monotonic()
        plate = self._studio.plate(avatar, request.pixels(None), request.still)
        face = self._studio.face(model, plate)
        job = Job(
            request=request,
            sound=Sound(
                sample_rate,
                None if recorded else LONGEST_SPEECH_S,
                spills=recorded or not isinstance(request, MjpegRequest),
                spill=None if self._config.work_dir == Path("") else str(self._config.work_dir),
            ),
            mouths=Channel(request.fps if request.live else max(FILE_CHANNEL, model.max_batch)),
            id=request.job_id or str(uuid.uuid4()),
            live=request.live,
        )
        job.spent_s["faces"] = job.created_s - began_s
        plan = Plan(job.id, request.fps, plate, face, model.features(request.fps))
        speaking = job.worked("speech", speeches(job))
        thread = JobThread(job, speaking, plan, engine, self._studio.metrics)
        composer = Composer(job, plate, face, model)
        self._admission.admit(job, composer.width, composer.height)
        self._running[job.id] = _Render(thread, composer)
        if job.ended:  # cancelled by its id between these two lines
            del self._running[job.id]
            raise Cancelled("The job was cancelled")
        try:
            engine.open(job, low_latency=request.hasty, batch_size=batch_size)
            job.status = JobStatus.RUNNING
            thread.start()
        except SoyleError as error:
            self.end(job, error)
            self._jobs.discard(job.id)
            raise
        return job

    def composer(self, job: Job) -> Composer:
        """Raises Cancelled when the job has ended."""
        render = self._running.get(job.id)
        if render is None:
            raise job.error or Cancelled("The job has ended")
        return render.composer

    def end(self, job: Job, error: Exception | None) -> bool:
        """The one way a job ends. The first ending wins. True when this was it."""
        if error is None:
            ended = job.end(JobStatus.DONE)
        elif isinstance(error, Cancelled):
            ended = job.end(JobStatus.CANCELLED, error)
        else:
            known = error if isinstance(error, SoyleError) else SoyleError("The render failed")
            ended = job.end(JobStatus.FAILED, known)
            if ended and known is not error:
                logger.error("the render failed", exc_info=error, extra={"job": job.id})
        if not ended:
            return False
        if error is not None:
            job.sound.close(error)
        if job.status is JobStatus.CANCELLED:
            job.scope.cancel()
        if self._studio.engine is not None:
            self._studio.engine.drop(job, error)
        self._studio.capacity.release(job.id)
        render = self._running.pop(job.id, None)
        if render is not None:
            render.composer.close()
            if job.film:
                note_statistics(job, render.composer.width, render.composer.height)
        self._studio.metrics.ended(job)
        logger.info(
            "job %s: %d frames, %d dropped, %s",
            job.status.value,
            job.frames_done,
            job.frames_dropped,
            job.timings,
            extra={"job": job.id},
        )
        return True

    def close(self) -> None:
        """Ends every job and joins its thread."""
        running = list(self._running.values())
        for job in self._jobs.running():
            self.end(job, Cancelled("The server is stopping"))
        for render in running:
            render.thread.join(_JOIN_S)
