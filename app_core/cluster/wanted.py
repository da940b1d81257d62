"""What a request asks for, as far as that says which replica it is for."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum, auto

from app_core.ids import place_in

_OWN = ("/api/", "/whep")
_HERE = re.compile(r"/api/health/live|/whep_test")
_NAMED = re.compile(
    r"/api/(?:jobs|sessions|chunk/(?:video|audio|captions))/(?P<id>[^/]+)"
    r"|/whep/viewers/(?P<key>[^/]+)|/whep/(?P<session>[^/]+)"
)
_PULL = re.compile(r"/api/voices/[^/]+/pull")
_OFFER = "/api/realtime/offer"
_ALL = ("/api/health", "/api/sessions", "/metrics")
"""Of these GET tells of every replica."""
_NEW = re.compile(
    r"/api/(?:generate|lipsync/video|stream_mjpeg|stream_chunks|sessions|realtime/offer|avatars)"
    r"|/whep"
)


class Kind(Enum):
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
    kind: Kind
    name: str = ""
    """An id, or for FIXED the key."""

    @property
    def place(self) -> str:
        """As the id says, which may be a client's own."""
        return place_in(self.name) if self.kind is Kind.NAMED else ""


def wanted(method: str, path: str, body: bytes | None = b"") -> Wanted:
    """``body``: of a small request; None: of one that goes through as it comes."""
    reads = method in ("GET", "HEAD")
    if path in _ALL and reads:
        return Wanted(Kind.ALL, path)
    if method == "OPTIONS" or not path.startswith(_OWN) or _HERE.fullmatch(path):
        return Wanted(Kind.HERE)
    if path == "/api/lipsync/video" and reads:
        return Wanted(Kind.HERE)
    named = _NAMED.match(path)
    if named is not None:
        return Wanted(Kind.NAMED, next(filter(None, named.groups())).partition(".")[0])
    if path == _OFFER and (session_id := _field(body, "session_id")):
        return Wanted(Kind.NAMED, session_id)
    if _PULL.fullmatch(path):
        return Wanted(Kind.FIXED, path)
    work = method == "POST" or (reads and path == "/api/stream_mjpeg")
    return Wanted(Kind.NEW if work and _NEW.fullmatch(path) else Kind.ANY)


def chosen_id(query: str | None, body: bytes | None) -> str:
    """The job_id that a client has chosen for its new job; empty: none."""
    return query or _field(body, "job_id")


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
