"""What the settings of a speech server hold, checked as they are read."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator

_NAMED = re.compile(r"(ru|kk|en)=([^,=\x00-\x1f]*)")
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9a-fA-F:.]+(%[A-Za-z0-9._-]+)?")
_ANYTHING = "ru=,kk=,en="


def _web_address(value: str) -> str:
    value = value.strip()
    if not value:
        return value
    try:
        parts = urlsplit(value)
        host = (parts.hostname or "").encode("idna").decode()
        usable = parts.scheme in ("http", "https") and _HOST.fullmatch(host) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("must be an address that begins with http:// or https://")
    if "@" in parts.netloc:
        raise ValueError("must hold no name and password: VOICE_SERVER_KEY is for the key")
    return value


def named_voices(value: str) -> dict[str, tuple[str, ...]]:
    """Names with their languages, in order; the empty name is the server's own voice, and speaks
    all where nothing is named. Raises ValueError.
    """
    names: dict[str, tuple[str, ...]] = {}
    for pair in (value.strip() or _ANYTHING).split(","):
        found = _NAMED.fullmatch(pair.strip())
        if found is None:
            raise ValueError("must be pairs as ru=alloy of a language, ru, kk or en, and a name")
        language, name = found[1], found[2].strip()
        if language in names.get(name, ()):
            raise ValueError("must name a voice once for a language")
        names[name] = (*names.get(name, ()), language)
    return names


def json_object(value: str) -> dict[str, Any]:
    """{} where there is nothing. Raises ValueError."""
    try:
        found = json.loads(value) if value.strip() else {}
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ValueError("must be a JSON object")
    return found


def _checked(value: str) -> str:
    named_voices(value)
    return value


def _an_object(value: str) -> str:
    json_object(value)
    return value


WebAddress = Annotated[str, AfterValidator(_web_address)]
"""Of http or https, without a password, or empty."""
NamedVoices = Annotated[str, AfterValidator(_checked)]
"""What ``named_voices`` reads."""
JsonObject = Annotated[str, AfterValidator(_an_object)]
"""What ``json_object`` reads."""
