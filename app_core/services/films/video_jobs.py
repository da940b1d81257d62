"""Jobs whose outcome is a film: written for a client that waits, kept for later, or streamed.

The job goes on after its last frame, until the film is whole.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING, BinaryIO

from app_core.errors import Busy, Cancelled, SoyleError, afresh, as_job_error
from app_core.log import job_id
from app_core.outputs.fragmented_mp4 import codecs, fragments
from app_core.outputs.output import Format
from app_core.services.cancel_on_close import CancelOnClose
from app_core.services.films.outcome import Outcome
from app_core.services.films.video_encode import encode, start_video_encoder
from app_core.threads import start_thread

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app_core.cancel_scope import Gone
    from app_core.job import Job
    from app_core.media.ffmpeg import Ffmpeg
    from app_core.outputs.mp4 import Mp4Writer
    from app_core.request import FilmRequest
    from app_core.services.renders import Renders
    from app_core.services.storage.film_room import FilmRoom
    from app_core.storage.scratch import Scratch
    from app_core.types import Frame

logger = logging.getLogger(__name__)


def unchanged(frame: Frame) -> Frame:
    return frame


class VideoJobs:
    """``ffmpeg()`` finds the program when it is needed."""

    def __init__(
        self, renders: Renders, scratch: Scratch, ffmpeg: Callable[[], Ffmpeg], room: FilmRoom
    ) -> None:
        self._renders, self.scratch, self.ffmpeg, self.room = renders, scratch, ffmpeg, room
        self._threads: dict[str, threading.Thread] = {}

    def outcome(self, job: Job, request: FilmRequest, gone: Gone, keep_as: str) -> Outcome:
        """A stream where the request says so, kept with the job for clients that call it
        ``keep_as`` where that is not empty, else the whole film. Raises the job's error.
        """
        fps, voices = job.request.fps, job.voices
        if request.stream:
            kind = codecs(*self._renders.size(job), fps)
            return Outcome(job.id, fps, voices, stream=self.stream(job, gone), codecs=kind)
        if keep_as:
            self.keep(job, keep_as)
            return Outcome(job.id, fps, voices, description=job.describe())
        film = self.open(job, gone)
        return Outcome(job.id, fps, voices, film=film, aligned=job.aligned)

    def writer(self, job: Job, path: Path) -> Mp4Writer:
        """Takes frames of a running job, with the settings of its request."""
        width, height = self._renders.size(job)
        request, rate = job.request, job.sound.sample_rate
        return start_video_encoder(
            self.ffmpeg(), path, width, height, request.fps, rate, request.encoding
        )

    def write(
        self, job: Job, path: Path, gone: Gone, finish: Callable[[Frame], Frame] = unchanged
    ) -> None:
        """The whole film to ``path``; ``finish`` sees each frame. Ends the job as that ends.

        Raises its error, or DiskFull, and leaves nothing at ``path``.
        """
        try:
            self._work(job, lambda: self._encode(job, path, gone, finish))
        except Exception:
            path.unlink(missing_ok=True)
            raise

    def open(self, job: Job, gone: Gone) -> BinaryIO:
        """The whole film. Its name is gone from the disk already, so nothing is left behind."""
        path = self._place(job, kept=False)
        try:
            self.write(job, path, gone)
            return path.open("rb")
        finally:
            self.scratch.free(path)

    def keep(self, job: Job, name: str) -> None:
        """The film is made in its own thread and kept as the job's ``result``, for clients
        ``name``. Raises Busy, or TooCostly or DiskFull for one that has no room.
        """
        path = self._place(job, kept=True)
        job.result, job.result_name = path, name

        def work() -> None:
            self._encode(job, path, lambda: job.ticket.stale, unchanged)
            size = path.stat().st_size
            self.room.check_kept(size)
            job.result_bytes = size

        def drop() -> None:
            job.result, job.result_bytes = None, 0
            self.scratch.free(path)

        self.start(job, work, drop)

    def start(self, job: Job, work: Callable[[], None], drop: Callable[[], None]) -> None:
        """Runs ``work`` in a thread and ends the job as that ends; ``drop`` removes what a job
        that did not get done has left. Raises Busy when the machine has no thread left.
        """
        job.makes_film = True
        thread = threading.Thread(
            target=self._run, args=(job, work, drop), name=f"film-{job.id[:8]}", daemon=True
        )
        self._threads[job.id] = thread
        try:
            start_thread(thread)
        except Busy as busy:
            del self._threads[job.id]
            self._end(job, busy)
            drop()
            raise

    def stream(self, job: Job, gone: Gone) -> CancelOnClose[bytes]:
        """The film's bytes while it is made. Leaving the loop cancels the job at once."""
        job.makes_film = True
        try:
            width, height = self._renders.size(job)
            frames = self._renders.playout(job, unchanged, gone)
            request, rate = job.request, job.sound.sample_rate
            shape = Format(width, height, request.fps, rate)
            pieces = fragments(frames, shape, request.encoding, self.ffmpeg())
        except BaseException as error:
            self._end(job, error)
            raise
        return CancelOnClose(pieces, lambda error: self._end(job, error))

    def close(self) -> None:
        """Waits for the threads; their jobs have ended."""
        for thread in list(self._threads.values()):
            thread.join(5.0)

    def _end(self, job: Job, error: BaseException | None) -> bool:
        return self._renders.end(job, None if error is None else as_job_error(error))

    def check_room(self, job: Job, *, kept: bool) -> None:
        """Before the first picture. Ends the job and raises TooCostly or DiskFull where there is
        none."""
        try:
            self.room.check(job, self._renders.size(job), kept=kept)
        except SoyleError as error:
            self._end(job, error)
            raise
        job.on_disk = True

    def _place(self, job: Job, *, kept: bool) -> Path:
        self.check_room(job, kept=kept)
        try:
            return self.scratch.take(f"{job.id}.mp4")
        except OSError as error:
            failure = as_job_error(error)
            self._end(job, failure)
            raise failure from error

    def _encode(self, job: Job, path: Path, gone: Gone, finish: Callable[[Frame], Frame]) -> None:
        with contextlib.closing(self._renders.playout(job, finish, gone)) as frames:
            encode(frames, self.writer(job, path))

    def _work(self, job: Job, work: Callable[[], None]) -> None:
        job.makes_film = True
        try:
            work()
        except BaseException as error:
            failure = as_job_error(error)
            if not self._renders.end(job, failure):
                failure = afresh(job.error or failure)
            raise failure from error
        if not self._renders.end(job, None):
            raise afresh(job.error or Cancelled("The job was cancelled"))

    def _run(self, job: Job, work: Callable[[], None], drop: Callable[[], None]) -> None:
        job_id.set(job.id)
        try:
            self._work(job, work)
        except Exception as error:
            logger.debug("no film: %s", type(error).__name__)
            with contextlib.suppress(OSError):
                drop()
        finally:
            self._threads.pop(job.id, None)
