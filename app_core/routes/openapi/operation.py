"""What one call of the HTTP contract takes and answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import BaseModel

MP4, WAV, MJPEG, JPEG = "video/mp4", "audio/wav", "multipart/x-mixed-replace", "image/jpeg"
JSON, NDJSON, HTML = "application/json", "application/x-ndjson", "text/html"

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
    """The body as multipart/form-data, in place of or beside ``body``."""
    query: type[BaseModel] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    """Request headers that change the answer, with what they do."""
    signable: bool = False
    """Also opens by a signed address (?token=)."""
    guarded: bool = True
    details: str = ""


def page(path: str, words: str, group: str = "Pages") -> Operation:
    return Operation("GET", path, group, words, (Good(words, {HTML: None}),), guarded=False)


PART = Good("The bytes that Range asked for", {WAV: None}, ("Content-Range",), 206)
RANGE = {"Range": "bytes=from-to, of a sound or film that is complete"}
