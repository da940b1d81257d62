"""Every operation of the HTTP contract: what /openapi.json and /docs are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app_core.request import (
    AvatarForm,
    ChunksRequest,
    GenerateRequest,
    MjpegRequest,
    MouthRequest,
    PreviewQuery,
    VideoRequest,
)
from app_core.routes.answers import (
    Avatar,
    Avatars,
    Chunks,
    Health,
    JobAnswer,
    Landmarks,
    Live,
    Removed,
    Voices,
)

if TYPE_CHECKING:
    from pydantic import BaseModel

MP4, WAV, MJPEG, JPEG = "video/mp4", "audio/wav", "multipart/x-mixed-replace", "image/jpeg"
JSON, NDJSON, HTML = "application/json", "application/x-ndjson", "text/html"
RENDER = (400, 404, 409, 413, 415, 500, 502, 503)
"""Statuses of what starts a render."""
FILE = (*RENDER, 507)
JOB = (404,)
FACE = (404,)
KEPT = (400, 404, 409, 416, 502, 503, 507)
"""Statuses of what a render left: its own failure is answered too."""

HEADERS = {
    "X-Job-Id": "The job of this render",
    "X-Audio-Url": "Where the sound of this render is",
    "X-Frame-Rate": "Frames a second",
    "X-Codecs": "Codecs of a fragmented MP4, as MediaSource wants them (RFC 6381)",
    "Location": "Where the job or the avatar can be asked about",
    "Content-Disposition": "A name for the file",
    "Preference-Applied": "respond-async",
    "Retry-After": "Seconds until it is worth another try",
    "WWW-Authenticate": "Bearer",
    "Content-Range": "Which bytes these are",
    "ETag": "Changes when the picture does",
}


@dataclass(frozen=True, slots=True)
class Good:
    """One answer that is no error. ``content``: a model, or None for bytes, by media type."""

    words: str
    content: dict[str, type[BaseModel] | None] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    status: int = 200
    maybe: tuple[str, ...] = ()
    """Headers that are there in some cases."""


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    path: str
    group: str
    summary: str
    good: tuple[Good, ...]
    errors: tuple[int, ...] = ()
    body: type[BaseModel] | None = None
    form: type[BaseModel] | None = None
    """The body is multipart/form-data."""
    query: type[BaseModel] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    """Request headers that change the answer, with what they do."""
    signable: bool = False
    """Also opens by a signed address (?token=)."""
    guarded: bool = True
    details: str = ""


STREAM = Good(
    "Parts of image/jpeg with Content-Length, X-Frame (index) and X-Timestamp (seconds on the"
    " clock of the sound). A failure after the first picture is a last part of application/json.",
    {MJPEG: None},
    ("X-Job-Id", "X-Frame-Rate", "X-Audio-Url"),
)
FILM = Good(
    "The film, with sound: whole, or fragmented as it is made (stream)",
    {MP4: None},
    ("X-Job-Id",),
    maybe=("Content-Disposition", "X-Codecs", "X-Audio-Url"),
)
LATER = Good(
    "The job, which goes on (Prefer: respond-async)",
    {JSON: JobAnswer},
    ("X-Job-Id", "Location", "Preference-Applied"),
    202,
)
PREFER = {"Prefer": "respond-async answers 202 at once; the film is kept as the job's result"}
RANGE = {"Range": "bytes=from-to, of a sound or film that is complete"}
PART = Good("The bytes that Range asked for", {WAV: None}, ("Content-Range",), 206)


EVENTS = (
    "Messages have a type: progress (percent, stage, frames_per_s, time_left_s), sentence and word"
    " (text, start_s, end_s on the clock of the sound), and at the end done (the addresses of the"
    " sound and the film) or error (error, code, field)."
)


def page(path: str, words: str, group: str = "Pages") -> Operation:
    return Operation("GET", path, group, words, (Good(words, {HTML: None}),), guarded=False)


OPERATIONS = (
    Operation(
        "POST",
        "/api/stream_mjpeg",
        "Render",
        "Stream the face as JPEG pictures, each at its time",
        (STREAM,),
        RENDER,
        body=MjpegRequest,
    ),
    Operation(
        "GET",
        "/api/stream_mjpeg",
        "Render",
        "The same stream for an <img> tag",
        (STREAM,),
        tuple(status for status in RENDER if status not in (413, 415)),
        query=MjpegRequest,
    ),
    Operation(
        "POST",
        "/api/generate",
        "Render",
        "Make a film of the talking face",
        (FILM, LATER),
        FILE,
        body=GenerateRequest,
        headers=PREFER,
    ),
    Operation(
        "POST",
        "/api/lipsync/video",
        "Render",
        "Make a film of the base video that says a text",
        (FILM, LATER),
        FILE,
        body=VideoRequest,
        headers=PREFER,
        details="400 names the encoders that work on this machine when another one is asked for.",
    ),
    Operation(
        "POST",
        "/api/stream_chunks",
        "Render",
        "Cut a text into chunks, each with a film and a sound at its own address",
        (
            Good(
                "All chunks as JSON; as NDJSON each chunk's line the moment it is spoken",
                {JSON: Chunks, NDJSON: None},
                ("X-Job-Id",),
            ),
        ),
        FILE,
        body=ChunksRequest,
        headers={"Accept": "application/x-ndjson sends line by line"},
    ),
    Operation(
        "GET",
        "/api/chunk/video/{chunk_id}",
        "Render",
        "The film of a chunk; waits while it is being made",
        (
            Good("MP4", {MP4: None}, maybe=("Content-Disposition",)),
            Good("The bytes that Range asked for", {MP4: None}, ("Content-Range",), 206),
        ),
        KEPT,
        headers=RANGE,
        signable=True,
    ),
    Operation(
        "GET",
        "/api/chunk/audio/{chunk_id}",
        "Render",
        "The sound of a chunk",
        (Good("WAV, 16 kHz, mono, 16 bits", {WAV: None}), PART),
        KEPT,
        headers=RANGE,
        signable=True,
    ),
    page("/api/lipsync/video", "The page of the same name"),
    Operation(
        "GET",
        "/api/jobs/{job_id}",
        "Jobs",
        "How a render is doing",
        (Good("The job", {JSON: JobAnswer}),),
        JOB,
        signable=True,
    ),
    Operation(
        "DELETE",
        "/api/jobs/{job_id}",
        "Jobs",
        "Cancel a render; one that has ended stays as it is",
        (Good("The job", {JSON: JobAnswer}),),
        JOB,
    ),
    Operation(
        "GET",
        "/api/jobs/{job_id}/events",
        "Jobs",
        "What happens to a render, over a WebSocket",
        (Good("JSON text messages follow", status=101),),
        (400,),
        signable=True,
        details=EVENTS,
    ),
    Operation(
        "GET",
        "/api/jobs/{job_id}/result",
        "Jobs",
        "The film of a job that keeps it",
        (
            Good("The film", {MP4: None}, ("Content-Disposition",)),
            Good("The bytes that Range asked for", {MP4: None}, ("Content-Range",), 206),
        ),
        KEPT,
        headers=RANGE,
        signable=True,
        details="Answers with the job's own error when it failed, and 409 while it is not done.",
    ),
    Operation(
        "GET",
        "/api/jobs/{job_id}/audio.wav",
        "Jobs",
        "The sound of a render, streamed while it is made",
        (Good("16-bit mono PCM", {WAV: None}), PART),
        (*JOB, 416),
        headers=RANGE,
        signable=True,
    ),
    Operation(
        "GET",
        "/api/avatars",
        "Avatars",
        "Who can be seen, and who is on the way",
        (Good("The avatars by their ids", {JSON: Avatars}),),
    ),
    Operation(
        "POST",
        "/api/avatars",
        "Avatars",
        "Make an avatar of a photo or a clip",
        (
            Good("The avatar, which can speak", {JSON: Avatar}, ("Location",), 201),
            Good(
                "It is being imported (Prefer: respond-async)",
                {JSON: Avatar},
                ("Location", "Preference-Applied"),
                202,
            ),
        ),
        (400, 409, 413, 415, 500, 503, 507),
        form=AvatarForm,
        headers={"Prefer": "respond-async answers 202 at once; the avatar says how far it is"},
        details="400 names the reason: no face, no picture or video, too long, too large.",
    ),
    Operation(
        "GET",
        "/api/avatars/{avatar_id}",
        "Avatars",
        "An avatar, or how far its import is",
        (Good("The avatar", {JSON: Avatar}),),
        FACE,
        signable=True,
    ),
    Operation(
        "DELETE",
        "/api/avatars/{avatar_id}",
        "Avatars",
        "Remove an avatar, or cancel its import",
        (Good("It is gone; renders that run with it go on", {JSON: Removed}),),
        (*FACE, 409),
    ),
    Operation(
        "GET",
        "/api/avatars/{avatar_id}/preview.jpg",
        "Avatars",
        "A picture of the avatar",
        (
            Good("JPEG", {JPEG: None}, ("ETag",)),
            Good("It is as If-None-Match says", {}, ("ETag",), 304),
        ),
        (400, *FACE, 409),
        query=PreviewQuery,
        headers={"If-None-Match": "The ETag of the picture that is there already"},
        signable=True,
    ),
    Operation(
        "GET",
        "/api/avatars/{avatar_id}/landmarks",
        "Avatars",
        "Where the parts of the face are in the still",
        (Good("Points by part, in pixels", {JSON: Landmarks}),),
        (400, *FACE, 409),
        signable=True,
    ),
    Operation(
        "PUT",
        "/api/avatars/{avatar_id}/mouth",
        "Avatars",
        "Move the mouth's points by hand, and set its gains",
        (Good("The avatar", {JSON: Avatar}),),
        (400, *FACE, 409, 413, 415, 507),
        body=MouthRequest,
        details="In a clip the mouth moves along in every picture.",
    ),
    Operation(
        "GET",
        "/api/voices",
        "Server",
        "Who can speak",
        (Good("The voices in order of preference", {JSON: Voices}),),
    ),
    Operation(
        "GET",
        "/api/health",
        "Server",
        "Is it ready, and how much more can it take",
        (
            Good("Renders can begin", {JSON: Health}),
            Good("Loading or offline", {JSON: Health}, ("Retry-After",), 503),
        ),
    ),
    Operation(
        "GET",
        "/api/health/live",
        "Server",
        "Does the process live",
        (Good("It does", {JSON: Live}),),
        guarded=False,
    ),
    Operation(
        "GET",
        "/metrics",
        "Server",
        "Counts for Prometheus",
        (Good("Text format of Prometheus", {"text/plain": None}),),
    ),
    Operation(
        "GET",
        "/openapi.json",
        "Server",
        "This document",
        (Good("OpenAPI 3.1", {JSON: None}),),
        guarded=False,
    ),
    page("/docs", "This document for people", "Server"),
)
