"""A stream of JPEG pictures as one HTTP body, multipart/x-mixed-replace.

The body is ``OPENING``, then parts, then ``CLOSING``. Each part is sent together with the
delimiter that follows it, because that is how a viewer knows that the picture is complete.
(RFC 2046, 5.1.1; the lengths in the parts are for viewers that do not search for delimiters.)
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from app_core.media import jpeg

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app_core.types import Frame

BOUNDARY = "frame"
CONTENT_TYPE = f"multipart/x-mixed-replace; boundary={BOUNDARY}"

_DELIMITER = f"--{BOUNDARY}".encode()
OPENING = _DELIMITER
CLOSING = b"--\r\n"


def part(picture: bytes, index: int, seconds: float) -> bytes:
    """Frame ``index``, a JPEG, shown at ``seconds`` on the clock of the sound."""
    stamps = f"X-Frame: {index}\r\nX-Timestamp: {seconds:.3f}\r\n"
    return _part("image/jpeg", picture, stamps)


def encoded(frame: Frame, quality: int) -> bytes:
    """The part of a frame; ``quality`` 1..100 of its JPEG."""
    return part(jpeg.encode(frame.picture, quality), frame.index, frame.seconds)


def error_part(payload: Mapping[str, Any]) -> bytes:
    """How a stream that has begun says that it failed."""
    return _part("application/json", json.dumps(payload, ensure_ascii=False).encode())


def _part(kind: str, body: bytes, more: str = "") -> bytes:
    head = f"\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return b"".join([head.encode(), body, b"\r\n", _DELIMITER])
