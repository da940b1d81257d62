"""Sessions as routes and Python callers ask for them: with an avatar's id and a voice's."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from app_core.errors import Busy, Conflict
from app_core.ids import new_id
from app_core.pipeline.label import Labels
from app_core.request import RenderRequest
from app_core.services.devices.placement import admitted
from app_core.services.live.peers import Peers
from app_core.sessions.clock import SystemClock
from app_core.sessions.manner import Manner, SessionFormat
from app_core.sessions.registry import RETRY_S, SAFE_S, SessionRegistry
from app_core.sessions.scene import Scene
from app_core.sessions.session import Session
from app_core.sessions.speech_source import TextSource
from app_core.sessions.stage import Spoken, Stage
from app_core.sessions.text_feed import TextFeed
from app_core.shares import Holding, Share, Shares
from app_core.turns import waited_for
from app_core.types import Prosody

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app_core.avatars.library import Avatar
    from app_core.config import Config
    from app_core.lipsync.model import Plate
    from app_core.request import SayRequest, SessionRequest
    from app_core.services.backend import Backend
    from app_core.services.devices.loaded_model import LoadedModel
    from app_core.services.voices.speakers import Speakers
    from app_core.sessions.clock import Clock

logger = logging.getLogger(__name__)

NEW_S = 1.0
"""A session that is younger gives way to nobody."""
MARGIN = 1.07
"""A session's frame is made at its time and not ahead of it, as a stream's is: where cores are as
full as streams fill them, sessions are late."""


class Said(NamedTuple):
    """What became of a ``say``."""

    utterance_id: str
    queued: int
    """Utterances before it."""


class LiveSessions:
    """Thread-safe."""

    def __init__(
        self,
        config: Config,
        backend: Backend,
        speakers: Speakers,
        shares: Shares | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._shares = shares or Shares()
        self._config, self._backend, self._speakers = config, backend, speakers
        self._clock = clock or SystemClock()
        self.registry = SessionRegistry(
            config.max_sessions, config.session_grace_s, config.session_idle_s
        )
        self.peers = Peers(config, self._shares)
        """Who looks over WebRTC."""
        self._labels = Labels(wanted=config.label_synthetic)
        self._models: dict[str, LoadedModel] = {}
        self._spoken: dict[str, Spoken] = {}
        self._held: dict[str, Share] = {}
        """By the ids of their sessions, as are the models."""
        self.begun: Callable[[Session, Spoken, str], None] = lambda *_: None
        self.ended: Callable[[Session, Spoken, str], None] = lambda *_: None
        """Told of each session that began, and that has ended, with the name of its model."""

    def open(self, request: SessionRequest, owner: str = "") -> Session:
        """``owner``: the client; empty: this program. Raises BadInput, NotFound, NotReady, Busy or
        TooMany."""
        with self._shares.take(Holding.SESSIONS, owner).kept() as share:
            return self._open(request, share)

    def _open(self, request: SessionRequest, share: Share) -> Session:
        self.registry.check_room()
        devices = self._backend.ready(request.model)
        manner = Manner(request.language, request.voice, request.speed, request.pitch)
        self._speakers.of(self._asked(manner))  # a voice that there is not is said now
        avatar, plate = self._plate(request.avatar, request.pixels(None))
        session_id = new_id(self._config.place)
        loaded = self._admit(session_id, plate, request.fps, devices, share)
        try:
            scene = self._scene(avatar, plate, loaded, request.fps, request.language)
            spoken = Spoken(share.owner, [scene.avatar])
            stage = Stage(loaded.model, loaded.engine, self._backend.metrics, spoken.add)
            session = Session(
                scene,
                stage,
                loaded.capacity,
                self._format(request.fps),
                manner,
                self._clock,
                request.mode,
                self._forget,
                session_id,
            )
        except BaseException:
            loaded.capacity.release(session_id)
            raise
        session.owner = share.owner
        self._models[session.id], self._held[session.id] = loaded, share
        self._spoken[session.id] = spoken
        try:
            self.registry.add(session)
            session.start()
        except BaseException:
            scene.close()
            self._forget(session)
            raise
        self.begun(session, spoken, loaded.name)
        logger.info("session opened: %dx%d", session.width, session.height)
        return session

    def _admit(
        self,
        session_id: str,
        plate: Plate,
        fps: int,
        devices: Sequence[LoadedModel],
        share: Share,
    ) -> LoadedModel:
        """The one of ``devices`` that draws it from now on. Raises Busy or TooMany."""
        asked = (session_id, (plate.width, plate.height), fps, MARGIN, share.owner)
        while True:
            loaded = admitted(devices, *asked, halved=share.halved)
            if loaded is not None:
                return loaded
            if not self.registry.give_way(SAFE_S):
                raise Busy("The server is full; try again soon", retry_after_s=RETRY_S)

    def _format(self, fps: int) -> SessionFormat:
        config = self._config
        return SessionFormat(
            fps,
            config.jpeg_quality,
            config.session_queue,
            config.max_text_chars,
            config.webrtc_min_kbps * 1000,
            config.webrtc_max_kbps * 1000,
        )

    def get(self, session_id: str) -> Session:
        """Raises NotFound."""
        return self.registry.get(session_id)

    def all(self) -> list[Session]:
        return self.registry.all()

    def spoken(self) -> list[Spoken]:
        """Of those that run: what they have shown and said."""
        return list(self._spoken.values())

    def say(self, session: Session, request: SayRequest) -> Said:
        """Raises BadInput, NotFound, QueueFull, Interrupted, Conflict, NotReady or Busy."""
        manner = session.manner
        manner = Manner(
            request.language or manner.language,
            request.voice or manner.voice,
            manner.speed if request.speed is None else request.speed,
            manner.pitch if request.pitch is None else request.pitch,
        )

        def source() -> TextSource:
            with waited_for(True):
                speaker = self._speakers.of(self._asked(manner, request))
                if not request.more:
                    speaker.read(request.text)  # raises when there is nothing to say
            return TextSource(TextFeed(), speaker, Prosody(manner.speed, manner.pitch))

        return Said(
            *session.say(
                source,
                request.text,
                request.utterance_id,
                more=request.more,
                replace=request.replace,
            )
        )

    def switch_avatar(self, session: Session, avatar_id: str) -> None:
        """For what follows. Raises NotFound or BadInput."""
        loaded = self._models.get(session.id)
        if loaded is None:
            raise Conflict("The session has ended")
        avatar, plate = self._plate(avatar_id, (session.width, session.height))
        session.show(self._scene(avatar, plate, loaded, session.fps, session.manner.language))
        if (spoken := self._spoken.get(session.id)) is not None:
            spoken.showed(avatar_id)

    def switch_voice(self, session: Session, voice: str | None, language: str) -> None:
        """For what follows; None: the first voice that speaks the language. Raises NotFound or
        BadInput."""
        manner = session.manner._replace(language=language, voice=voice)
        self._speakers.of(self._asked(manner))
        session.touch()
        session.manner = manner

    def close(self, session: Session) -> None:
        session.close()

    def give_way(self) -> bool:
        """To a stream that found no room. Whether a session that was only made has ended."""
        return self.registry.give_way(NEW_S)

    def _forget(self, session: Session) -> None:
        self.registry.forget(session)
        self.peers.end_of(session)
        self._held.pop(session.id, Share()).release()
        loaded, spoken = self._models.pop(session.id, None), self._spoken.pop(session.id, None)
        if loaded is not None:
            loaded.capacity.release(session.id)
            if session.closed and spoken is not None:
                self.ended(session, spoken, loaded.name)

    def _plate(self, avatar_id: str | None, size: tuple[int, int] | None) -> tuple[Avatar, Plate]:
        avatar = self._backend.library.get(avatar_id or self._config.avatar)
        return avatar, self._backend.plate(avatar, size, static=False)

    def _scene(
        self, avatar: Avatar, plate: Plate, loaded: LoadedModel, fps: int, language: str
    ) -> Scene:
        """On its device, where the plate's face is from now on."""
        face = self._backend.face(loaded.model, plate)
        label = self._labels.of(plate, language)
        return Scene(avatar.id, plate, face, loaded.model, fps, label)

    @staticmethod
    def _asked(manner: Manner, request: SayRequest | None = None) -> RenderRequest:
        """A render's fields as a speaker reads them."""
        return RenderRequest.model_construct(
            text="",
            language=manner.language,
            voice=manner.voice,
            speed=manner.speed,
            pitch=manner.pitch,
            dictionary=request.dictionary if request is not None else {},
        )
