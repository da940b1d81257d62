"""What a server says of its own failure, short enough and free of secrets."""

from __future__ import annotations

import html
import json
import re
from typing import Any

_LONGEST = 200
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_KEY_PART = 4
"""Characters of a key by which a shortened one is known: servers answer "sk-ab***yz"."""


def last_words(body: bytes, kind: str, key: str, said: str) -> str:
    """One line, perhaps empty. ``kind``: the media type of ``body``; ``key`` and ``said``, the
    text that was to be spoken, are not shown.
    """
    text = body.decode("utf-8", "replace")
    if kind.endswith("json"):
        text = _of_json(text)
    elif kind.endswith("html"):
        title = _TITLE.search(text)
        text = html.unescape(_TAG.sub(" ", title[1] if title else ""))
    elif kind and not kind.startswith("text/"):
        text = ""
    return clean(text, key, said)


def clean(text: str, key: str, said: str) -> str:
    """What a person may read of a server's ``text``."""
    for secret in filter(None, (said.strip(), key)):
        text = text.replace(secret, "…").replace(json.dumps(secret)[1:-1], "…")
    if len(key) >= 2 * _KEY_PART:
        ends = f"{re.escape(key[:_KEY_PART])}|{re.escape(key[-_KEY_PART:])}"
        text = re.sub(rf"\S*(?:{ends})\S*", "…", text)
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _of_json(text: str) -> str:
    """OpenAI says ``{"error": {"message"}}``, FastAPI ``{"detail"}``, with or without a list."""
    try:
        value: Any = json.loads(text)
    except ValueError:
        return text
    while not isinstance(value, str):
        if isinstance(value, list) and value:
            value = value[0]
        elif isinstance(value, dict):
            names = ("error", "detail", "message", "msg", "error_description")
            value = next((value[name] for name in names if value.get(name)), None)
        else:
            return ""
    return value
