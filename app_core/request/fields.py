"""The fields of requests: what each may be, and how a wrong one is told."""

from __future__ import annotations

import json
import re
import uuid
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictStr

SMALLEST, LARGEST = 128, 1920
SLOWEST, FASTEST = 10, 60
"""Frames a second."""
_SIZE = re.compile(r"([0-9]{3,4})x([0-9]{3,4})")


def _size(value: str) -> str:
    if value == "auto":
        return value
    match = _SIZE.fullmatch(value)
    sides = [int(side) for side in match.groups()] if match else []
    if not sides or any(s % 2 or not SMALLEST <= s <= LARGEST for s in sides):
        raise ValueError(f"must be auto or WxH with even sides {SMALLEST}..{LARGEST}")
    return value


def _uuid(value: str) -> str:
    try:
        return str(uuid.UUID(value if value.isascii() else ""))
    except ValueError:
        raise ValueError("must be a UUID") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _from_json(value: Any) -> Any:
    try:
        return json.loads(value, object_pairs_hook=_once) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        raise ValueError("must be a JSON object of words, each once, and their readings") from None


def _sayable(readings: dict[str, str]) -> dict[str, str]:
    if not all(word.strip() and any(map(str.isalnum, said)) for word, said in readings.items()):
        raise ValueError("must have words, each with a reading that can be said")
    return readings


def _filled(value: str) -> str:
    """As it was sent: places in it are counted from its first character, be that a space."""
    if not value.strip():
        raise ValueError("must not be empty")
    return value


Text = Annotated[
    StrictStr, AfterValidator(_filled), Field(json_schema_extra={"minLength": 1, "pattern": r"\S"})
]
Size = Annotated[
    StrictStr,
    AfterValidator(_size),
    Field(json_schema_extra={"pattern": r"^(auto|[0-9]{3,4}x[0-9]{3,4})$"}),
]
JobId = Annotated[StrictStr, AfterValidator(_uuid), Field(json_schema_extra={"format": "uuid"})]
Preset = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"
]  # fmt: skip
Language = Literal["ru", "kk", "en", "auto"]
Word = Annotated[StrictStr, Field(min_length=1, max_length=100)]
Reading = Annotated[StrictStr, Field(min_length=1, max_length=300)]
Readings = Annotated[
    dict[Word, Reading],
    Field(max_length=200),
    BeforeValidator(_from_json),
    AfterValidator(_sayable),
]
"""By word. In a query or form it is JSON."""
Speed = Annotated[float, Field(ge=0.5, le=2.0, allow_inf_nan=False, strict=True)]
Pitch = Annotated[float, Field(ge=-12.0, le=12.0, allow_inf_nan=False, strict=True)]
"""Semitones."""
