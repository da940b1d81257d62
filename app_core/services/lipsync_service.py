"""LipsyncService: everything a route or a Python caller needs, behind six calls."""

from __future__ import annotations

import logging
import math
import threading
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from app_core import __version__
from app_core.channel import Channel
from app_core.engine.capacity import Capacity
from app_core.engine.engine import Engine
from app_core.errors import BadInput, Busy, Cancelled, NotReady, SoyleError
from app_core.face.avatar import AvatarLibrary
from app_core.job import Job, JobStatus, JobTable
from app_core.lipsync.registry import open_model
from app_core.media.ffmpeg import Ffmpeg, find_ffmpeg
from app_core.media.mp4 import Mp4Writer
from app_core.media.picture import to_bgr
from app_core.media.wav import read_wav
from app_core.pipeline.compose import Composer
from app_core.pipeline.job_thread import JobThread
from app_core.pipeline.plan import Plan
from app_core.pipeline.playout import Playout
from app_core.pipeline.trial import frame_cost_ms
from app_core.request import GenerateRequest, MjpegRequest
from app_core.services.reader import Reader
from app_core.sound import Sound
from app_core.speech.espeak import EspeakVoice
from app_core.speech.voices import Voices
from app_core.types import Frame, Speech

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app_core.config import Config
    from app_core.face.avatar import Avatar
    from app_core.lipsync.model import LipsyncModel, Plate
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
        self.library = library or AvatarLibrary(config.avatar_dir, config.picture_cache_mb)
        self.voices = voices or Voices([EspeakVoice()])
        self.jobs = JobTable(config.job_life_s, config.cache_mb << 20)
        self.capacity = Capacity(config.cpu_share)
        self._given_model = model
        self._model: LipsyncModel | None = None
        self._engine: Engine | None = None
        self._ffmpeg: Ffmpeg | None = None
        self._status, self._reason = "offline", "not started"
        self._renders: dict[str, _Render] = {}
        self._faces: WeakKeyDictionary[Plate, Any] = WeakKeyDictionary()
        self._lock = threading.Lock()
        self._faces_lock = threading.Lock()
        self._loader: threading.Thread | None = None
        self._loaded = threading.Event()

    # Life

    def start(self, wait_s: float = 0.0) -> None:
        """Loads the model in the background; ``wait_s`` waits for it."""
        self._status, self._reason = "loading", "the model is loading"
        self._loader = threading.Thread(target=self._load, name="loader", daemon=True)
        self._loader.start()
        self._loaded.wait(wait_s)

    def when_loaded(self, call: Callable[[], None]) -> None:
        """Calls once the model is ready; not at all when it fails."""

        def wait() -> None:
            self._loaded.wait()
            if self._status in ("ready", "degraded"):
                call()

        threading.Thread(target=wait, name="when-loaded", daemon=True).start()

    def close(self) -> None:
        """Ends every job and joins every thread."""
        self._status, self._reason = "offline", "the server is stopping"
        if self._loader is not None:
            self._loader.join(60.0)
        for job in self.jobs.running():
            self._end(job, Cancelled("The server is stopping"))
        for render in list(self._renders.values()):
            render.thread.join(5.0)
        if self._engine is not None:
            self._engine.close()

    def _load(self) -> None:
        try:
            model = self._given_model or open_model(self.config.model)
            model.warm_up()
            plate = self._plate(self.library.get(self.config.avatar), (512, 512), static=True)
            cost = frame_cost_ms(model, plate, self._face(model, plate), self.config.jpeg_quality)
            self.capacity.calibrate(cost, 512, 512)
            self._engine = Engine(model)
            self._engine.start()
            self._model = model
            self._status, self._reason = "ready", ""
            logger.info(
                "%s is ready on %s, %.2f core-ms a 512x512 frame", model.name, model.device, cost
            )
            self._ffmpeg = find_ffmpeg(self.config.ffmpeg)
        except SoyleError as error:
            logger.error("%s", error)
            self._degrade(str(error))
        except Exception as error:
            logger.exception("loading failed")
            self._degrade(str(error))
        finally:
            self._loaded.set()

    def _degrade(self, reason: str) -> None:
        self._status, self._reason = ("degraded" if self._model else "offline"), reason

    # Renders

    def submit(self, request: RenderRequest) -> Job:
        """Starts a render. Raises BadInput, NotFound, Conflict, NotReady or Busy."""
        if len(request.text) > self.config.max_text_chars:
            raise BadInput(
                f"'text' is longer than {self.config.max_text_chars} characters", field="text"
            )
        model, _ = self._ready()
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
        pcm, rate = read_wav(Path(audio_path), self._need_ffmpeg())
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
        model, engine = self._ready()
        plate = self._plate(avatar, request.pixels(None), getattr(request, "static_mode", True))
        face = self._face(model, plate)
        mjpeg = request if isinstance(request, MjpegRequest) else None
        live = request.live and (mjpeg is None or mjpeg.pace == "realtime")
        job = Job(
            request=request,
            sound=Sound(sample_rate),
            mouths=Channel(request.fps if live else FILE_CHANNEL),
            id=request.job_id or str(uuid.uuid4()),
            live=live,
        )
        plan = Plan(job.id, request.fps, plate, face, model.features(request.fps))
        thread = JobThread(job, speeches, plan, engine)
        self._admit(job, _Render(thread, Composer(job, plate, face, model)))
        try:
            low_latency = mjpeg is not None and mjpeg.low_latency
            engine.open(job, low_latency=low_latency, batch_size=batch_size)
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
        if self._engine is not None:
            self._engine.drop(job, error)
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
            self._need_ffmpeg(),
        ) as writer:
            for frame in frames:
                writer.write(frame)
            writer.finish()

    # Parts

    def _ready(self) -> tuple[LipsyncModel, Engine]:
        if self._model is None or self._engine is None or self._status == "offline":
            seconds = 2 if self._status == "loading" else 30
            raise NotReady(f"The server is not ready: {self._reason}", retry_after_s=seconds)
        return self._model, self._engine

    def _need_ffmpeg(self) -> Ffmpeg:
        if self._ffmpeg is None:
            self._ffmpeg = find_ffmpeg(self.config.ffmpeg)
        return self._ffmpeg

    def _plate(self, avatar: Avatar, size: tuple[int, int] | None, static: bool) -> Plate:
        return self.library.plate(avatar, size, static=static, sway=self.config.sway)

    def _face(self, model: LipsyncModel, plate: Plate) -> Any:
        with self._faces_lock:
            if plate not in self._faces:
                self._faces[plate] = model.open(plate)
            return self._faces[plate]

    def health(self) -> dict[str, Any]:
        model, engine, ffmpeg = self._model, self._engine, self._ffmpeg
        running = self.jobs.running()
        return {
            "status": self._status,
            "reason": self._reason or None,
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
