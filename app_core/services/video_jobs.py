"""Jobs whose outcome is a film: written for a client that waits, kept for later, or streamed.

The job goes on after its last frame, until the film is whole.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING, BinaryIO

from app_core.errors import Busy, Cancelled, afresh, as_job_error
from app_core.log import job_id
from app_core.services.cancel_on_close import CancelOnClose
from app_core.threads import start_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from app_core.job import Job
    from app_core.scratch import Scratch

    Gone = Callable[[], bool]
    Write = Callable[[Path, Gone], None]
    """Writes the whole film to the path, or raises and leaves nothing there."""
    Pieces = Callable[[Gone], Iterator[bytes]]
    """A generator of the film's bytes; closing it ends its processes."""

logger = logging.getLogger(__name__)


class Films:
    """``end`` ends a job with None or its error, and says whether this was its end."""

    def __init__(self, scratch: Scratch, end: Callable[[Job, Exception | None], bool]) -> None:
        self._scratch, self._end = scratch, end
        self._threads: dict[str, threading.Thread] = {}

    def write(self, job: Job, write: Write, path: Path, gone: Gone) -> None:
        """Runs ``write`` and ends the job as that ends. Raises its error, or DiskFull."""
        try:
            self._work(job, lambda: write(path, gone))
        except Exception:
            path.unlink(missing_ok=True)
            raise

    def open(self, job: Job, write: Write, gone: Gone) -> BinaryIO:
        """The whole film. Its name is gone from the disk already, so nothing is left behind."""
        path = self._place(job)
        try:
            self.write(job, write, path, gone)
            return path.open("rb")
        finally:
            self._scratch.free(path)

    def keep(self, job: Job, write: Write, name: str) -> None:
        """The film is made in its own thread and kept as the job's ``result``, for clients
        ``name``. Raises Busy.
        """
        path = self._place(job)
        job.result, job.result_name = path, name

        def work() -> None:
            write(path, lambda: job.ticket.stale)
            job.result_bytes = path.stat().st_size

        def drop() -> None:
            job.result, job.result_bytes = None, 0
            self._scratch.free(path)

        self.start(job, work, drop)

    def start(self, job: Job, work: Callable[[], None], drop: Callable[[], None]) -> None:
        """Runs ``work`` in a thread and ends the job as that ends; ``drop`` removes what a job
        that did not get done has left. Raises Busy when the machine has no thread left.
        """
        job.film = True
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

    def stream(self, job: Job, pieces: Pieces, gone: Gone) -> CancelOnClose[bytes]:
        """The film's bytes while it is made. Leaving the loop cancels the job at once."""
        job.film = True
        try:
            made = pieces(gone)
        except BaseException as error:
            self._end(job, as_job_error(error))
            raise
        return CancelOnClose(made, lambda error: self._end(job, error and as_job_error(error)))

    def close(self) -> None:
        """Waits for the threads; their jobs have ended."""
        for thread in list(self._threads.values()):
            thread.join(5.0)

    def _place(self, job: Job) -> Path:
        try:
            return self._scratch.take(f"{job.id}.mp4")
        except OSError as error:
            self._end(job, as_job_error(error))
            raise as_job_error(error) from error

    def _work(self, job: Job, work: Callable[[], None]) -> None:
        job.film = True
        try:
            work()
        except BaseException as error:
            failure = as_job_error(error)
            self._end(job, failure)
            raise failure from error
        if not self._end(job, None):
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
