"""What the server answers about sessions."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app_core.routes.openapi.responses import Answer


class SessionAnswer(Answer):
    session_id: str
    token: str = Field(description="Commands the session, as long as it lives")
    view_token: str = Field(description="Only looks: the state, events and the socket")
    offer_url: str = Field(description="POST a WebRTC offer here, with the token that it carries")
    whep_url: str = Field(description="For a WHEP player, with the view_token")
    socket_url: str = Field(
        description="WebSocket of pictures, sound, events and commands; &video=jpeg|mp4|none and"
        " &audio=pcm|opus|none choose what comes"
    )
    events_url: str = Field(description="WebSocket of events, for whoever only looks")


class OfferAnswer(Answer):
    sdp: str
    type: Literal["answer"]
    session_id: str
    token: str | None = Field(description="null: the offer came with a view_token")
    view_token: str
    socket_url: str = Field(description="The same session where UDP is blocked")
    events_url: str


class IceServer(Answer):
    urls: list[str]
    username: str = Field(default="", description="Of a TURN server")
    credential: str = ""


class IceServersAnswer(Answer):
    ice_servers: list[IceServer] = Field(description="As RTCPeerConnection takes them")


class SessionViewer(Answer):
    video: Literal["jpeg", "mp4", "h264", "vp8", "none"]
    audio: Literal["pcm", "opus", "none"]


class SessionState(Answer):
    session_id: str
    state: Literal["idle", "speaking"]
    mode: Literal["say", "puppet"]
    avatar: str
    language: Literal["ru", "kk", "en", "auto"]
    voice: str | None = Field(description="null: the first that speaks the language")
    size: str = Field(description="WxH in pixels")
    fps: int = Field(description="Frames a second, as asked")
    seconds: float = Field(description="The session's clock")
    generation: int = Field(description="Interrupts so far")
    queued: int = Field(description="Utterances that are heard or wait")
    viewers: list[SessionViewer]
    frames: int = Field(description="So far, idle ones too")
    measured_fps: float
    late: int = Field(description="Frames that left over 40 ms after their time")
    dropped: int = Field(description="Pictures whose time had passed; their sound was heard")
    stalls: int = Field(description="Times that speech paused because its voice was late")
    idle_s: float = Field(description="Seconds without a command")


class SessionList(Answer):
    sessions: list[SessionState]


class SessionEnded(Answer):
    session_id: str
    ended: Literal[True]


class SaidAnswer(Answer):
    utterance_id: str
    queued: int = Field(description="Utterances before it")


class Interruption(Answer):
    position_s: float | None = Field(
        description="Seconds of the utterance that were heard; null: nothing was said"
    )
    heard: str | None = Field(description="What of its text was heard")


class AvatarSwitched(Answer):
    avatar: str


class VoiceSwitched(Answer):
    """As it is now."""

    voice: str | None = Field(description="null: the first that speaks the language")
    language: Literal["ru", "kk", "en", "auto"]
