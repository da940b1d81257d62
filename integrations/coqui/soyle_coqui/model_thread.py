"""The one thread that touches a model's weights, and what waits for it."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from soyle_coqui.errors import Cancelled, Full, NotReady

if TYPE_CHECKING:
    from soyle_coqui.voice import Voice
    from soyle_coqui.wav import Float32

logger = logging.getLogger(__name__)

_LOOK_S = 0.1
_RETRY_S = 10.0  # what is missing may be brought while the server runs
_JOIN_S = 5.0


@dataclass(slots=True, eq=False)
class Speaking:
    """One request. ``sounds`` needs no bound of its own: the text has one."""

    pieces: list[str]
    language: str
    speaker: str
    speed: float
    sounds: queue.SimpleQueue[Float32 | Exception | None] = field(default_factory=queue.SimpleQueue)
    cancelled: threading.Event = field(default_factory=threading.Event)

    def parts(self, gone: Callable[[], bool], patience_s: float) -> Generator[Float32, None, None]:
        """For the client's thread. Leaving the loop cancels, as does ``gone``.

        Raises Cancelled, TimeoutError when nothing comes for ``patience_s``, or what the model
        raised.
        """
        try:
            deadline = time.monotonic() + patience_s
            while True:
                try:
                    part = self.sounds.get(timeout=_LOOK_S)
                except queue.Empty:
                    if gone():
                        raise Cancelled from None
                    if time.monotonic() > deadline:
                        raise TimeoutError from None
                    continue
                if part is None:
                    return
                if isinstance(part, Exception):
                    raise part
                yield part
                deadline = time.monotonic() + patience_s
        finally:
            self.cancelled.set()


class ModelThread:
    """Loads the voice, again and again until it comes, then speaks one request after the other.

    ``status`` is loading, ready or failed, ``reason`` why it is not ready.
    """

    def __init__(
        self, load: Callable[[], Voice], *, waiting: int = 4, retry_s: float = _RETRY_S
    ) -> None:
        """``waiting`` requests may wait beside the one that is spoken."""
        self.voice: Voice | None = None
        self.status, self.reason = "loading", "the model is loading"
        self._load, self._most, self._retry_s = load, waiting + 1, retry_s
        self._queue: queue.SimpleQueue[Speaking] = queue.SimpleQueue()
        self._unfinished = 0
        self._counting = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="model", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def ready(self) -> Voice:
        """Raises NotReady with the reason."""
        if self.voice is None:
            raise NotReady(self.reason)
        return self.voice

    def submit(self, speaking: Speaking) -> None:
        """Raises Full, or NotReady when the server stops."""
        with self._counting:
            if self._closing.is_set():
                raise NotReady("the server is stopping")
            if self._unfinished >= self._most:
                raise Full
            self._unfinished += 1
        self._queue.put(speaking)

    def _run(self) -> None:
        try:
            voice = self._loaded()
            while voice is not None and not self._closing.is_set():
                try:
                    speaking = self._queue.get(timeout=_LOOK_S)
                except queue.Empty:
                    continue
                self._say(voice, speaking)
                with self._counting:
                    self._unfinished -= 1
        finally:
            self.voice = None
            if not self._closing.is_set():
                self.status, self.reason = "failed", "the model's thread has ended"

    def _loaded(self) -> Voice | None:
        """None when the server stops first."""
        while True:
            try:
                voice = self._load()
            except NotReady as error:
                if self.reason != str(error):
                    logger.error("not ready: %s", error)
                self.status, self.reason = "failed", str(error)
            except Exception as error:
                logger.exception("the model cannot be loaded")
                self.status, self.reason = "failed", f"the model cannot be loaded: {error!r}"
            else:
                self.voice, self.status, self.reason = voice, "ready", ""
                logger.info("ready: %s speaks %s", voice.name, ", ".join(voice.languages))
                return voice
            if self._closing.wait(self._retry_s):
                return None

    def _say(self, voice: Voice, speaking: Speaking) -> None:
        """Whatever goes wrong ends this request alone."""
        try:
            for piece in speaking.pieces:
                if self._stale(speaking):
                    break
                parts = voice.speak(piece, speaking.language, speaking.speaker, speaking.speed)
                for part in parts:
                    speaking.sounds.put(part)
                    if self._stale(speaking):
                        break
            speaking.sounds.put(Cancelled() if self._stale(speaking) else None)
        except Exception as error:
            logger.error("the model failed: %s", type(error).__name__)
            speaking.sounds.put(error)

    def _stale(self, speaking: Speaking) -> bool:
        return speaking.cancelled.is_set() or self._closing.is_set()
