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


class Capacity(Answer):
    cores: float
    live: int
    load: float = Field(description="Cores that live renders need, as predicted")
    others: float = Field(description="Cores that other programs take")
    frame_ms: float = Field(description="Core milliseconds of a 512x512 frame, by the first model")
    model_fps: float | None = Field(
        description="Frames a second that the first model draws; null when that bounds nothing"
    )
    sessions: int = Field(description="Live 512x512 renders by the first model that fit in all")
    max_jobs: int
    jobs: int
    queue: int = Field(description="Frames that wait for a model")
    mean_batch: float
    frames_per_s: float = Field(
        description="Frames a second that the models drew in the last 5 seconds"
    )
    late: float = Field(
        description="Of the last live frames, 0..1: those that left over 40 ms after their time"
    )


class Drawing(Answer):
    frame_ms: float = Field(description="Core milliseconds of a 512x512 frame")
    model_fps: float | None = Field(
        description="Frames a second that can be drawn; null when that bounds nothing"
    )
    sessions: int = Field(description="Live 512x512 renders that fit in all")
    queue: int = Field(description="Frames that wait")
    mean_batch: float
    frames_per_s: float = Field(description="Frames a second drawn in the last 5 seconds")


class ModelDevice(Drawing):
    name: str
    status: Literal["ready", "lost"] = Field(
        description="lost: its thread has ended, and is about to be replaced"
    )
    slack_fps: float | None = Field(
        description="Frames a second that live renders may still ask for; null when that bounds"
        " nothing"
    )


class LoadedModel(Drawing):
    name: str = Field(description="What a request asks for in 'model'")
    device: str = Field(description="Where it runs; all of them, if on more than one")
    reason: str | None = Field(description="Why it runs")
    devices: list[ModelDevice] = Field(description="Each with its own weights and thread")


class BaseVideo(Answer):
    status: Literal["importing", "ready", "failed"]
    progress: Annotated[float, Field(ge=0, le=1)]
    error: Failure | None = Field(description="Why it cannot speak")


class SpeechServer(Answer):
    status: Literal["loading", "ready", "failed"]
    reason: str | None = Field(description="Why it is not ready, with its last words")
    model: str | None
    languages: list[str]
    sample_rate: int | None = Field(description="Samples a second")


class OpenSessions(Answer):
    open: int
    most: int = Field(description="MAX_SESSIONS; measured capacity may refuse earlier")


class Disk(Answer):
    setting: Literal["WORK_DIR", "AVATAR_DIR", "MODELS_DIR"]
    writable: bool
    free_mb: int | None = Field(description="MiB; null: nobody knows")
    reason: str | None = Field(description="What is wrong with it")


class Health(Answer):
    status: Literal["ready", "loading", "degraded", "offline"]
    reason: str | None
    model: str
    device: str | None
    model_reason: str | None = Field(description="Why this model runs and no other")
    models: list[LoadedModel] = Field(
        description="Those that a request can ask for; the first, of which 'model', 'device' and"
        " 'model_reason' tell, draws for requests that name none"
    )
    avatar: str
    base_video: BaseVideo | None = Field(description="What BASE_VIDEO_PATH names; null: nothing")
    finder: str = Field(description="What finds the faces of imported avatars")
    voices: list[str]
    speech_server: SpeechServer | None = Field(
        description="Of the model that COQUI_MODEL names; null: it names none"
    )
    ffmpeg: str | None
    nvdec: bool
    encoders: list[str]
    disks: list[Disk] = Field(description="The folders of the settings, as last looked at")
    version: str
    sessions: OpenSessions
    capacity: Capacity


class Live(Answer):
    status: Literal["live"]


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
