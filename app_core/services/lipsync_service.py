"""LipsyncService: everything that a route or a Python caller needs."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from app_core.avatars.collection import Avatars
from app_core.avatars.importing.base_video import BaseVideo
from app_core.avatars.importing.dropped_files import DroppedFiles
from app_core.avatars.importing.face_paths import Faces
from app_core.avatars.importing.importer import import_work
from app_core.avatars.library import AvatarLibrary
from app_core.cancel_scope import never
from app_core.config.tokens import Tokens
from app_core.errors import Cancelled
from app_core.heap import Trimmer
from app_core.job_table import JobTable
from app_core.outputs import mjpeg
from app_core.request import VideoRequest
from app_core.services.backend import Backend
from app_core.services.beginning import Beginning
from app_core.services.chunks import Chunks
from app_core.services.films.outcome import Outcome
from app_core.services.films.video_encode import check_codecs
from app_core.services.films.video_jobs import VideoJobs
from app_core.services.gauges import ServiceCollector
from app_core.services.health import missing_voice, report
from app_core.services.live.sessions import LiveSessions
from app_core.services.privacy.endings import Endings
from app_core.services.recording import Recordings, held
from app_core.services.renders import Renders
from app_core.services.storage.disks import Disks
from app_core.services.vigil import Vigil
from app_core.services.voices.installed import open_voices
from app_core.services.voices.offer import VoiceOffer
from app_core.services.voices.speakers import Speakers
from app_core.services.watchdog import Duty, Watchdog
from app_core.shares import shares_of
from app_core.speech.text.dictionary import read_dictionary
from app_core.speech.text.reading import TextReader
from app_core.storage.scratch import Scratch, with_work_dir
from app_core.storage.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.avatars.importing.import_queue import Import
    from app_core.cancel_scope import Gone
    from app_core.config import Config
    from app_core.job import Job
    from app_core.lipsync.model import LipsyncModel
    from app_core.request import FilmRequest, MjpegRequest, RenderRequest
    from app_core.services.cancel_on_close import CancelOnClose
    from app_core.speech.registry import Voices
    from app_core.types import Frame, UInt8

logger = logging.getLogger(__name__)

T = TypeVar("T")

EXPIRY_S = 1.0
"""Between two looks for what has been kept long enough, and whether the threads move."""
TRIM_S = 60.0
"""Between two looks for memory to give back when no job ends."""
DISK_LOOK_S = 2.0
"""Between two looks at what people may have changed on the disk."""
DISK_JOIN_S = 30.0
"""A file of gigabytes may be on its way through a hash."""
FIGURES_S = 10.0
"""Between two lines of figures in the log."""
READER_LOOK_S = 5.0
"""Between two looks for renders that nobody reads."""


class LipsyncService:
    """Built once a process. Tests give ``model``, ``voices``, ``library`` and ``importer``."""

    def __init__(
        self,
        config: Config,
        *,
        model: LipsyncModel | None = None,
        voices: Voices | None = None,
        library: AvatarLibrary | None = None,
        importer: Callable[[Import, Path], None] | None = None,
    ) -> None:
        asked, config = config, with_work_dir(config)
        self.config = config
        self.tokens = Tokens(config.api_token, config.api_token_file)
        self.backend = Backend(config, model, library)
        self.library, self.shares = self.backend.library, shares_of(config)
        self.capacity, self.metrics = self.backend.capacity, self.backend.metrics
        self.voices = voices or open_voices(config, self.backend.ffmpeg, self.backend.speech_server)
        self.reader = TextReader(read_dictionary(config.dictionary))
        self._speakers = Speakers(config, self.voices, self.reader)
        reserve = config.disk_reserve_mb << 20
        self.voice_offer = VoiceOffer(config.models_dir, self.voices, self.reader, reserve)
        self.voice_offer.pulls.pulled = self._voice_pulled
        self.scratch = Scratch(config.work_dir)
        self.jobs = JobTable(config.job_life_s, config.cache_mb << 20, self._forgotten)
        self.disks = Disks(config, asked.work_dir, self.jobs)
        importer = importer or import_work(config, self.backend.ffmpeg, self.disks.faces.check)
        self._trimmer = Trimmer(lambda: any(job.live for job in self.jobs.running()))
        theirs = self._avatar_removed, self.shares, self.disks.faces.check_upload
        self.avatars = Avatars(config, self.library, self.scratch, importer, *theirs)
        self.faces = Faces(config, self.library, self.avatars.imports, importer)
        self.base_video = BaseVideo(config.base_video_path, self.faces, self.library)
        self.spool = Spool(config.work_dir)
        self._renders = Renders(config, self.backend, self.jobs, self.spool)
        self.videos = VideoJobs(self._renders, self.scratch, self.backend.ffmpeg, self.disks.films)
        self._disk_watch = Watchdog(name="disk-watch")
        dropped = config.avatar_dir, self.avatars, config.base_video_path
        self._dropped = DroppedFiles(*dropped, self._disk_watch.check)
        tend = partial(self.disks.look, self._renders.end, self.avatars.imports)
        for look in (tend, self.base_video.look, self._dropped.scan, self.voices.look):
            self._disk_watch.add(Duty(look, DISK_LOOK_S))
        self.sessions = LiveSessions(config, self.backend, self._speakers, self.shares)
        self._renders.admission.give_way = self.sessions.give_way
        self.peers = self.sessions.peers
        end = self._renders, self.sessions, self.avatars, self.voice_offer, self._trimmer.ask
        self.endings = Endings(config, self.backend, *end)
        self._disk_watch.add(*self.endings.duties)
        gauges = ServiceCollector(self.backend, self.jobs, self.sessions)
        self.metrics.registry.register(gauges)
        spoken = self._renders, self._speakers, self.shares
        self._beginning = Beginning(config, self.backend, *spoken)
        self.chunks = Chunks(self._beginning.begin, self._renders, self.videos)
        made = self._renders, self.videos, self.faces, self.reader
        self._recordings = Recordings(*made, config.max_audio_s)
        self._watchdog = Watchdog(
            [
                Duty(self._renders.tend_engines, 1.0),
                Duty(self._renders.end_unread, READER_LOOK_S),
                Duty(self._renders.log_figures, FIGURES_S),
                Duty(self.jobs.expire, EXPIRY_S),
                Duty(self.sessions.registry.expire, EXPIRY_S),
                Duty(self._trimmer.ask, TRIM_S),
            ]
        )
        watchers = self._watchdog.pulse, self._disk_watch.pulse
        parts = self._renders, self.sessions, self.avatars.imports, self.voices.standing
        self.vigil = Vigil(self.backend, *parts, watchers)
        self._watchdog.add(Duty(self.vigil.look, EXPIRY_S))

    def start(self, wait_s: float = 0.0) -> None:
        """Loads the model in the background; ``wait_s`` waits for it."""
        missing = missing_voice(self.config.voice, self.voices)
        if missing:
            logger.error("%s", missing)
        self.scratch.sweep()
        self.avatars.sweep()
        self.base_video.look()
        self.backend.start(wait_s, then=self._speakers.start)
        self._watchdog.start()
        self._trimmer.start()
        self._disk_watch.start()

    def close(self) -> None:
        """Ends every job and joins every thread."""
        self._speakers.close()
        self.backend.refuse("the server is stopping")
        self._disk_watch.close(DISK_JOIN_S)
        self.sessions.registry.close()
        self.peers.close()
        self._renders.close()
        self.videos.close()
        self.voices.close()
        self.voice_offer.close()
        self.avatars.close()
        self._watchdog.close()
        self._trimmer.close()
        self.jobs.clear()
        self.spool.close()
        self.scratch.close()
        self.backend.close()

    def submit(self, request: RenderRequest, sound: Path | None = None, owner: str = "") -> str:
        """Starts a render and gives its id. A video is of the base video, unless the request names
        an avatar. ``sound``: a file that is spoken in place of the text, which is what is said in
        it; it may be removed once this has returned. ``owner``: the client; empty: this program.

        Raises BadInput, also for a codec that does not work on this machine, TooCostly, TooMany,
        NotFound, Conflict, NotReady or Busy, for a video what ``BaseVideo.avatar`` raises, and for
        a sound UnsupportedMedia or TooLarge.
        """
        self.backend.ready(request.model)
        recording = None if sound is None else self._recordings.open(sound, request)
        with held(recording):
            avatar = None
            if isinstance(request, VideoRequest):
                check_codecs(request, self.backend.ffmpeg())
                if request.avatar is None and self.base_video.path is not None:
                    avatar = self.base_video.avatar()
            return self._beginning.begin(
                request, avatar=avatar, recording=recording, owner=owner
            ).id

    def stream_mjpeg(
        self, request: MjpegRequest, sound: Path | None, gone: Gone, full: Gone, owner: str = ""
    ) -> Outcome:
        """Starts a render whose outcome is a stream of JPEG parts. Raises as ``submit``."""
        job = self.jobs.get(self.submit(request, sound, owner))
        stream = self.stream(job.id, "mjpeg", gone, full)
        return Outcome(job.id, job.request.fps, job.voices, stream=stream)

    def make_film(
        self,
        request: FilmRequest,
        sound: Path | None,
        gone: Gone,
        keep_as: str = "",
        owner: str = "",
    ) -> Outcome:
        """Starts a render whose outcome is a film, as ``VideoJobs.outcome``."""
        job = self.jobs.get(self.submit(request, sound, owner))
        return self.videos.outcome(job, request, gone, keep_as)

    def stream(
        self, job_id: str, format: Literal["mjpeg", "mp4"], gone: Gone = never, full: Gone = never
    ) -> CancelOnClose[bytes]:
        """The bytes of a running job while they are made: a JPEG part for each frame, or a
        fragmented MP4. Leaving the loop cancels; ``gone`` and ``full`` as for ``frames``.
        """
        job = self.jobs.get(job_id)
        if format == "mp4":
            return self.videos.stream(job, gone)
        part = partial(mjpeg.encoded, quality=self.config.jpeg_quality)
        return self._renders.frames(job, part, gone, full)

    def frames(
        self, job_id: str, finish: Callable[[Frame], T], gone: Gone = never, full: Gone = never
    ) -> CancelOnClose[T]:
        """``finish(frame)`` for each frame, as ``Renders.frames``. Leaving the loop cancels."""
        return self._renders.frames(self.jobs.get(job_id), finish, gone, full)

    def render(self, job_id: str, path: Path, gone: Gone = never) -> dict[str, Any]:
        """Writes the whole job to an MP4 file and ends it; a failure leaves nothing at ``path``.
        What the film holds and how it came about."""
        job = self.jobs.get(job_id)
        self.videos.write(job, path, gone)
        return job.statistics or {}

    def process(
        self,
        face_path: str | Path,
        audio_path: str | Path,
        output_path: str | Path | None = None,
        static: bool | None = None,
        frame_sink: Callable[[UInt8], None] | None = None,
        batch_size_override: int | None = None,
    ) -> Path | None:
        """Makes the face at ``face_path`` say a recording: any sound file, of any length. The face
        is any photo or clip, an avatar's id, its folder or a file in it; a photo or clip is
        imported first, once for its content.

        A photo is still and a clip moves, at its own rate; ``static`` True shows the still of
        either. ``frame_sink`` gets each picture as BGR (height, width, 3) uint8; ``output_path``
        gets an MP4 with sound, and is returned; ``~`` is the home folder. An error of
        ``frame_sink`` ends the render and is raised. Raises BadInput, which names the file that
        cannot be used, and what ``submit`` raises.
        """
        return self._recordings.process(
            Path(face_path),
            Path(audio_path),
            None if output_path is None else Path(output_path),
            static,
            frame_sink,
            batch_size_override,
        )

    def cancel(self, job_id: str, client: str = "") -> Job:
        """Ends a job at once. One that has ended stays as it is. ``client`` as for ``jobs.get``."""
        job = self.jobs.record(job_id, client)
        self._renders.end(job, Cancelled("The job was cancelled"))
        return job

    def _avatar_removed(self, avatar: str, sha256: str, dropped: str, owner: str) -> None:
        self.endings.audit.removed(avatar, owner)
        self._dropped.removed(sha256, dropped)
        self._trimmer.ask(gone=True)

    def _voice_pulled(self, voice_id: str) -> None:
        self.voices.look()
        self.voice_offer.samples.forget()
        self._speakers.warm()

    def _forgotten(self, job: Job) -> None:
        if job.result is not None:
            self.scratch.free(job.result)
        job.release()
        self.chunks.forget(job)

    def health(self) -> dict[str, Any]:
        sessions, base = len(self.sessions.registry), self.base_video.describe()
        faults = [self.tokens.fault, self.endings.audit.fault, *self.vigil.troubles]
        known = self.config, self.backend, self.jobs, sessions, self.voices, base
        return report(*known, [*faults, *self.disks.reasons()], self.disks.describe())
