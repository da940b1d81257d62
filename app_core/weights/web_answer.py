"""What a web server says of a file, and of the part of it that it sends."""

from __future__ import annotations

import re
import urllib.request
from typing import TYPE_CHECKING

from app_core.config import VERSION

if TYPE_CHECKING:
    from http.client import HTTPResponse

TIMEOUT_S = 15.0
"""For the connection, and for each wait for bytes."""
_PARTIAL = 206


def ask(url: str, have: int, mark: str) -> HTTPResponse:
    """For the file without its first ``have`` bytes, or for all of it when its ``mark`` is another
    now. Raises OSError, HTTPError for a status that is no success, HTTPException or ValueError.
    """
    headers = {"User-Agent": f"Soyle/{VERSION}", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if mark:
            headers["If-Range"] = mark
    asked = urllib.request.Request(url, headers=headers)
    answer: HTTPResponse = urllib.request.urlopen(asked, timeout=TIMEOUT_S)
    if url.startswith("https:") and not answer.url.startswith("https:"):
        answer.close()
        raise ValueError(f"it leads to {answer.url}, which is not encrypted")
    return answer


def sent_part(answer: HTTPResponse, have: int) -> tuple[int, int | None]:
    """(where the bytes that come begin, the bytes of the whole file or None where it is not said).

    Raises ValueError when another part comes than the one behind ``have``.
    """
    if answer.status != _PARTIAL:
        length = answer.headers.get("Content-Length", "")
        return 0, int(length) if length.isascii() and length.isdigit() else None
    part = answer.headers.get("Content-Range", "")
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", part, re.ASCII)
    if found is None or int(found[1]) != have:
        raise ValueError(f"the server sends another part than the one that is missing: {part}")
    return have, None if found[2] == "*" else int(found[2])


def validator(answer: HTTPResponse) -> str:
    """What If-Range takes; empty when the server gives nothing that is exact enough."""
    etag = answer.headers.get("ETag", "")
    if etag.startswith('"'):
        return etag if etag.isascii() else ""
    # A weak tag says that two files mean the same, not that their bytes are.
    return "" if etag else answer.headers.get("Last-Modified", "")
