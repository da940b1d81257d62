"""What the server answers: the models that describe it to developers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Failure(Answer):
    error: str = Field(description="A sentence for a person")
    code: str = Field(description="A stable word for a program")
    field: str | None = Field(description="The field of the request that is to blame")


class Frames(Answer):
    total: int | None = Field(description="Known when the whole text has been spoken")
    done: int
    dropped: int = Field(description="Live frames whose time had passed")
    without_face: int = Field(description="Pictures of a clip in which no face was found")


class JobAnswer(Answer):
    id: str
    status: Literal["queued", "running", "done", "failed", "cancelled"]
    stage: Literal["speech", "frames", "finishing", "done"]
    progress: Annotated[float, Field(ge=0, le=1)]
    frames: Frames
    frames_per_s: float
    time_left_s: float | None = Field(description="Seconds at the speed so far")
    seconds: float = Field(description="Seconds of sound so far")
    timings: dict[str, float] = Field(description="Seconds from the start, by what happened")
    error: Failure | None
    voices: list[str] = Field(description="Ids of those that spoke so far, in order")
    aligned: float | None = Field(
        description="Part of a recording's transcript that was heard in it, 0..1; elsewhere the"
        " lips follow the sound"
    )
    statistics: dict[str, Any] | None = Field(description="Of a film of the base video")
    result_url: str | None = Field(description="Where the kept film is, once it is done")
    audio_url: str = Field(description="The sound, also while it is made")
    captions_url: str = Field(description="WebVTT of what is said, also while it is made")
    subtitles_url: str = Field(description="The same as SubRip")
    events_url: str = Field(description="WebSocket of progress and words, as JSON messages")


class Chunk(Answer):
    index: int
    text: str
    video_url: str = Field(description="MP4; waits while it is being made")
    audio_url: str = Field(description="WAV, 16 kHz, mono")
    captions_url: str = Field(description="WebVTT of what it says, by the time of its film")
    subtitles_url: str = Field(description="The same as SubRip")
    duration: float = Field(description="Seconds")


class Chunks(Answer):
    success: Literal[True]
    total_chunks: int
    language: Literal["ru", "kk", "en", "auto"]
    chunks: list[Chunk]


class ReadWord(Answer):
    written: str = Field(description="With the marks beside it")
    said: str
    start: int = Field(description="Characters of the text as it was sent; 'end' is behind it")
    end: int


class TextAnswer(Answer):
    said: str = Field(description="On one line, with the marks that make pauses")
    words: list[ReadWord]


Language = Literal["ru", "kk", "en"]


class Voice(Answer):
    id: str
    name: str
    languages: list[Language]
    sample_rate: int
    engine: str
    licence: str = Field(description="SPDX identifier of the engine's code")
    weights_licence: str = Field(description="SPDX identifier, or what their publisher says")
    commercial: bool | None = Field(
        description="Whether the weights may be used for gain; null: nobody has made that clear"
    )
    pitched: bool = Field(description="It follows 'pitch'")
    ready: bool
    mend: str | None = Field(description="What makes it ready")


class VoicePull(Answer):
    id: str
    status: Literal["missing", "pulling", "ready", "failed"]
    stage: Literal["waiting", "downloading", "done"]
    progress: Annotated[float, Field(ge=0, le=1)]
    size: int = Field(description="Bytes")
    error: Failure | None = Field(description="Why it failed")


class VoiceNote(Answer):
    code: Literal["from_lessac", "no_licence_stated"]
    sentence: str = Field(description="For a person")


class AvailableVoice(Answer):
    id: str = Field(description="Of one voice, or of several that come together")
    name: str
    languages: list[Language]
    engine: str
    licence: str = Field(description="SPDX identifier of the engine's code")
    weights_licence: str = Field(description="SPDX identifier, or what their publisher says")
    commercial: bool | None = Field(
        description="Whether the weights may be used for gain; null: nobody has made that clear."
        " false: a pull needs accept_licence"
    )
    notes: list[VoiceNote] = Field(description="What else is to be known of its licence")
    size: int = Field(description="Bytes")
    ready: Literal[False]
    mend: str = Field(description="The command that brings it, or what it lacks to speak")
    pull: VoicePull | None = Field(description="null: POST .../pull does not bring it")


class Voices(Answer):
    voices: list[Voice] = Field(description="In order of preference")
    available: list[AvailableVoice] = Field(description="They do not speak here yet")


class FaceWarning(Answer):
    code: str = Field(
        description="second_face, small, dark, turned, blurred, truncated; rotated and"
        " was_upside_down: it lay so and was set upright; sideways and upside_down: it still does"
    )
    sentence: str = Field(description="For a person")


class AvatarGains(Answer):
    jaw: float
    open: float


class Avatar(Answer):
    id: str
    name: str
    kind: Literal["photo", "clip"] | None = Field(description="null until it is ready")
    status: Literal["ready", "importing", "failed"]
    stage: Literal["waiting", "reading", "video", "faces", "cycle", "done"]
    progress: Annotated[float, Field(ge=0, le=1)]
    width: int | None = Field(description="Pixels of its still, as is the height")
    height: int | None
    fps: float | None = Field(description="Of its clip")
    seconds: float | None = Field(description="One round of its clip")
    finder: str | None = Field(description="What found the face; hand: its points were given")
    pictures: int | None = Field(description="Of the upload")
    faces: int | None = Field(description="Pictures in which the face was found")
    people: int | None = Field(description="Faces in the picture; 'face' chooses one of them")
    warnings: list[FaceWarning] = Field(description="What the import saw that makes a worse face")
    gains: AvatarGains
    clip: bool = Field(description="It has a clip besides its still")
    preview_url: str | None = Field(description="JPEG of the still")
    removable: bool
    editable: bool = Field(description="Its mouth can be moved")
    error: Failure | None = Field(description="Why the import failed")


class Avatars(Answer):
    avatars: list[Avatar]
    default: str = Field(description="The avatar of requests that name none")


class Removed(Answer):
    id: str
    removed: Literal[True]


class Landmarks(Answer):
    width: int = Field(description="Pixels of the still, as is the height")
    height: int
    box: list[float] = Field(description="Left, top, right, bottom of the face")
    points: dict[str, list[list[float]]] = Field(
        description="x and y of each part; the middle of the first pixel is 0.5, 0.5"
    )
    mouth: dict[str, list[float]] = Field(description="The points that PUT .../mouth moves")
