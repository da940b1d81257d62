"""A session on a stage of stand-ins, with a clock that stands until a test moves it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from app_core.channel import ChannelClosed
from app_core.engine.capacity import Capacity
from app_core.engine.engine import Engine
from app_core.errors import SoyleError
from app_core.metrics import Metrics
from app_core.outputs.live.packet import Kind, Packet
from app_core.outputs.live.viewer_line import ViewerLine
from app_core.sessions.manner import Manner, SessionFormat
from app_core.sessions.scene import Scene
from app_core.sessions.session import Session
from app_core.sessions.speech_source import TextSource
from app_core.sessions.stage import Stage
from app_core.sessions.text_feed import TextFeed
from app_core.speech.speaker import Speaker
from app_core.types import PLAIN, Event
from tests.fakes import EchoModel, GreyPlate, ToneVoice

FPS = 25
PATIENCE_S = 20.0


class ManualClock:
    """Stands still. ``step`` gives one thread that waits for the time one turn."""

    def __init__(self) -> None:
        self._now = 100.0
        self._changed = threading.Condition()
        self._wanted: float | None = None

    def now(self) -> float:
        return self._now

    def pass_by(self, seconds: float) -> None:
        """Without anybody waking up for it, as while a machine sleeps."""
        self._now += seconds

    def wait_until(self, time_s: float, closing: threading.Event) -> None:
        with self._changed:
            self._wanted = time_s
            self._changed.notify_all()
            while self._now < time_s and not closing.is_set():
                self._changed.wait(0.01)
            self._wanted = None

    def let_go(self) -> None:
        """The thread that waits goes on, and nobody waits for it."""
        with self._changed:
            self._now += 1 / FPS
            self._changed.notify_all()

    def step(self) -> None:
        """One frame, from one wait to the next."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._wanted is not None, PATIENCE_S)
            wanted = self._wanted
            assert wanted is not None
            self._now = max(self._now, wanted)
            self._changed.notify_all()
            assert self._changed.wait_for(
                lambda: self._wanted is not None and self._wanted > wanted, PATIENCE_S
            )


class Viewer:
    """Takes all that its line gives, when it is asked."""

    def __init__(self, line: ViewerLine) -> None:
        self.line = line
        self.packets: list[Packet] = []
        self.events: list[Event] = []

    def look(self) -> Viewer:
        try:
            while True:
                item = self.line.get(0)
                if isinstance(item, Event):
                    self.events.append(item)
                else:
                    self.packets.append(item)
        except (TimeoutError, ChannelClosed, SoyleError):
            return self

    def told(self, *kinds: str) -> list[tuple[str, str | None]]:
        """Kind and utterance of the events, all or those of some kinds."""
        self.look()
        return [(e.type, e.utterance_id) for e in self.events if not kinds or e.type in kinds]

    def endings(self) -> list[tuple[str, str | None]]:
        return self.told("speech_finished", "interrupted")

    def event(self, kind: str, utterance_id: str | None = None) -> Event:
        self.look()
        found = [e for e in self.events if e.type == kind]
        return next(e for e in found if utterance_id is None or e.utterance_id == utterance_id)

    def sound(self) -> np.ndarray[Any, np.dtype[np.int16]]:
        """All PCM so far, one frame a row."""
        self.look()
        rows = [np.frombuffer(p.payload, "<i2") for p in self.packets if p.kind is Kind.PCM]
        return np.stack(rows) if rows else np.zeros((0, 48000 // FPS), np.int16)

    def loud(self) -> list[bool]:
        """Of each frame of sound, whether anything is heard in it."""
        return [bool(np.abs(row).max() > 50) for row in self.sound()]


class Played:
    """One session, its clock and the first viewer."""

    def __init__(self, session: Session, clock: ManualClock, voice: ToneVoice) -> None:
        self.session, self.clock, self.voice = session, clock, voice
        self.viewer = self.view()

    def view(self, video: Any = "none", audio: Any = "pcm") -> Viewer:
        line = ViewerLine(video, audio, FPS)
        self.session.attach(line)
        return Viewer(line)

    def source(self) -> TextSource:
        return TextSource(TextFeed(), Speaker.alone(self.voice, "en"), PLAIN)

    def say(self, text: str, utterance_id: str | None = None, **how: bool) -> tuple[str, int]:
        return self.session.say(self.source, text, utterance_id, **how)

    def run(self, frames: int) -> None:
        for _ in range(frames):
            self.clock.step()
            self.viewer.look()

    def until(self, done: Callable[[], bool], most: int = 2000) -> None:
        """Frame after frame; voices and models work in threads of their own meanwhile."""
        end_s = time.monotonic() + PATIENCE_S
        for _ in range(most):
            if done():
                return
            assert time.monotonic() < end_s
            self.run(1)
            time.sleep(0.001)
        raise AssertionError("it did not come")

    def until_told(self, kind: str, utterance_id: str | None = None) -> None:
        def told() -> bool:
            return any(
                e.type == kind and utterance_id in (None, e.utterance_id)
                for e in self.viewer.look().events
            )

        self.until(told)


@pytest.fixture
def stage() -> Iterator[Stage]:
    metrics = Metrics()
    model = EchoModel()
    engine = Engine(model, metrics)
    engine.start()
    yield Stage(model, engine, metrics)
    engine.close()


@pytest.fixture
def play(stage: Stage) -> Iterator[Callable[..., Played]]:
    """Starts a session with one viewer of its sound."""
    sessions: list[Session] = []

    def start(
        voice: ToneVoice | None = None, most: int = 32, characters: int = 5000, **more: Any
    ) -> Played:
        clock = ManualClock()
        plate = GreyPlate()
        session = Session(
            Scene("grey", plate, "face", stage.model, FPS),
            stage,
            Capacity(1.0, cores=64),
            SessionFormat(FPS, 85, most, characters),
            Manner("en", None, 1.0, 0.0),
            clock,
            **more,
        )
        sessions.append(session)
        session.start()
        return Played(session, clock, voice or ToneVoice())

    yield start
    for session in sessions:
        session.close()
