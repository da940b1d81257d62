"""What the routes that make and keep films and sounds describe alike."""

from __future__ import annotations

from app_core.routes.openapi.operation import JSON, MP4, WAV, Good
from app_core.routes.openapi.responses import JobAnswer

RENDER = (400, 404, 409, 413, 415, 500, 502, 503)
"""Statuses of what starts a render."""
FILE = (*RENDER, 507)
KEPT = (400, 404, 409, 416, 502, 503, 507)
"""Statuses of what a render left: its own failure is answered too."""
CHUNK = tuple(status for status in KEPT if status != 416)
"""The same of what has no ranges."""

FILM = Good(
    "The film, with sound: whole, or fragmented as it is made (stream)",
    {MP4: None},
    ("X-Job-Id",),
    maybe=("Content-Disposition", "X-Codecs", "X-Audio-Url", "X-Aligned", "X-Voice"),
)
LATER = Good(
    "The job, which goes on (Prefer: respond-async)",
    {JSON: JobAnswer},
    ("X-Job-Id", "Location", "Preference-Applied"),
    202,
    ("X-Voice",),
)
PREFER = {"Prefer": "respond-async answers 202 at once; the film is kept as the job's result"}

SOUND_PART = Good("The bytes that Range asked for", {WAV: None}, ("Content-Range",), 206)
FILM_PART = Good("The bytes that Range asked for", {MP4: None}, ("Content-Range",), 206)
RANGE = {"Range": "bytes=from-to, of a sound or film that is complete"}

SOUND = (
    "A form with a sound in place of JSON: the face says it, with its own sound. 415 when it"
    " cannot be read, 413 when it is too large or too long."
)
