"""The description of a call, written on its view: what /openapi.json and /docs are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

if TYPE_CHECKING:
    from pydantic import BaseModel

MP4, WAV, MJPEG, JPEG = "video/mp4", "audio/wav", "multipart/x-mixed-replace", "image/jpeg"
JSON, NDJSON, HTML = "application/json", "application/x-ndjson", "text/html"
SDP, SDP_FRAGMENT = "application/sdp", "application/trickle-ice-sdpfrag"

HEADERS = {
    "X-Job-Id": "The job of this render",
    "X-Voice": "Id of the voice that begins, where it is known; the job's 'voices' has all",
    "X-Audio-Url": "Where the sound of this render is",
    "X-Frame-Rate": "Frames a second",
    "X-Codecs": "Codecs of a fragmented MP4, as MediaSource wants them (RFC 6381)",
    "X-Aligned": "The part of the transcript that was found in the recording, 0.00..1.00",
    "Location": "Where the job, the session, the viewer, the avatar or the pull can be asked about",
    "Content-Disposition": "A name for the file",
    "Preference-Applied": "respond-async",
    "Retry-After": "Seconds until it is worth another try",
    "WWW-Authenticate": "Bearer",
    "Content-Range": "Which bytes these are",
    "ETag": "Of the picture, or of the connection",
    "Link": "STUN and TURN servers, each as rel=ice-server",
    "Accept-Post": "application/sdp",
    "Accept-Patch": "application/trickle-ice-sdpfrag",
}

Group = Literal["Render", "Sessions", "Pages", "Jobs", "Avatars", "Voices", "Server"]
GROUPS: tuple[Group, ...] = get_args(Group)
"""In the order in which they are shown."""

View = TypeVar("View", bound=Callable[..., Any])
_KEPT_AS = "operations"


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
    """A decorator that stands under the route's. Method and path are the route's own."""

    group: Group
    summary: str
    good: tuple[Good, ...]
    errors: tuple[int, ...] = ()
    """Statuses beside those that every call can have."""
    body: type[BaseModel] | None = None
    form: type[BaseModel] | None = None
    """The body as multipart/form-data, in place of or beside ``body``."""
    text: str = ""
    """The media type of a body that is text."""
    query: type[BaseModel] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    """Request headers that change the answer, with what they do."""
    signable: bool = False
    """Also opens by a signed address (?token=)."""
    owned: bool = False
    """Needs a token of what it is about, also where the server has none."""
    guarded: bool = True
    details: str = ""
    method: str = ""
    """The one that this describes, where the methods of a view differ; else all of them."""

    def __call__(self, view: View) -> View:
        vars(view).setdefault(_KEPT_AS, []).insert(0, self)
        return view


def operations_of(view: Callable[..., Any]) -> tuple[Operation, ...]:
    """As they stand on the view, from the top."""
    return tuple(getattr(view, _KEPT_AS, ()))


def html_page(words: str, group: Group = "Pages") -> Operation:
    return Operation(group, words, (Good(words, {HTML: None}),), guarded=False)
