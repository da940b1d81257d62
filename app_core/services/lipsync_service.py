"""LipsyncService: everything a route or a Python caller needs, behind six calls."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from app_core.errors import BadInput, Cancelled
from app_core.face.avatar import AvatarLibrary
from app_core.job import Job, JobTable
from app_core.pipeline.playout import Playout
from app_core.services.avatar_work import import_work
from app_core.services.avatars import Avatars
from app_core.services.chunks import forget_chunks
from app_core.services.filming import unchanged, write_film
from app_core.services.films import Films
from app_core.services.health import report
from app_core.services.reader import Reader
from app_core.services.readings import Readings
from app_core.services.recording import Recording, process_recording
from app_core.services.renders import Renders
from app_core.services.results import Results
from app_core.services.studio import Studio
from app_core.speech.espeak import EspeakVoice
from app_core.speech.voices import Voices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app_core.config import Config
    from app_core.face.avatar import Avatar
    from app_core.lipsync.model import LipsyncModel
    from app_core.request import RenderRequest
    from app_core.services.imports import Import
    from app_core.speech.voice import Voice
    from app_core.types import Frame, Speech, UInt8

T = TypeVar("T")

EXPIRY_S = 60.0
"""Between two looks for what has been kept long enough."""


def _here() -> bool:
    return False


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
        importer = importer or import_work(config, self.studio.ffmpeg)
        self.avatars = Avatars(config, self.library, self.results, importer)
        self.jobs = JobTable(config.job_life_s, config.cache_mb << 20, self._forgotten)
        self._renders = Renders(config, self.studio, self.jobs)
        self.films = Films(self.results, self._renders.end)
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
        self._renders.close()
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
        recording: Recording | None = None,
    ) -> Job:
        """Starts a render, on ``avatar`` and of what ``speak`` or a ``recording`` says, if given.

        Raises BadInput, NotFound, Conflict, NotReady or Busy.
        """
        if len(request.text) > self.config.max_text_chars:
            raise BadInput(
                f"'text' is longer than {self.config.max_text_chars} characters", field="text"
            )
        model, _ = self.studio.ready()
        if request.model not in ("auto", model.name):
            raise BadInput(f"'model' must be one of: auto, {model.name}", field="model")
        if recording is not None:
            return self.begin(
                request,
                avatar or self.library.get(request.avatar or self.config.avatar),
                recording.speeches,
                recording.sample_rate,
                recorded=True,
            )
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
            job, self._renders.composer(job), self.capacity, finish, gone, self.metrics
        )
        return Reader(iter(playout), lambda error: job.film or self._renders.end(job, error))

    def size(self, job: Job) -> tuple[int, int]:
        """(width, height) of a running job's pictures. Raises Cancelled when it has ended."""
        composer = self._renders.composer(job)
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
        """Makes the face at ``face_path`` (an avatar's folder or a file in it) say a recording:
        any sound file, of any length.

        ``frame_sink`` gets each picture as BGR (height, width, 3) uint8; ``output_path`` gets an
        MP4 with sound. Returns ``output_path``. An error of ``frame_sink`` ends the render.
        Raises BadInput, which names the file that cannot be used, and what ``submit`` raises.
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
        self._renders.end(job, Cancelled("The job was cancelled"))
        return job

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
        """``submit`` without its checks of the request; as ``Renders.begin``."""
        return self._renders.begin(
            request, avatar, speeches, sample_rate, batch_size, recorded=recorded
        )

    def _forgotten(self, job: Job) -> None:
        if job.result is not None:
            self.results.free(job.result)
        job.sound.release()
        forget_chunks(self, job)

    def health(self) -> dict[str, Any]:
        return report(self)
