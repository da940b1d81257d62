"""The models of requests, which validate, and how a refusal reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
)

from app_core.errors import BadInput
from app_core.request.fields import (
    FASTEST,
    SLOWEST,
    JobId,
    Language,
    Pitch,
    Preset,
    Readings,
    Size,
    Speed,
    Text,
)
from app_core.types import Prosody

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T", bound="BaseModel")


class Encoding(NamedTuple):
    """How frames become a film."""

    encoder: str = "libx264"
    crf: int = 20
    """0 best .. 51, on the scale of libx264."""
    preset: str = "veryfast"
    """Of libx264; slower ones make smaller files."""
    key_frame_s: int = 2
    """Seconds from one key frame to the next; there are no others."""
    b_frames: bool = True
    """Pictures may lie in the file in another order than they are shown."""
    streamed: bool = False
    """H.264 High at the lowest level that has room, and the encoder holds no picture back."""


def parsed(kind: type[T], fields: Any) -> T:
    """From a JSON value. Raises BadInput that names the field."""
    if not isinstance(fields, dict):
        raise BadInput("The request must be a JSON object")
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise _refusal(error) from error


def parsed_query(kind: type[T], fields: Mapping[str, str]) -> T:
    """From the strings of a query or form. Raises BadInput that names the field."""
    for name, value in fields.items():
        known = kind.model_fields.get(name)
        # Else yes, on and 1 would do too.
        if known is not None and known.annotation is bool and value not in ("true", "false"):
            raise BadInput(f"'{name}' must be true or false", field=name)
    try:
        return kind.model_validate_strings(dict(fields))
    except ValidationError as error:
        raise _refusal(error) from error


class TextRequest(BaseModel):
    """What is said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Text = Field(description="What is said")
    language: Language = Field(default="ru", description="Of the text; auto: of each sentence")
    dictionary: Readings = Field(default={}, description="Readings of words; + before the stress")

    @classmethod
    def parse(cls, fields: Any) -> Self:
        """From a JSON value. Raises BadInput that names the field."""
        return parsed(cls, fields)

    @classmethod
    def parse_query(cls, fields: Mapping[str, str]) -> Self:
        """From the strings of a query. Raises BadInput that names the field."""
        return parsed_query(cls, fields)


class FaceRequest(BaseModel):
    """Who is seen, who speaks, and how: the same for a render and for a session."""

    avatar: StrictStr | None = Field(
        default=None, description="Id of the avatar; null: the server's own"
    )
    voice: StrictStr | None = Field(
        default=None,
        description="Id of a voice of /api/voices; null: the first that speaks the language",
    )
    model: StrictStr = Field(
        default="auto", description="auto, or one of the lip-sync models of /api/health"
    )
    size: Size = Field(
        default="auto", description="WxH in pixels, even sides 128..1920, or auto: the avatar's own"
    )
    fps: Annotated[StrictInt, Field(ge=SLOWEST, le=FASTEST)] = Field(
        default=25,
        description="Frames a second; of a render of an avatar's clip, unless asked, as many as the"
        " clip has",
    )
    speed: Speed = Field(default=1.0, description="Speed of the speech; 2 is twice as fast")
    pitch: Pitch = Field(
        default=0.0,
        description="Semitones above the voice's own pitch, below where negative; only of voices"
        " that are pitched",
    )

    @property
    def prosody(self) -> Prosody:
        return Prosody(self.speed, self.pitch)

    def pixels(self, auto: tuple[int, int] | None) -> tuple[int, int] | None:
        """(width, height), or ``auto`` where the client left it open."""
        if self.size == "auto":
            return auto
        width, _, height = self.size.partition("x")
        return int(width), int(height)


class RenderRequest(FaceRequest, TextRequest):
    """The fields that every render has."""

    job_id: JobId | None = Field(default=None, description="A UUID of your own for this job")

    @property
    def live(self) -> bool:
        """Frames follow the clock: each at its time, late ones dropped."""
        return False

    @property
    def still(self) -> bool:
        """On the avatar's still, though it has a clip."""
        return False

    @property
    def hasty(self) -> bool:
        """Small batches only."""
        return False

    @property
    def encoding(self) -> Encoding:
        """How a film is encoded."""
        return Encoding()

    @property
    def decoding_on_gpu(self) -> bool:
        return False

    def at_rate(self, own: float) -> Self:
        """With the rate of what is shown, ``own`` pictures a second, unless the client asked."""
        if "fps" in self.model_fields_set:
            return self
        return self.model_copy(update={"fps": min(max(round(own), SLOWEST), FASTEST)})


class MjpegRequest(RenderRequest):
    size: Size = Field(
        default="512x512",
        description="WxH in pixels, even sides 128..1920, or auto: the avatar's own",
    )
    low_latency: StrictBool = Field(
        default=False, description="Small batches: the first picture sooner"
    )
    pace: Literal["realtime", "asap"] = Field(
        default="realtime",
        description="realtime: each frame at its time; asap: as fast as they are made",
    )

    @property
    def live(self) -> bool:
        return self.pace == "realtime"

    @property
    def hasty(self) -> bool:
        return self.low_latency


class FilmRequest(RenderRequest):
    """What makes an MP4 file."""

    stream: StrictBool = Field(
        default=False, description="A fragmented MP4 that plays while it is being made"
    )


class ChunksRequest(RenderRequest):
    chunk_size: Annotated[StrictInt, Field(ge=1, le=200)] = Field(
        default=15, description="Words in a chunk, at most"
    )


class GenerateRequest(FilmRequest):
    static_mode: StrictBool = Field(
        default=True, description="true: the avatar's still picture; false: its clip"
    )

    @property
    def still(self) -> bool:
        return self.static_mode


class VideoRequest(FilmRequest):
    use_nvdec: StrictBool = Field(default=False, description="Decode on an NVIDIA GPU")
    encoder: StrictStr = Field(default="libx264", description="One of the encoders of /api/health")
    crf: Annotated[StrictInt, Field(ge=0, le=51)] = Field(
        default=20, description="Quality on the scale of libx264: 0 best, 18..23 good, 51 worst"
    )
    preset: Preset = Field(default="veryfast", description="Slower ones make smaller files")

    @property
    def encoding(self) -> Encoding:
        return Encoding(self.encoder, self.crf, self.preset)

    @property
    def decoding_on_gpu(self) -> bool:
        return self.use_nvdec


_KINDS = {
    "int_parsing_size": "a shorter number",
    "int_": "a whole number",
    "float_": "a number",
    "bool_": "true or false",
    "string_type": "text",
}
"""What a field should be, by how the kind of pydantic's error begins."""


def _refusal(error: ValidationError) -> BadInput:
    first = error.errors()[0]
    field = str(first["loc"][0]) if first["loc"] else None
    kind, message = first["type"], str(first["msg"])
    if field == "dictionary" and kind != "value_error":
        message, kind = "at most 200 words of up to 100 characters, with readings of up to 300", ""
    if kind == "missing":
        sentence = f"'{field}' is required"
    elif kind == "extra_forbidden":
        sentence = f"'{field}' is not a field of this request"
    else:
        message = message.removeprefix("Value error, ").removeprefix("Input should be ")
        message = next(
            (words for start, words in _KINDS.items() if kind.startswith(start)), message
        )
        verb = "" if message.startswith("must") else "must be "
        sentence = f"'{field}' {verb}{message}"
    return BadInput(sentence, field=field)
