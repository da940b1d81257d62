"""LipsyncService: everything a route or a Python caller needs, behind six calls."""

from __future__ import annotations

import logging
import math
import threading
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from app_core import __version__
from app_core.channel import Channel
from app_core.errors import BadInput, Busy, Cancelled, SoyleError
from app_core.face.avatar import AvatarLibrary
from app_core.job import Job, JobStatus, JobTable
from app_core.media.mp4 import Mp4Writer
from app_core.media.picture import to_bgr
from app_core.media.wav import read_wav
from app_core.pipeline.compose import Composer
from app_core.pipeline.job_thread import JobThread
from app_core.pipeline.plan import Plan
from app_core.pipeline.playout import Playout
from app_core.request import GenerateRequest
from app_core.services.reader import Reader
from app_core.services.studio import Studio
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
    from app_core.types import UInt8

logger = logging.getLogger(__name__)
T = TypeVar("T")

FILE_CHANNEL = 64
"""Mouths that wait for the writer of a file; a live reader has one second of them."""


def _here() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class _Render:
    """What runs for a job."""

    thread: JobThread
    composer: Composer


class LipsyncService:
    """Built once a process. ``model``, ``voices`` and ``library`` can be given by tests."""

    def __init__(
        self,
        config: Config,
        *,
        model: LipsyncModel | None = None,
        voices: Voices | None = None,
        library: AvatarLibrary | None = None,
    ) -> None:
        self.config = config
        self.studio = Studio(config, model, library)
        self.library = self.studio.library
        self.capacity = self.studio.capacity
        self.voices = voices or Voices([EspeakVoice()])
        self.jobs = JobTable(config.job_life_s, config.cache_mb << 20)
        self._renders: dict[str, _Render] = {}
        self._lock = threading.Lock()

    # Life

    def start(self, wait_s: float = 0.0) -> None:
        """Loads the model in the background; ``wait_s`` waits for it."""
        self.studio.start(wait_s)

    def close(self) -> None:
        """Ends every job and joins every thread."""
        self.studio.refuse("the server is stopping")
        renders = list(self._renders.values())
        for job in self.jobs.running():
            self._end(job, Cancelled("The server is stopping"))
        for render in renders:
            render.thread.join(5.0)
        self.studio.close()

    # Renders

    def submit(self, request: RenderRequest) -> Job:
        """Starts a render. Raises BadInput, NotFound, Conflict, NotReady or Busy."""
        if len(request.text) > self.config.max_text_chars:
            raise BadInput(
                f"'text' is longer than {self.config.max_text_chars} characters", field="text"
            )
        model, _ = self.studio.ready()
        if request.model not in ("auto", model.name):
            raise BadInput(f"'model' must be one of: auto, {model.name}", field="model")
        voice = self.voices.get(request.voice or self.config.voice or None, request.language)
        return self._begin(
            request,
            avatar=self.library.get(request.avatar or self.config.avatar),
            speeches=voice.speak(request.text, request.language, request.speed),
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
        render = self._renders.get(job.id)
        if render is None:
            raise Cancelled("The job has ended")
        playout = Playout(job, render.composer, self.capacity, finish, gone)
        return Reader(iter(playout), lambda error: self._end(job, error))

    def render(self, job: Job, path: Path, gone: Callable[[], bool] = _here) -> None:
        """Writes the whole job to an MP4 file; nothing is left at ``path`` when it fails."""
        with self.frames(job, lambda frame: frame, gone) as frames:
            self._write(job, frames, path)

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
        if batch_size_override is not None and batch_size_override < 1:
            raise BadInput("batch_size_override must be at least 1", field="batch_size_override")
        pcm, rate = read_wav(Path(audio_path), self.studio.ffmpeg())
        speech = Speech(index=0, text="", pcm=pcm, sample_rate=rate, phonemes=None)
        job = self._begin(
            GenerateRequest.model_construct(text="", static_mode=static),
            avatar=self.library.at(Path(face_path)),
            speeches=iter([speech]),
            sample_rate=rate,
            batch_size=batch_size_override,
        )

        def seen(frame: Frame) -> Frame:
            if frame_sink is not None:
                frame_sink(to_bgr(frame.picture))
            return frame

        with self.frames(job, seen) as frames:
            if output_path is None:
                for _ in frames:
                    pass
                return None
            self._write(job, frames, Path(output_path))
        return Path(output_path)

    def cancel(self, job_id: str) -> Job:
        """Ends a job at once. One that has ended stays as it is."""
        job = self.jobs.get(job_id)
        self._end(job, Cancelled("The job was cancelled"))
        return job

    def _begin(
        self,
        request: RenderRequest,
        avatar: Avatar,
        speeches: Iterator[Speech],
        sample_rate: int,
        batch_size: int | None = None,
    ) -> Job:
        model, engine = self.studio.ready()
        plate = self.studio.plate(
            avatar, request.pixels(None), getattr(request, "static_mode", True)
        )
        face = self.studio.face(model, plate)
        job = Job(
            request=request,
            sound=Sound(sample_rate),
            mouths=Channel(request.fps if request.live else FILE_CHANNEL),
            id=request.job_id or str(uuid.uuid4()),
            live=request.live,
        )
        plan = Plan(job.id, request.fps, plate, face, model.features(request.fps))
        thread = JobThread(job, speeches, plan, engine)
        self._admit(job, _Render(thread, Composer(job, plate, face, model)))
        try:
            engine.open(job, low_latency=request.hasty, batch_size=batch_size)
            job.status = JobStatus.RUNNING
            thread.start()
        except SoyleError as error:
            self._end(job, error)
            self.jobs.discard(job.id)
            raise
        return job

    def _admit(self, job: Job, render: _Render) -> None:
        with self._lock:
            running = self.jobs.running()
            files = sum(not other.live for other in running)
            if len(running) >= self.config.max_jobs:
                raise self._busy(running)
            if not job.live and files >= max(2, 2 * math.ceil(self.capacity.cores)):
                raise self._busy(running)
            self.jobs.add(job)
            composer = render.composer
            if job.live and not self.capacity.admit(
                job.id, composer.width, composer.height, job.request.fps
            ):
                self.jobs.discard(job.id)
                raise self._busy(running)
            self._renders[job.id] = render

    @staticmethod
    def _busy(running: list[Job]) -> Busy:
        left = [
            (job.frames_total - job.frames_done) / job.request.fps
            for job in running
            if job.frames_total
        ]
        seconds = min(30, max(1, math.ceil(min(left, default=1.0))))
        return Busy("The server is full; try again soon", retry_after_s=seconds)

    def _end(self, job: Job, error: Exception | None) -> None:
        """The one way a job ends. The first ending wins."""
        if error is None:
            ended = job.end(JobStatus.DONE)
        elif isinstance(error, Cancelled):
            ended = job.end(JobStatus.CANCELLED, error)
        else:
            known = error if isinstance(error, SoyleError) else SoyleError("The render failed")
            ended = job.end(JobStatus.FAILED, known)
            if ended and known is not error:
                logger.error("the render failed", exc_info=error)
        if not ended:
            return
        if error is not None:
            job.sound.close(error)
        if job.status is JobStatus.CANCELLED:
            job.scope.cancel()
        if self.studio.engine is not None:
            self.studio.engine.drop(job, error)
        self.capacity.release(job.id)
        self._renders.pop(job.id, None)
        logger.info(
            "job %s: %d frames, %d dropped, %s",
            job.status.value,
            job.frames_done,
            job.frames_dropped,
            job.timings,
        )

    def _write(self, job: Job, frames: Iterator[Frame], path: Path) -> None:
        composer = self._renders[job.id].composer
        with Mp4Writer(
            path,
            composer.width,
            composer.height,
            job.request.fps,
            job.sound.sample_rate,
            self.studio.ffmpeg(),
        ) as writer:
            for frame in frames:
                writer.write(frame)
            writer.finish()

    def health(self) -> dict[str, Any]:
        studio = self.studio
        model, engine, ffmpeg = studio.model, studio.engine, studio.found_ffmpeg
        running = self.jobs.running()
        return {
            "status": studio.status,
            "reason": studio.reason or None,
            "model": model.name if model else self.config.model,
            "device": model.device if model else None,
            "avatar": self.config.avatar,
            "voices": [voice["id"] for voice in self.voices.describe()],
            "ffmpeg": ffmpeg.version if ffmpeg else None,
            "nvdec": ffmpeg.nvdec if ffmpeg else False,
            "encoders": list(ffmpeg.encoders) if ffmpeg else [],
            "version": __version__,
            "capacity": {
                **asdict(self.capacity.snapshot()),
                "max_jobs": self.config.max_jobs,
                "jobs": len(running),
                "queue": engine.depth if engine else 0,
                "mean_batch": round(engine.mean_batch, 2) if engine else 0.0,
            },
        }
