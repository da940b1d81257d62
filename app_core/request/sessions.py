"""The models of what a session is asked."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    model_validator,
)

from app_core.errors import BadInput
from app_core.request.fields import (
    Language,
    Pitch,
    Readings,
    Size,
    Speed,
)
from app_core.request.models import FaceRequest, parsed

LOWEST_RATE, HIGHEST_RATE = 8_000, 96_000
"""Samples a second of sound from outside."""
LONGEST_ID = 64


def _known_mode(value: Any) -> Any:
    if value == "talk":
        raise ValueError("must be say or puppet; talk comes with a later release")
    return value


def _visible(value: str) -> str:
    if not 1 <= len(value) <= LONGEST_ID or not all("!" <= letter <= "~" for letter in value):
        raise ValueError(f"must be 1..{LONGEST_ID} visible ASCII characters")
    return value


Mode = Annotated[Literal["say", "puppet"], BeforeValidator(_known_mode)]
UtteranceId = Annotated[
    StrictStr,
    AfterValidator(_visible),
    Field(json_schema_extra={"pattern": rf"^[!-~]{{1,{LONGEST_ID}}}$"}),
]
SampleRate = Annotated[StrictInt, Field(ge=LOWEST_RATE, le=HIGHEST_RATE)]


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def parse(cls, fields: Any) -> Self:
        """From a JSON value. Raises BadInput that names the field."""
        return parsed(cls, fields)


class SessionRequest(FaceRequest, _Asked):
    """A face that stays."""

    language: Language = Field(default="ru", description="Of what is said; auto: of each sentence")
    size: Size = Field(
        default="512x512",
        description="WxH in pixels, even sides 128..1920, or auto: the avatar's own",
    )
    mode: Mode = Field(
        default="say",
        description="say: it says what it is told; puppet: the microphone drives the lips and is"
        " heard",
    )


class SayRequest(_Asked):
    """What is said next, whole or a piece of it. The pieces of an utterance are joined as they
    are, their spaces too."""

    text: StrictStr = Field(
        description="What is said; empty only where it ends an utterance that goes on",
        json_schema_extra={"minLength": 0},
    )
    language: Language | None = Field(
        default=None, description="Of the text; auto: of each sentence; null: the session's"
    )
    voice: StrictStr | None = Field(
        default=None, description="Id of a voice of /api/voices; null: the session's"
    )
    speed: Speed | None = Field(default=None, description="null: the session's")
    pitch: Pitch | None = Field(default=None, description="Semitones; null: the session's")
    dictionary: Readings = Field(default={}, description="Readings of words; + before the stress")
    utterance_id: UtteranceId | None = Field(
        default=None, description="Of your own, once in a session; null: the server makes one"
    )
    more: StrictBool = Field(
        default=False,
        description="The text goes on in later calls of the same utterance_id; the call without"
        " it, or 30 s without a call, ends it",
    )
    replace: StrictBool = Field(
        default=False, description="Interrupts what is heard and what waits, in the same step"
    )

    @model_validator(mode="after")
    def _filled(self) -> Self:
        """Whether an utterance of that id goes on is known where it is said."""
        piece = self.more or self.utterance_id is not None
        if not piece and not self.text.strip():
            raise BadInput("'text' must not be empty", field="text")
        if self.more and not self.text:
            raise BadInput("'text' must not be empty where more follows", field="text")
        return self


class InterruptRequest(_Asked):
    utterance_id: UtteranceId | None = Field(
        default=None, description="The one to end; null: the one that is heard and all that wait"
    )


class AvatarRequest(_Asked):
    avatar: StrictStr = Field(description="Id of the avatar that is seen from now on")


class VoiceRequest(_Asked):
    voice: StrictStr | None = Field(
        default=None,
        description="Id of the voice of what follows; null: the first that speaks the language;"
        " left out: as it was",
    )
    language: Language | None = Field(default=None, description="Of what follows; null: as it was")


class MicrophoneRequest(_Asked):
    """Opens the microphone of a puppet; 16-bit mono PCM follows."""

    sample_rate: SampleRate = Field(default=48_000, description="Samples a second")


class AudioRequest(_Asked):
    """Opens speech that was made elsewhere; 16-bit mono PCM follows."""

    sample_rate: SampleRate = Field(default=48_000, description="Samples a second")
    utterance_id: UtteranceId | None = Field(
        default=None, description="Of your own, once in a session; null: the server makes one"
    )
    text: StrictStr = Field(default="", description="What is said in it, for better lips")


class PingRequest(_Asked):
    t: Annotated[float, Field(allow_inf_nan=False, strict=True)] | None = Field(
        default=None, description="Comes back as it is: a time on the client's own clock"
    )
    round_trip_ms: Annotated[float, Field(ge=0, le=3_600_000, strict=True)] | None = Field(
        default=None, description="Of the last ping, as the client measured it"
    )
