"""What a session is told, by a request or over its socket: the same fields, the same answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app_core.request import (
    AudioRequest,
    AvatarRequest,
    InterruptRequest,
    MicrophoneRequest,
    SayRequest,
    VoiceRequest,
)
from app_core.speech.text.spoken_text import check_length

if TYPE_CHECKING:
    from app_core.services.live.sessions import LiveSessions
    from app_core.sessions.pcm_feed import PcmFeed
    from app_core.sessions.session import Session


class Commands:
    """Of one session. ``longest_text``: characters. Each takes a JSON value, and raises BadInput
    that names the field, or what the session refuses it with."""

    def __init__(self, sessions: LiveSessions, session: Session, longest_text: int) -> None:
        self.session = session
        self._sessions, self._longest_text = sessions, longest_text

    def say(self, fields: Any) -> dict[str, Any]:
        asked = SayRequest.parse(fields)
        check_length(asked.text, self._longest_text)
        said = self._sessions.say(self.session, asked)
        return {"utterance_id": said.utterance_id, "queued": said.queued}

    def interrupt(self, fields: Any) -> dict[str, Any]:
        asked = InterruptRequest.parse(fields)
        heard = self.session.interrupt(asked.utterance_id)
        return {"position_s": heard.position_s, "heard": heard.heard}

    def avatar(self, fields: Any) -> dict[str, Any]:
        asked = AvatarRequest.parse(fields)
        self._sessions.switch_avatar(self.session, asked.avatar)
        return {"avatar": asked.avatar}

    def voice(self, fields: Any) -> dict[str, Any]:
        asked = VoiceRequest.parse(fields)
        manner = self.session.manner
        voice = asked.voice if "voice" in asked.model_fields_set else manner.voice
        self._sessions.switch_voice(self.session, voice, asked.language or manner.language)
        return {"voice": self.session.manner.voice, "language": self.session.manner.language}

    def microphone(self, fields: Any) -> PcmFeed:
        return self.session.microphone(MicrophoneRequest.parse(fields).sample_rate)

    def audio(self, fields: Any) -> PcmFeed:
        asked = AudioRequest.parse(fields)
        check_length(asked.text, self._longest_text)
        return self.session.audio(asked.utterance_id, asked.sample_rate, asked.text)
