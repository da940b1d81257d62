"""The operations that begin renders, and those that look after their jobs."""

from __future__ import annotations

from app_core.request import ChunksRequest, GenerateRequest, MjpegRequest, VideoRequest
from app_core.routes.openapi.operation import (
    JSON,
    MJPEG,
    MP4,
    NDJSON,
    PART,
    RANGE,
    WAV,
    Good,
    Operation,
    page,
)
from app_core.routes.openapi.responses import Chunks, JobAnswer
from app_core.routes.sound_forms import GenerateForm, MjpegForm, VideoForm

RENDER = (400, 404, 409, 413, 415, 500, 502, 503)
"""Statuses of what starts a render."""
FILE = (*RENDER, 507)
JOB = (404,)
KEPT = (400, 404, 409, 416, 502, 503, 507)
"""Statuses of what a render left: its own failure is answered too."""

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
VIEWER = (
    "A viewer whose line is too thin for every picture is left out some (frames.dropped) and stays"
    " near now; its last picture is the job's last one. A client may close its own side after the"
    " request; the stream goes on until it closes the other, or takes nothing for SEND_TIMEOUT_S."
)
WAITING = (
    "A client that closes its side of the connection before the answer has begun has left, and its"
    " render is cancelled; with stream the answer goes on until it closes the other side too."
)
EVENTS = (
    "Messages have a type: progress (percent, stage, frames_per_s, time_left_s), sentence and word"
    " (text, start_s, end_s on the clock of the sound), and at the end done (the addresses of the"
    " sound and the film) or error (error, code, field)."
)

SOUND = (
    "A form with a sound in place of JSON: the face says it, with its own sound. 415 when it"
    " cannot be read, 413 when it is too large or too long."
)

RENDERS = (
    Operation(
        "POST",
        "/api/stream_mjpeg",
        "Render",
        "Stream the face as JPEG pictures, each at its time",
        (STREAM,),
        FILE,
        body=MjpegRequest,
        form=MjpegForm,
        details=f"{VIEWER} {SOUND}",
    ),
    Operation(
        "GET",
        "/api/stream_mjpeg",
        "Render",
        "The same stream for an <img> tag",
        (STREAM,),
        tuple(status for status in RENDER if status not in (413, 415)),
        query=MjpegRequest,
        details=VIEWER,
    ),
    Operation(
        "POST",
        "/api/generate",
        "Render",
        "Make a film of the talking face",
        (FILM, LATER),
        FILE,
        body=GenerateRequest,
        form=GenerateForm,
        headers=PREFER,
        details=f"{WAITING} {SOUND}",
    ),
    Operation(
        "POST",
        "/api/lipsync/video",
        "Render",
        "Make a film of the base video that says a text",
        (FILM, LATER),
        (*FILE, 422),
        body=VideoRequest,
        form=VideoForm,
        headers=PREFER,
        details="400 names the encoders that work on this machine when another one is asked for."
        " Without 'avatar' the base video speaks (BASE_VIDEO_PATH): 503 with the percentage while"
        " its face is looked for, 422 with the reason when it cannot speak, 404 when missing. "
        + SOUND,
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
)

JOBS = (
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
)
