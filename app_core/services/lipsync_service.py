"""LipsyncService: everything a route or a Python caller needs, behind six calls."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from app_core.channel import Channel
from app_core.errors import BadInput, Cancelled, SoyleError
from app_core.face.avatar import AvatarLibrary
from app_core.job import Job, JobStatus, JobTable
from app_core.pipeline.compose import Composer
from app_core.pipeline.job_thread import JobThread
from app_core.pipeline.plan import Plan
from app_core.pipeline.playout import Playout
from app_core.request import MjpegRequest
from app_core.services.admission import Admission
from app_core.services.avatar_work import import_work
from app_core.services.avatars import Avatars
from app_core.services.chunks import forget_chunks
from app_core.services.filming import unchanged, write_film
from app_core.services.films import Films
from app_core.services.health import report
from app_core.services.reader import Reader
from app_core.services.readings import Readings
from app_core.services.recording import process_recording
from app_core.services.results import Results
from app_core.services.studio import Studio
from app_core.services.video_lipsync_stream import note_statistics
from app_core.sound import Sound
from app_core.speech.espeak import EspeakVoice
from app_core.speech.voices import Voices
from app_core.types import Frame, Speech

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app_core.config import Config
    from app_core.face.avatar import Avatar
    from app_core.lipsync.model import LipsyncModel
    from app_core.request import RenderRequest
    from app_core.services.imports import Import
    from app_core.speech.voice import Voice
    from app_core.types import UInt8

logger = logging.getLogger(__name__)
T = TypeVar("T")

FILE_CHANNEL = 64
"""Mouths that wait for the writer of a file; a live reader has one second of them."""


EXPIRY_S = 60.0
"""Between two looks for what has been kept long enough."""


def _here() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class _Render:
    """What runs for a job."""

    thread: JobThread
    composer: Composer


class LipsyncService:
    """Built once a process. ``model``, ``voices``, ``library`` and ``importer`` can be given by
    tests."""

    def __init__(
        self,
        config: Config,
        *,
        model: LipsyncModel | None = None,
        voices: Voices | None = None,
        library: AvatarLibrary | None = None,
        importer: Callable[[Import, Path], None] | None = None,
    ) -> None:
        self.config = config
        self.studio = Studio(config, model, library)
        self.library = self.studio.library
        self.capacity = self.studio.capacity
        self.metrics = self.studio.metrics
        self.metrics.registry.register(Readings(self))
        self.voices = voices or Voices([EspeakVoice()])
        self.results = Results(config.work_dir)
        self.films = Films(self.results, self._end)
        importer = importer or import_work(config, self.studio.ffmpeg)
        self.avatars = Avatars(config, self.library, self.results, importer)
        self.jobs = JobTable(config.job_life_s, config.cache_mb << 20, self._forgotten)
        self._admission = Admission(self.jobs, self.capacity, config.max_jobs)
        self._renders: dict[str, _Render] = {}
        self._closing = threading.Event()
        self._expiry = threading.Thread(target=self._expire, name="expiry", daemon=True)

    # Life

    def start(self, wait_s: float = 0.0) -> None:
        """Loads the model in the background; ``wait_s`` waits for it."""
        self.results.sweep()
        self.avatars.sweep()
        self.studio.start(wait_s)
        self._expiry.start()

    def close(self) -> None:
        """Ends every job and joins every thread."""
        self.studio.refuse("the server is stopping")
        renders = list(self._renders.values())
        for job in self.jobs.running():
            self._end(job, Cancelled("The server is stopping"))
        for render in renders:
            render.thread.join(5.0)
        self.films.close()
        self.avatars.close()
        self._closing.set()
        if self._expiry.is_alive():
            self._expiry.join(5.0)
        self.jobs.clear()
        self.results.close()
        self.studio.close()

    def _expire(self) -> None:
        """Also forgets when nobody asks."""
        while not self._closing.wait(min(EXPIRY_S, self.config.job_life_s / 4)):
            self.jobs.expire()

    # Renders

    def submit(
        self,
        request: RenderRequest,
        avatar: Avatar | None = None,
        speak: Callable[[Voice, Job], Iterator[Speech]] | None = None,
    ) -> Job:
        """Starts a render, on ``avatar`` and of what ``speak`` says, if given.

        Raises BadInput, NotFound, Conflict, NotReady or Busy.
        """
        if len(request.text) > self.config.max_text_chars:
            raise BadInput(
                f"'text' is longer than {self.config.max_text_chars} characters", field="text"
            )
        model, _ = self.studio.ready()
        if request.model not in ("auto", model.name):
            raise BadInput(f"'model' must be one of: auto, {model.name}", field="model")
        voice = self.voices.get(request.voice or self.config.voice or None, request.language)
        return self.begin(
            request,
            avatar=avatar or self.library.get(request.avatar or self.config.avatar),
            speeches=lambda job: (
                speak(voice, job)
                if speak is not None
                else voice.speak(request.text, request.language, request.speed)
            ),
            sample_rate=voice.sample_rate,
        )

    def frames(
        self,
        job: Job,
        finish: Callable[[Frame], T],
        gone: Callable[[], bool] = _here,
    ) -> Reader[T]:
        """``finish(frame)`` for each frame, live ones at their time. Leaving the loop cancels.

        ``finish`` runs ahead of the frame's time, so encoding does not make it late. ``gone``
        is asked between frames and in every wait: true cancels.
        """
        playout = Playout(
            job, self._render(job).composer, self.capacity, finish, gone, self.metrics
        )
        return Reader(iter(playout), lambda error: job.film or self._end(job, error))

    def size(self, job: Job) -> tuple[int, int]:
        """(width, height) of a running job's pictures. Raises Cancelled when it has ended."""
        composer = self._render(job).composer
        return composer.width, composer.height

    def render(
        self,
        job: Job,
        path: Path,
        gone: Callable[[], bool] = _here,
        finish: Callable[[Frame], Frame] = unchanged,
    ) -> None:
        """Writes the whole job to an MP4 file and ends it; a failure leaves nothing at ``path``."""
        self.films.write(job, partial(write_film, self, job, finish=finish), path, gone)

    def process(
        self,
        face_path: str | Path,
        audio_path: str | Path,
        output_path: str | Path | None = None,
        static: bool = True,
        frame_sink: Callable[[UInt8], None] | None = None,
        batch_size_override: int | None = None,
    ) -> Path | None:
        """Makes the face at ``face_path`` (an avatar's folder or a file in it) say a recording.

        ``frame_sink`` gets each picture as BGR (height, width, 3) uint8; ``output_path`` gets an
        MP4 with sound. Returns ``output_path``.
        """
        return process_recording(
            self,
            Path(face_path),
            Path(audio_path),
            None if output_path is None else Path(output_path),
            static,
            frame_sink,
            batch_size_override,
        )

    def cancel(self, job_id: str) -> Job:
        """Ends a job at once. One that has ended stays as it is."""
        job = self.jobs.get(job_id)
        self._end(job, Cancelled("The job was cancelled"))
        return job

    def begin(
        self,
        request: RenderRequest,
        avatar: Avatar,
        speeches: Callable[[Job], Iterator[Speech]],
        sample_rate: int,
        batch_size: int | None = None,
    ) -> Job:
        """``submit`` without its checks of the request. ``batch_size`` bounds the batches."""
        model, engine = self.studio.ready()
        began_s = time.monotonic()
        plate = self.studio.plate(avatar, request.pixels(None), request.still)
        face = self.studio.face(model, plate)
        job = Job(
            request=request,
            sound=Sound(
                sample_rate,
                spills=not isinstance(request, MjpegRequest),
                spill=None if self.config.work_dir == Path("") else str(self.config.work_dir),
            ),
            mouths=Channel(request.fps if request.live else FILE_CHANNEL),
            id=request.job_id or str(uuid.uuid4()),
            live=request.live,
        )
        job.spent_s["faces"] = job.created_s - began_s
        plan = Plan(job.id, request.fps, plate, face, model.features(request.fps))
        speaking = job.worked("speech", speeches(job))
        thread = JobThread(job, speaking, plan, engine, self.metrics)
        composer = Composer(job, plate, face, model)
        self._admission.admit(job, composer.width, composer.height)
        self._renders[job.id] = _Render(thread, composer)
        if job.ended:  # cancelled by its id between these two lines
            del self._renders[job.id]
            raise Cancelled("The job was cancelled")
        try:
            engine.open(job, low_latency=request.hasty, batch_size=batch_size)
            job.status = JobStatus.RUNNING
            thread.start()
        except SoyleError as error:
            self._end(job, error)
            self.jobs.discard(job.id)
            raise
        return job

    def _render(self, job: Job) -> _Render:
        """Raises Cancelled when the job has ended."""
        render = self._renders.get(job.id)
        if render is None:
            raise job.error or Cancelled("The job has ended")
        return render

    def _end(self, job: Job, error: Exception | None) -> bool:
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
        if self.studio.engine is not None:
            self.studio.engine.drop(job, error)
        self.capacity.release(job.id)
        render = self._renders.pop(job.id, None)
        if render is not None:
            render.composer.close()
            if job.film:
                note_statistics(job, render.composer.width, render.composer.height)
        self.metrics.ended(job)
        logger.info(
            "job %s: %d frames, %d dropped, %s",
            job.status.value,
            job.frames_done,
            job.frames_dropped,
            job.timings,
            extra={"job": job.id},
        )
        return True

    def _forgotten(self, job: Job) -> None:
        if job.result is not None:
            self.results.free(job.result)
        job.sound.release()
        forget_chunks(self, job)

    def health(self) -> dict[str, Any]:
        return report(self)
