"""What a request asks for, as far as that says which replica it is for."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum, auto
from uuid import UUID

from app_core.ids import place_in

_OWN = ("/api/", "/whep")
_HERE = re.compile(r"/api/health/live|/whep_test")
_NAMED = re.compile(
    r"/api/(?:jobs|sessions)/(?P<id>[^/]+)"
    r"|/api/chunk/(?:video|audio|captions)/(?P<job>[^/]+)-[0-9]+(?:\.(?:vtt|srt))?"
    r"|/whep/viewers/(?P<key>[^/]+)|/whep/(?P<session>[^/]+)"
)
_PULL = re.compile(r"/api/voices/[^/]+/pull")
OFFER = "/api/realtime/offer"
"""Its body may name a session."""
_ALL = ("/api/health", "/api/sessions", "/metrics")
"""Of these GET tells of every replica."""
_NEW = re.compile(
    r"/api/(?:generate|lipsync/video|stream_mjpeg|stream_chunks|sessions|realtime/offer|avatars)"
    r"|/whep"
)


class Destination(Enum):
    HERE = auto()
    """The web tier answers it."""
    NAMED = auto()
    """It goes to the replica that has what it names."""
    FIXED = auto()
    """One of a kind in the cluster: always to the same replica."""
    ALL = auto()
    """Every replica is asked, and the answers become one."""
    NEW = auto()
    """Work that goes where there is most slack."""
    ANY = auto()


@dataclass(frozen=True, slots=True)
class Wanted:
    where: Destination
    name: str = ""
    """An id, or for FIXED the key."""

    @property
    def place(self) -> str:
        """As the id says, which may be a client's own."""
        return place_in(self.name) if self.where is Destination.NAMED else ""


def wanted(method: str, path: str, body: bytes | None = b"") -> Wanted:
    """``body``: of a small request; None: of one that goes through as it comes."""
    reads = method in ("GET", "HEAD")
    if path in _ALL and reads:
        return Wanted(Destination.ALL, path)
    if method == "OPTIONS" or not path.startswith(_OWN) or _HERE.fullmatch(path):
        return Wanted(Destination.HERE)
    if path == "/api/lipsync/video" and reads:
        return Wanted(Destination.HERE)
    named = _NAMED.match(path)
    if named is not None:
        return Wanted(Destination.NAMED, next(filter(None, named.groups())))
    if path == OFFER and (session_id := _field(body, "session_id")):
        return Wanted(Destination.NAMED, session_id)
    if _PULL.fullmatch(path):
        return Wanted(Destination.FIXED, path)
    work = method == "POST" or (reads and path == "/api/stream_mjpeg")
    return Wanted(Destination.NEW if work and _NEW.fullmatch(path) else Destination.ANY)


def chosen_id(query: str | None, body: bytes | None) -> str:
    """The job_id that a client has chosen for its new job; empty: none."""
    chosen = query or _field(body, "job_id")
    try:
        return str(UUID(chosen))
    except ValueError:
        return ""


def _field(body: bytes | None, name: str) -> str:
    """Of a JSON object; what is wrong with it the replica says."""
    if not body or name.encode() not in body:
        return ""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    value = found.get(name) if isinstance(found, dict) else None
    return value if isinstance(value, str) else ""
