"""The thread that speaks one job: sound and tasks go out piece by piece, errors go with them."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from app_core import turns
from app_core.cancel_scope import never
from app_core.errors import BadInput, Cancelled, SoyleError, as_job_error, kind_or_words
from app_core.log import job_id
from app_core.speech.text.spoken_text import nothing_to_say
from app_core.threads import start_thread
from app_core.types import Sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app_core.engine.engine import Engine
    from app_core.job import Job
    from app_core.metrics import Metrics
    from app_core.pipeline.plan import Plan
    from app_core.types import Speech, Word

logger = logging.getLogger(__name__)

WAIT_S, MOST_WAIT_S = 0.02, 1.0
"""Between two looks whether live frames are in time again, and until a file's speech goes on all
the same."""


class JobThread:
    """Always closes the job's sound and channel, with the error if there was one."""

    def __init__(
        self,
        job: Job,
        speeches: Iterator[Speech],
        plan: Plan,
        engine: Engine,
        metrics: Metrics,
        tight: Callable[[], bool] = never,
    ) -> None:
        """``tight``: live frames are only just in time; what is no live job waits then."""
        self._job, self._plan, self._engine, self._tight = job, plan, engine, tight
        self._speeches, self._metrics = metrics.timed("speech", speeches), metrics
        self._thread = threading.Thread(target=self._run, name=f"job-{job.id[:8]}", daemon=True)

    def start(self) -> None:
        """Raises Busy when the machine has no thread left."""
        start_thread(self._thread)

    def join(self, timeout_s: float) -> None:
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        job_id.set(self._job.id)
        job = self._job
        turns.live.set(job.live)
        ticket = job.ticket  # what is told of a job does not keep it
        turns.begun.set(lambda: ticket.stale)
        try:
            self._speak()
        except Cancelled as error:
            job.sound.close(error)
            self._engine.drop(job, error)
        except SoyleError as error:
            self._fail(error)
        except OSError as error:
            failure = as_job_error(error)
            self._fail(
                failure if isinstance(failure, SoyleError) else SoyleError(kind_or_words(error))
            )
        except BaseException as error:
            logger.exception("the job's thread failed")
            self._fail(SoyleError(f"The render failed: {kind_or_words(error)}"))
        finally:
            getattr(self._speeches, "close", bool)()

    def _speak(self) -> None:
        job = self._job
        read = 0
        for speech in self._speeches:
            job.check()
            job.mark("first_speech")
            job.spoke(speech.voice)
            read += len(speech.text)
            began_s = len(job.sound) / job.sound.sample_rate
            try:
                job.sound.append(speech.pcm)
            except ValueError as error:
                raise BadInput(f"The speech is too long: {error}", field="text") from error
            job.marks += marks(speech, began_s)
            with self._metrics.time("features"), job.working("sound"):
                tasks = self._plan.add(speech)
            if read:
                whole = max(1.0, len(job.request.text.strip()) / read)
                job.frames_expected = round(self._plan.frames * whole)
            self._engine.submit(job, tasks)
            self._give_way()
        job.check()
        if not self._plan.frames:
            raise nothing_to_say()
        tasks = self._plan.finish()
        job.frames_total = self._plan.frames
        job.sound.close()
        job.mark("spoken")
        self._engine.submit(job, tasks)
        self._engine.finish(job)

    def _give_way(self) -> None:
        """A file takes what live ones leave, but never stands still."""
        until_s = time.monotonic() + MOST_WAIT_S
        while not self._job.live and self._tight() and time.monotonic() < until_s:
            self._job.check()
            time.sleep(WAIT_S)

    def _fail(self, error: SoyleError) -> None:
        """A live reader still gets what was spoken; a file that cannot be whole stops at once."""
        if self._job.live and not self._job.ended:
            self._flush()
        self._job.sound.close(error)
        if self._job.live:
            self._engine.finish(self._job, error)
        else:
            self._engine.drop(self._job, error)

    def _flush(self) -> None:
        """What the model holds back until it knows what follows is due too."""
        try:
            if self._plan.frames:
                self._engine.submit(self._job, self._plan.finish())
        except SoyleError as error:
            logger.info("the last mouths are missing: %s", error)
        except Exception:
            logger.exception("the last mouths are missing")


def marks(speech: Speech, began_s: float) -> list[Sentence | Word]:
    """The sentence and its words in a sound in which it begins at ``began_s``."""
    ended_s = began_s + len(speech.pcm) / speech.sample_rate
    words = (word.moved(began_s) for word in speech.words)
    return [Sentence(speech.index, speech.text, began_s, ended_s), *words] if speech.text else []
