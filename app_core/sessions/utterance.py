"""One thing that a session says: a job inside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from app_core.audio import AudioBuffer
from app_core.channel import Channel
from app_core.errors import Cancelled
from app_core.job import Job
from app_core.pipeline.job_thread import JobThread
from app_core.pipeline.plan import Plan
from app_core.request import MjpegRequest
from app_core.sessions.frame_sound import FrameSound
from app_core.storage.marks import Marks
from app_core.types import Word

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app_core.sessions.scene import Scene
    from app_core.sessions.speech_source import SpeechSource
    from app_core.sessions.stage import Stage
    from app_core.types import Float32, Mouth, Sentence, VoiceFallback

_CHARACTERS_A_SECOND = 14.0
"""Of ordinary speech, while the length of a sound is not known yet."""


class Heard(NamedTuple):
    """How far an utterance came; both None when nothing was said."""

    position_s: float | None
    heard: str | None
    """The text that was heard, to the word: one counts once half of it was."""


class Utterance:
    """``played`` is written by the session's thread, the rest under the queue's lock."""

    def __init__(self, utterance_id: str, source: SpeechSource, fps: int) -> None:
        self.id, self.source, self._fps = utterance_id, source, fps
        self.job: Job | None = None
        self.scene: Scene | None = None
        """What its mouths are made for, once it has begun."""
        self.played = 0
        """Frames of it that have left."""
        self.offset = 0
        """The session's frame of its first one, as far as that is known."""
        self.over = False
        self._thread: JobThread | None = None
        self._sound: FrameSound | None = None
        self._told_words = self._told_fallbacks = 0

    @property
    def begun(self) -> bool:
        """Its speech is being made, or is made."""
        return self.job is not None

    @property
    def spoken(self) -> bool:
        """Its voice has finished: another one may begin."""
        return self.job is not None and self.job.sound.closed

    @property
    def position_s(self) -> float:
        return self.played / self._fps

    @property
    def ahead_s(self) -> float:
        """Seconds of sound that are there and not played."""
        if self.job is None:
            return 0.0
        return len(self.job.sound) / self.job.sound.sample_rate - self.position_s

    def begin(self, stage: Stage, scene: Callable[[], Scene], offset: int) -> None:
        """Its speech is made from now on. ``scene`` is what the session shows, ``offset`` the
        session's frame on which it will probably be heard first. Raises Busy."""
        self.offset = offset
        job = Job(
            request=MjpegRequest.model_construct(text=self.source.text or " ", fps=self._fps),
            sound=AudioBuffer(self.source.sample_rate, None),
            mouths=Channel(self._fps),
            live=True,
        )
        shown = self.scene = scene()
        shown.place(offset)
        plan = Plan(
            job.id,
            self._fps,
            shown.plate,
            shown.face,
            stage.model.features(self._fps),
            lambda index: shown.index(self.offset + index),
        )
        speeches = self.source.speeches(
            lambda: job.ticket.stale, lambda: self.ahead_s, job.fallbacks.append
        )
        self._sound = FrameSound(job.sound)
        self._thread = JobThread(job, speeches, plan, stage.engine, stage.metrics)
        stage.engine.open(job, low_latency=True)
        self.job = job
        try:
            self._thread.start()
        except BaseException as error:
            stage.engine.drop(job, None)
            raise error

    def end(self, stage: Stage) -> None:
        """Whatever works for it stops. Safe to call again."""
        if self.job is not None and not self.over:
            stage.spoke(self.position_s, self.job.voices)
        self.over = True
        self.source.end()
        if self.job is not None:
            error = Cancelled("The utterance has ended")
            self.job.scope.cancel()
            self.job.sound.close(error)
            stage.engine.drop(self.job, error)

    def join(self, timeout_s: float) -> None:
        if self._thread is not None:
            self._thread.join(timeout_s)

    def mouth(self, samples: int) -> Mouth | None:
        """The next one, if it and ``samples`` of its sound are there. Raises ChannelClosed after
        the last, or the error that ended it."""
        assert self.job is not None
        assert self._sound is not None
        mouths = self.job.mouths
        self.job.resumed.clear()  # for readers that go by the job's clock
        if not self._sound.ready(samples) and not (mouths.closed and not len(mouths)):
            return None
        try:
            return mouths.get(0.0)
        except TimeoutError:
            return None

    def sound(self, samples: int) -> Float32:
        """The next ones, after a ``mouth``."""
        assert self._sound is not None
        return self._sound.take(samples)

    def tail(self) -> Float32:
        """What would have been heard next, going away."""
        if self._sound is None or not self.played:
            return np.zeros(0, np.float32)
        return self._sound.tail()

    def new_words(self, index: int) -> Sequence[Word]:
        """Those that begin in frame ``index`` or before it, each given once."""
        found = []
        marks: Marks[Sentence | Word] = Marks() if self.job is None else self.job.marks
        while self._told_words < len(marks):
            mark = marks[self._told_words]
            if mark.start_s >= (index + 1) / self._fps:
                break
            self._told_words += 1
            if isinstance(mark, Word):
                found.append(mark)
        return found

    def new_fallbacks(self) -> Sequence[VoiceFallback]:
        """Each given once."""
        if self.job is None:
            return []
        found = self.job.fallbacks[self._told_fallbacks :]
        self._told_fallbacks += len(found)
        return found

    def heard(self) -> Heard:
        """What has left so far."""
        if not self.played:
            return Heard(None, None)
        position, text = self.position_s, self.source.text
        marks = [] if self.job is None else self.job.marks[:]
        words = [mark for mark in marks if isinstance(mark, Word)]
        if words or not text:
            return Heard(position, text[: said_until(text, words, position)].strip())
        return Heard(position, self._estimated(position))

    def _estimated(self, position_s: float) -> str:
        """Of a text whose words have no times: as much of it as of the sound that has come."""
        assert self.job is not None
        text = self.source.text
        whole_s = max(len(self.job.sound) / self.job.sound.sample_rate, position_s)
        waiting_s = self.source.waiting_s
        if waiting_s is not None:
            whole_s += waiting_s
        elif not self.spoken:
            whole_s = max(whole_s, len(text) / _CHARACTERS_A_SECOND)
        reach = len(text) * position_s / whole_s
        end, at = 0, 0
        for word in text.split():
            at = text.index(word, at) + len(word)
            if at - len(word) / 2 <= reach:
                end = at
        return text[:end].strip()


def said_until(text: str, words: Sequence[Word], position_s: float) -> int:
    """Where the last word ends of which half was said. One that does not know its own place is
    looked for behind the one before."""
    end = 0
    for word in words:
        if (word.start_s + word.end_s) / 2 > position_s:
            break
        at = text.find(word.text, end)
        found = word.end or (at + len(word.text) if at >= 0 else end)
        end = max(end, found)
    return end
