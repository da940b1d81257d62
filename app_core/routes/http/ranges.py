"""Which Range headers are served (RFC 9110, section 14.2)."""

from __future__ import annotations

import re

from flask import request

_ONE = re.compile(r"bytes=[ \t]*(?:([0-9]+)-([0-9]*)|-([0-9]+))[ \t]*", re.IGNORECASE)
_DIGITS = 18
"""Of a position; no file has more."""


def keep_one_range(length: int) -> None:
    """One range of bytes in a GET is served, of what has ``length`` bytes.

    Several, a malformed one, another unit or another method are answered with the whole, so the
    header is taken away before anybody else reads it.
    """
    given = request.environ.pop("HTTP_RANGE", None)
    found = _ONE.fullmatch(given) if given is not None else None
    if found is None or request.method != "GET":
        return
    first, last, suffix = (_bounded(digits) for digits in found.groups())
    if suffix:
        # The last so many, or all that there are; none of them is outside of the file.
        begin = max(length - int(suffix), 0) if int(suffix) else length
        request.environ["HTTP_RANGE"] = f"bytes={begin}-"
    elif not last or int(first) <= int(last):
        request.environ["HTTP_RANGE"] = f"bytes={first}-{last}"


def _bounded(digits: str | None) -> str:
    short = (digits or "").lstrip("0") or (digits or "")[:1]
    return short if len(short) <= _DIGITS else "9" * _DIGITS
