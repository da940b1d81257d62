"""Ids of what a client asks for again: each tells which replica of a cluster has it.

A UUID of version 8 (RFC 9562, section 5.8) whose first 8 digits are the replica's place; without a
cluster one of version 4, which tells nothing.
"""

from __future__ import annotations

import re
import secrets
import uuid

PLACE_DIGITS = 8
_PLACE = re.compile(r"[0-9a-f]{8}")
_VERSION, _VARIANT = 8 << 76, 2 << 62
_RANDOM = (1 << 96) - 1 & ~(15 << 76) & ~(3 << 62)


def new_id(place: str) -> str:
    """``place``: 8 hex digits; empty: no cluster."""
    if not place:
        return str(uuid.uuid4())
    low = secrets.randbits(96) & _RANDOM
    return str(uuid.UUID(int=int(place, 16) << 96 | _VERSION | _VARIANT | low))


def new_key(place: str) -> str:
    """As ``new_id``, for what its id alone opens: nobody guesses it."""
    return place + secrets.token_urlsafe(24)


def place_in(name: str) -> str:
    """The place that an id or a key may begin with; empty where it cannot."""
    found = _PLACE.match(name)
    return found[0] if found else ""
