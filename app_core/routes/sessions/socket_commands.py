"""What comes in over a session's socket: commands as JSON text, and sound as bare PCM. Over a
peer's control channel the same commands come, but no sound, which has a track of its own."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from app_core.errors import BadInput, Conflict, SoyleError
from app_core.request import InterruptRequest, PingRequest
from app_core.routes.http.failure import payload
from app_core.routes.http.json_value import json_value
from app_core.routes.http.session_tokens import looks_only
from app_core.routes.http.shares import WEIGHED_BYTES
from app_core.types import Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.outputs.live.viewer import LiveViewer
    from app_core.routes.sessions.commands import Commands
    from app_core.sessions.pcm_feed import PcmFeed

logger = logging.getLogger(__name__)

ROOM_S = 0.02
"""Between two looks whether sound that came faster than it is said has room."""


class SocketCommands:
    """Of one socket; ``take`` is called by the one thread that reads it. What is refused is told
    as an error event, and the socket stays."""

    def __init__(
        self,
        commands: Commands,
        line: LiveViewer,
        *,
        allowed: bool,
        count: Callable[[int], None],
        puppet: tuple[Callable[[], None], Callable[[], None]] | None = None,
    ) -> None:
        """``count(weight)`` is told of each command, and raises TooMany; ``puppet`` makes a peer's
        microphone, which has a track of its own, drive the face, and no more."""
        self._commands, self._session = commands, commands.session
        self._line, self._allowed, self._count = line, allowed, count
        self._pieces_of: object = None
        """The utterance whose text comes in pieces."""
        self._known: dict[str, Callable[[dict[str, Any]], object]] = {
            "say": commands.say,
            "interrupt": commands.interrupt,
            "avatar": commands.avatar,
            "voice": commands.voice,
        }
        self._has_track = puppet is not None
        if puppet is not None:
            begin, end = puppet
            self._known["puppet"] = lambda fields: _bare(fields, begin)
            self._known["audio_end"] = lambda fields: _bare(fields, end)
        else:
            self._known |= {
                "microphone": self._open_microphone,
                "puppet": self._open_microphone,
                "audio": self._open_audio,
                "audio_end": self._end_audio,
            }
        self._feed: PcmFeed | None = None
        self._complained = False
        self.round_trip_ms: float | None = None
        """As the client told it last."""

    def take(self, message: str | bytes) -> None:
        """Waits while the sound that was sent has no room."""
        fields: Any = None
        try:
            if isinstance(message, bytes):
                self._hear(message)
                return
            fields = json_value(message.encode())
            self._obey(fields, len(message))
        except SoyleError as error:
            self._refuse(error, _named(fields))
        except Exception:
            logger.exception("a command failed")
            self._refuse(SoyleError("The server failed on this command"), _named(fields))

    def close(self) -> None:
        """No more sound comes: what came is still said."""
        feed, self._feed = self._feed, None
        if feed is not None:
            feed.end()

    def _obey(self, fields: Any, size: int) -> None:
        if not isinstance(fields, dict):
            raise BadInput("A command must be a JSON object with a 'type'")
        rest = {name: value for name, value in fields.items() if name != "type"}
        kind = fields.get("type")
        if kind == "ping":
            self._answer_ping(rest)
            return
        command = self._known.get(kind) if isinstance(kind, str) else None
        if command is None:
            raise BadInput(f"'type' must be ping, {', '.join(self._known)}", field="type")
        if not self._allowed:
            raise looks_only()
        self._weigh(kind, rest, size)
        command(rest)
        if kind == "say":
            self._pieces_of = rest.get("utterance_id") if rest.get("more") else None

    def _weigh(self, kind: object, rest: dict[str, Any], size: int) -> None:
        """As the same request would be, but for the pieces of one text, which may be words.
        Raises TooMany."""
        piece = kind == "say" and rest.get("utterance_id") == self._pieces_of is not None
        weight = size // WEIGHED_BYTES + (not piece)
        if weight:
            self._count(weight)

    def _answer_ping(self, fields: dict[str, Any]) -> None:
        asked = PingRequest.parse(fields)
        if asked.round_trip_ms is not None:
            self.round_trip_ms = asked.round_trip_ms
        self._tell("pong", None, {"t": asked.t})

    def _open_microphone(self, fields: dict[str, Any]) -> None:
        self._replace_feed(self._commands.microphone(fields))

    def _open_audio(self, fields: dict[str, Any]) -> None:
        self._replace_feed(self._commands.audio(fields))

    def _replace_feed(self, feed: PcmFeed) -> None:
        self.close()
        self._feed, self._complained = feed, False

    def _end_audio(self, fields: dict[str, Any]) -> None:
        asked = InterruptRequest.parse(fields)
        feed = self._feed
        if asked.utterance_id is not None and (
            feed is None or feed.utterance_id != asked.utterance_id
        ):
            raise Conflict("Its sound is not open", field="utterance_id")
        self.close()

    def _hear(self, pcm: bytes) -> None:
        if self._has_track:
            raise BadInput("Commands are JSON text; the sound of a peer has a track of its own")
        feed = self._feed
        if feed is None or feed.ended:
            if self._complained:  # what is still under way
                return
            self._complained = True
            if not self._allowed:
                raise looks_only()
            if feed is None:
                raise Conflict("Sound came, but neither microphone nor audio is open")
            self._refuse(Conflict("Sound came for what has ended"), feed.utterance_id)
            return
        self._session.touch()
        while not (feed.room() or self._line.closed or self._session.closed):
            time.sleep(ROOM_S)
        feed.push(pcm)

    def _refuse(self, error: SoyleError, utterance_id: str | None) -> None:
        self._tell("error", utterance_id, payload(error))

    def _tell(self, kind: str, utterance_id: str | None, detail: dict[str, Any]) -> None:
        self._line.tell(Event(kind, utterance_id, self._session.seconds, detail))


def _bare(fields: dict[str, Any], call: Callable[[], None]) -> None:
    """Of a command without fields."""
    if fields:
        name = next(iter(fields))
        raise BadInput(f"'{name}' is not a field of this command", field=name)
    call()


def _named(fields: Any) -> str | None:
    """The utterance that a command is about."""
    found = fields.get("utterance_id") if isinstance(fields, dict) else None
    return found if isinstance(found, str) else None
