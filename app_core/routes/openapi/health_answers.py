"""What /api/health answers: the models that describe it to developers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app_core.routes.openapi.responses import Answer, Failure


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


class Replica(Answer):
    place: str = Field(description="What its ids begin with")
    status: Literal["ready", "loading", "degraded", "offline", "draining"] = Field(
        description="Draining: it takes nothing new and ends what it does"
    )
    reason: str | None
    sessions: int
    jobs: int
    load: float = Field(description="Cores that its live renders need, as predicted")


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
    replicas: list[Replica] | None = Field(
        default=None, description="Of a cluster each; 'sessions' and 'capacity' are of all of them"
    )


class Live(Answer):
    status: Literal["live"]
