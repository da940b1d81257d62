"""How a stream ends whose replica is lost: with a last part that says so, where it can say it.

Only whole parts are passed on, so that the last one stands where a part may begin.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from app_core.cluster.places import ReplicaLost
from app_core.outputs.mjpeg import BOUNDARY, CLOSING, OPENING, error_part
from app_core.routes.http.body import ClientGone
from app_core.routes.http.failure import payload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MULTIPART, _LINES = "multipart/x-mixed-replace", "application/x-ndjson"
_DELIMITER = f"--{BOUNDARY}".encode()
LARGEST_PART = 16 << 20


def ended_clearly(kind: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """``kind``: the type of the body. One that cannot say it is cut: ClientGone."""
    kind = kind.partition(";")[0].strip().lower()
    if kind == _MULTIPART:
        return _told(_whole(pieces, _DELIMITER), _last_part, OPENING)
    if kind == _LINES:
        return _told(_whole(pieces, b"\n"), _last_line)
    return _cut(pieces)


def _last_part(lost: ReplicaLost) -> bytes:
    return error_part(payload(lost)) + CLOSING


def _last_line(lost: ReplicaLost) -> bytes:
    return json.dumps({"success": False} | payload(lost), ensure_ascii=False).encode() + b"\n"


def _told(
    parts: Iterator[bytes], last: Callable[[ReplicaLost], bytes], opening: bytes = b""
) -> Iterator[bytes]:
    """``opening``: what the last part stands behind where it is the first."""
    begun = False
    try:
        for part in parts:
            begun = True
            yield part
    except ReplicaLost as lost:
        yield (b"" if begun else opening) + last(lost)


def _cut(pieces: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from pieces
    except ReplicaLost as lost:
        raise ClientGone(lost.code) from lost


def _whole(pieces: Iterator[bytes], delimiter: bytes) -> Iterator[bytes]:
    """Each up to the last ``delimiter`` that has come; at a good end also what follows it."""
    waiting = b""
    for piece in pieces:
        waiting += piece
        at = waiting.rfind(delimiter)
        if at >= 0 or len(waiting) > LARGEST_PART:
            end = at + len(delimiter) if at >= 0 else len(waiting)
            yield waiting[:end]
            waiting = waiting[end:]
    if waiting:
        yield waiting
