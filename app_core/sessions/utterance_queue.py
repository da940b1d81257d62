"""What a session says, one after the other, and the end of each, told once."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from app_core.channel import ChannelClosed
from app_core.errors import BadInput, Conflict, Interrupted, NotFound, QueueFull, SoyleError
from app_core.sessions.frame_sound import faded, samples_of
from app_core.sessions.utterance import Heard, Utterance
from app_core.types import Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.sessions.scene import Scene
    from app_core.sessions.stage import Stage
    from app_core.types import Float32, Mouth

logger = logging.getLogger(__name__)

KNOWN_IDS = 4096
"""Ids of utterances that are over, remembered so that none comes twice."""
_LEAD = 1
"""Frames from now until the first one of an utterance that begins at once."""


class SaidFrame(NamedTuple):
    """One frame's part of an utterance."""

    utterance: Utterance
    mouth: Mouth
    pcm: Float32


class Leaving(NamedTuple):
    """What of a frame goes out, and is told with it."""

    generation: int
    said: bool
    """Somebody speaks in it, and was not interrupted while it was made."""
    tail: Float32
    """The end of a sound that was cut, to be heard at its beginning."""
    events: list[Event]


class UtteranceQueue:
    """Thread-safe. ``take`` and ``leave`` are the session's thread's."""

    def __init__(
        self, stage: Stage, scene: Callable[[], Scene], fps: int, most: int, most_characters: int
    ) -> None:
        self._stage, self._scene, self._fps = stage, scene, fps
        self._most, self._most_characters = most, most_characters
        self._lock = threading.RLock()
        self._line: deque[Utterance] = deque()
        """The first one is being said; those after it wait."""
        self._over: OrderedDict[str, str] = OrderedDict()
        """How those ended that are over, by their ids."""
        self._untold: deque[tuple[str, str, dict[str, Any]]] = deque()
        """Kind, utterance and more of events that are told with the next frame."""
        self._tail: Float32 = np.zeros(0, np.float32)
        self._frame = 0
        self._closed = False
        self.generation = 0
        """Interrupts so far."""
        self.stalls = 0
        """Times that an utterance which had begun had to wait for its voice."""
        self._stalled = False

    # From any thread

    def __len__(self) -> int:
        return len(self._line)

    @property
    def first(self) -> Utterance | None:
        """The one that is said, or will be next."""
        with self._lock:
            return self._line[0] if self._line else None

    @property
    def speaking(self) -> bool:
        first = self.first
        return first is not None and first.played > 0

    def find(self, utterance_id: str) -> Utterance | None:
        """One that is not over. Raises Interrupted or Conflict for one that is."""
        with self._lock:
            for utterance in self._line:
                if utterance.id == utterance_id:
                    return utterance
            ending = self._over.get(utterance_id)
            if ending == "interrupted":
                raise Interrupted(f"The utterance {utterance_id!r} was interrupted")
            if ending is not None:
                raise Conflict(f"The utterance {utterance_id!r} is over", field="utterance_id")
            return None

    def before(self, utterance: Utterance) -> int:
        """How many are before it; 0 of one that is over."""
        with self._lock:
            return self._line.index(utterance) if utterance in self._line else 0

    def check_room(self, characters: int, *, more_to: Utterance | None = None) -> None:
        """Raises QueueFull when so many characters more are too much, or one utterance more where
        they are of none that is there."""
        with self._lock:
            begun = bool(self._line) and self._line[0].begun
            if more_to is None and len(self._line) - begun >= self._most:
                raise QueueFull(f"{self._most} utterances wait already")
            waiting = sum(utterance.source.pending for utterance in self._line)
            if waiting + characters > self._most_characters:
                raise QueueFull(f"{waiting} characters wait already", field="text")

    def add(self, utterance: Utterance, *, replace: bool = False) -> int:
        """How many are before it. ``replace`` interrupts those in the same step. Raises QueueFull,
        Conflict, or Busy when the machine has no thread left."""
        with self._lock:
            if self._closed:
                raise Conflict("The session has ended")
            if self.find(utterance.id) is not None:
                raise Conflict(
                    f"The utterance {utterance.id!r} is here already", field="utterance_id"
                )
            if replace and self._line:
                utterance.begin(self._stage, self._scene, self._frame + _LEAD)
                self.interrupt()
                self._line.append(utterance)
                return 0
            self.check_room(utterance.source.pending)
            self._line.append(utterance)
            try:
                self._begin_next(utterance)
            except SoyleError:
                self._line.remove(utterance)
                raise
            return len(self._line) - 1

    def interrupt(self, utterance_id: str | None = None) -> Heard:
        """Ends what is heard and all that waits, or one by its id. What was heard of the first of
        them; nothing where it is over already. Raises NotFound for an id that never was."""
        with self._lock:
            ended = list(self._line)
            if utterance_id is not None:
                ended = [utterance for utterance in ended if utterance.id == utterance_id]
                if not ended and utterance_id not in self._over:
                    raise NotFound(f"There is no utterance {utterance_id!r}", field="utterance_id")
            heard = ended[0].heard() if ended else Heard(None, None)
            if utterance_id is None or heard.position_s is not None:
                self.generation += 1
            for utterance in ended:
                if utterance.played and not self._stalled:
                    self._tail = utterance.tail()
                self._end(utterance, "interrupted", utterance.heard())
            if utterance_id is not None:
                self._begin_next()
            return heard

    def clear_for(self, utterance: Utterance) -> None:
        """Interrupts all others: it goes on alone."""
        with self._lock:
            for other in [each for each in self._line if each is not utterance]:
                if other.played:
                    self.interrupt(other.id)
                else:
                    self._end(other, "interrupted", other.heard())
            self._begin_next()

    def close(self) -> None:
        """Interrupts all; nothing can be added any more."""
        with self._lock:
            self._closed = True
            line = list(self._line)
            self.interrupt()
        for utterance in line:
            utterance.join(5.0)

    # For the session's thread

    def take(self, frame: int) -> SaidFrame | None:
        """What is said in the session's ``frame``; None while nobody speaks, or a voice is late."""
        samples = samples_of(frame, self._fps)
        with self._lock:
            self._frame = frame
            self._begin_next()
            while self._line and self._line[0].begun:
                utterance = self._line[0]
                try:
                    mouth = utterance.mouth(samples)
                except ChannelClosed:
                    heard = Heard(utterance.position_s, utterance.source.text.strip())
                    self._end(utterance, "speech_finished", heard)
                    self._begin_next()
                    continue
                except Exception as error:
                    self._fail(utterance, error)
                    self._begin_next()
                    continue
                if mouth is None:
                    if utterance.played and not self._stalled:
                        self._stalled = True
                        self.stalls += 1
                    return None
                self._stalled = False
                utterance.offset = frame - mouth.index
                return SaidFrame(utterance, mouth, utterance.sound(samples))
            return None

    def leave(self, said: SaidFrame | None) -> Leaving:
        """The frame goes out now: what is ``said`` in it counts as heard, unless it was
        interrupted since it was taken."""
        with self._lock:
            tail, self._tail = self._tail, np.zeros(0, np.float32)
            heard = said is not None and not said.utterance.over
            if said is not None and heard:
                self._tell_of(said)
                said.utterance.played = said.mouth.index + 1
            elif said is not None and len(tail):
                tail = faded(said.pcm)  # it would have come before what was read on
            return Leaving(self.generation, heard, tail, self.events(self._frame))

    def events(self, frame: int) -> list[Event]:
        """Those that are told with ``frame``, each given once."""
        with self._lock:
            found = [Event(kind, who, frame / self._fps, more) for kind, who, more in self._untold]
            self._untold.clear()
            return found

    # Under the lock

    def _tell_of(self, said: SaidFrame) -> None:
        """What begins with a frame of it."""
        utterance = said.utterance
        if not utterance.played:
            self._note("speech_started", utterance, {"text": utterance.source.taken.strip()})
        for fallback in utterance.new_fallbacks():
            taken = {"voice": fallback.voice, "instead": fallback.instead}
            self._note("voice_fallback", utterance, {**taken, "reason": fallback.reason})
        for word in utterance.new_words(said.mouth.index):
            times = {"start_s": round(word.start_s, 3), "end_s": round(word.end_s, 3)}
            place = {"start": word.start, "end": word.end}
            self._note("word", utterance, {"text": word.text, **times, **place})

    def _begin_next(self, added: Utterance | None = None) -> None:
        """The first one's speech is made at once, the next one's as soon as that voice is free.
        Raises Busy when it is the one just ``added`` that cannot begin."""
        before: Utterance | None = None
        for utterance in list(self._line):
            if not utterance.begun:
                offset = self._frame + _LEAD
                if before is not None:
                    offset = before.offset + (before.job.frames_total or 0 if before.job else 0)
                try:
                    utterance.begin(self._stage, self._scene, offset)
                except Exception as error:
                    if utterance is added and isinstance(error, SoyleError):
                        raise
                    if not isinstance(error, SoyleError):
                        logger.exception("an utterance cannot begin")
                    self._fail(utterance, error)
                return
            if not utterance.spoken or before is not None:
                return
            before = utterance

    def _fail(self, utterance: Utterance, error: Exception) -> None:
        known = error if isinstance(error, SoyleError) else SoyleError("The utterance failed")
        outside = utterance.source.waiting_s is not None
        if isinstance(known, BadInput) and outside and not utterance.played:
            self._end(utterance, "speech_finished", Heard(0.0, ""))  # a sound without a sample
            return
        self._note(
            "error", utterance, {"error": str(known), "code": known.code, "field": known.field}
        )
        heard = utterance.heard()
        self._end(utterance, "interrupted", Heard(heard.position_s or 0.0, heard.heard or ""))

    def _end(self, utterance: Utterance, how: str, heard: Heard) -> None:
        """Once for each utterance."""
        if utterance.over:
            return
        utterance.end(self._stage)
        self._line.remove(utterance)
        self._over[utterance.id] = how
        while len(self._over) > KNOWN_IDS:
            self._over.popitem(last=False)
        self._note(
            how,
            utterance,
            {"position_s": round(heard.position_s or 0.0, 3), "heard": heard.heard or ""},
        )

    def _note(self, kind: str, utterance: Utterance, detail: dict[str, Any]) -> None:
        self._untold.append((kind, utterance.id, detail))
