"""The renders that run: what belongs to each, how one begins and the one way it ends."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from app_core.audio import AudioBuffer
from app_core.cancel_scope import never
from app_core.channel import Channel
from app_core.errors import (
    Cancelled,
    ModelFailed,
    SoyleError,
    TooCostly,
    afresh,
    as_job_error,
    stopping,
)
from app_core.ids import new_id
from app_core.job import Job, JobStatus
from app_core.pipeline.compose import Composer
from app_core.pipeline.job_thread import JobThread
from app_core.pipeline.label import Labels
from app_core.pipeline.plan import Plan
from app_core.pipeline.playout import Playout
from app_core.request import MjpegRequest
from app_core.services.admission import Admission
from app_core.services.cancel_on_close import CancelOnClose
from app_core.services.films.film_statistics import note_statistics
from app_core.shares import Share

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from app_core.avatars.library import Avatar
    from app_core.cancel_scope import Gone
    from app_core.config import Config
    from app_core.job_table import JobTable
    from app_core.lipsync.model import Plate
    from app_core.request import RenderRequest
    from app_core.services.backend import Backend
    from app_core.services.devices.loaded_model import LoadedModel
    from app_core.storage.spool import Spool
    from app_core.types import Frame, Speech

logger = logging.getLogger(__name__)

T = TypeVar("T")

FILE_CHANNEL = 64
"""Mouths that wait for the writer of a file, a full batch where that is more; a live reader has
one second of them."""
UNREAD_S = 60.0
"""A job to which no reader came for this long, although there is something to read, has none."""
STALLED_S = 300.0
"""The same of a reader that came and takes nothing more. The end of an encoder takes up to four
minutes, in which the frames of the next film wait."""
LONGEST_SPEECH_S = 3600.0
_JOIN_S = 5.0


@dataclass(frozen=True, slots=True)
class _Render:
    """What runs for a job."""

    thread: JobThread
    composer: Composer
    share: Share


class Renders:
    """Thread-safe. ``spool`` takes sounds that are whole."""

    def __init__(self, config: Config, backend: Backend, jobs: JobTable, spool: Spool) -> None:
        self._config, self._backend, self.jobs = config, backend, jobs
        self.admission = Admission(jobs, config.max_jobs)
        self._running: dict[Job, _Render] = {}
        self.spool = spool
        self.begun: Callable[[Job], None] = lambda job: None
        self.ended: Callable[[Job], None] = lambda job: None
        """Told of each job that begins, and that has ended."""
        self._labels = Labels(wanted=config.label_synthetic)

    def begin(
        self,
        request: RenderRequest,
        avatar: Avatar,
        speeches: Callable[[Job], Iterator[Speech]],
        sample_rate: int,
        batch_size: int | None = None,
        *,
        recorded: bool = False,
        share: Share | None = None,
        core_s: float = 0.0,
        purpose: str = "",
    ) -> Job:
        """``batch_size`` bounds the batches; a ``recorded`` sound may have any length. ``share``
        is given back when the job ends; ``core_s``: what it is expected to take; ``purpose``: what
        it is for, where its request does not say.

        Raises BadInput, Conflict, NotReady or Busy.
        """
        share = share or Share()
        devices = self._backend.ready(request.model)
        began_s = time.monotonic()
        plate = self._backend.plate(avatar, request.pixels(None), request.still)
        request = self._at_rate(request, plate, devices)
        most = max(FILE_CHANNEL, *(loaded.model.max_batch for loaded in devices))
        job = Job(
            request=request,
            sound=AudioBuffer(
                sample_rate,
                None if recorded else LONGEST_SPEECH_S,
                spills=recorded or not isinstance(request, MjpegRequest),
                spill=None if self._config.work_dir is None else str(self._config.work_dir),
                spool=self.spool,
            ),
            mouths=Channel(request.fps if request.live else most),
            id=request.job_id or new_id(self._config.place),
            live=request.live,
            avatar=avatar.id,
            purpose=purpose,
            owner=share.owner,
            core_s=core_s,
        )
        job.spent_s["faces"] = job.created_s - began_s
        speaking = job.worked("speech", speeches(job))
        loaded = self.admission.admit(job, plate.width, plate.height, devices, share)
        # Whoever knows the id can end the job from here on: what is taken after that end is
        # given back, and the end stands.
        try:
            self.begun(job)
            with job.working("faces"):
                render = self._render(job, plate, loaded, speaking, share)
            self._running[job] = render
            loaded.engine.open(job, low_latency=request.hasty, batch_size=batch_size)
            if not job.begin():
                raise job.error or Cancelled("The job was cancelled")
            render.thread.start()
        except BaseException as error:
            if not self.end(job, as_job_error(error)):
                self._release(job, job.error)
                raise
            self.jobs.discard(job.id)
            raise
        return job

    def _render(
        self,
        job: Job,
        plate: Plate,
        loaded: LoadedModel,
        speeches: Iterator[Speech],
        share: Share,
    ) -> _Render:
        """On its device, where the plate's face is from now on."""
        model, fps = loaded.model, job.request.fps
        face = self._backend.face(model, plate)
        plan = Plan(job.id, fps, plate, face, model.features(fps))
        metrics, capacity = self._backend.metrics, loaded.capacity
        thread = JobThread(job, speeches, plan, loaded.engine, metrics, lambda: capacity.tight)
        label = self._labels.of(plate, job.request.language)
        return _Render(thread, Composer(job, plate, face, model, label), share)

    @staticmethod
    def _at_rate(
        request: RenderRequest, plate: Plate, devices: Sequence[LoadedModel]
    ) -> RenderRequest:
        """A clip keeps its own rate unless the client asked for one: to show it at another,
        pictures are dropped or shown twice. Live, a faster one comes at the usual rate when
        only that fits."""
        own = request.at_rate(plate.track.fps) if len(plate.track.boxes) > 1 else request
        if request.live and own.fps > request.fps:
            size = plate.width, plate.height
            fits = any(loaded.capacity.fits(*size, own.fps) for loaded in devices)
            return own if fits else request
        return own

    def frames(
        self,
        job: Job,
        finish: Callable[[Frame], T],
        gone: Gone = never,
        full: Callable[[], bool] = never,
    ) -> CancelOnClose[T]:
        """``finish(frame)`` for each frame, live ones at their time. The job ends with the last,
        with an error, or when the loop is left: that cancels.

        ``finish`` runs ahead of the frame's time, so encoding does not make it late. ``gone``
        is asked between frames and in every wait: true cancels. While ``full`` is true a live
        picture waits, until it is dropped for a later one.
        """
        return CancelOnClose(self.playout(job, finish, gone, full), partial(self.end, job))

    def playout(
        self,
        job: Job,
        finish: Callable[[Frame], T],
        gone: Gone = never,
        full: Callable[[], bool] = never,
    ) -> Generator[T]:
        """``frames`` for a reader that has more to do than to read: it ends the job itself."""
        metrics = self._backend.metrics
        return iter(
            Playout(
                job, self.composer(job), self._backend.capacity_of(job), finish, gone, metrics, full
            )
        )

    def size(self, job: Job) -> tuple[int, int]:
        """(width, height) of a running job's pictures. Raises Cancelled when it has ended."""
        composer = self.composer(job)
        return composer.width, composer.height

    def composer(self, job: Job) -> Composer:
        """Raises Cancelled when the job has ended."""
        render = self._running.get(job)
        if render is None:
            raise afresh(job.error or Cancelled("The job has ended"))
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
            job.scope.cancel()
        self._release(job, error)
        job.put_away(self.spool)
        self._backend.metrics.ended(job)
        logger.info(
            "job %s: %d frames, %d dropped, %s",
            job.status.value,
            job.frames_done,
            job.frames_dropped,
            job.timings,
            extra={"job": job.id},
        )
        self.ended(job)
        return True

    def _release(self, job: Job, error: Exception | None) -> None:
        """Gives back what a job that has ended holds; safe to do again."""
        self._backend.release(job, error)
        render = self._running.pop(job, None)
        if render is not None:
            render.composer.close()
            render.share.release()
            if job.makes_film:
                note_statistics(job, render.composer.width, render.composer.height)

    def end_unread(self) -> None:
        """Ends jobs that wait for a reader; waiting for a slow voice or model does not count. And
        those of clients that take too long, whatever they do."""
        now, most_whole_s = time.monotonic(), self._config.max_render_s
        for job in self.jobs.running():
            if job.owner and now - job.created_s > most_whole_s:
                self.end(job, TooCostly(f"The render was not done within {most_whole_s:.0f} s"))
            most_s = STALLED_S if job.mouths.visited else UNREAD_S
            if job.mouths.untaken_s > most_s:
                self.end(job, Cancelled(f"Nobody read the render for {most_s:.0f} s"))

    def tend_engines(self) -> None:
        """A model's thread that has ended is replaced; its jobs there fail and do not hang."""
        for loaded in self._backend.lost:
            self.fail_all(ModelFailed("The model's thread has ended"), of=loaded)
            loaded.revive()

    def log_figures(self) -> None:
        """A line in the log for each model that draws live renders, on each of its devices."""
        for loaded in self._backend.models:
            loaded.log_figures()

    def fail_all(self, error: SoyleError, of: LoadedModel | None = None) -> None:
        """Ends every job, or every one ``of`` a model on its device."""
        for job in self.jobs.running():
            if of is None or job.placement == of.placement:
                self.end(job, error)

    def close(self) -> None:
        """Ends every job and joins its thread."""
        running = list(self._running.values())
        self.fail_all(stopping())
        for render in running:
            render.thread.join(_JOIN_S)
