"""Addresses on the web, cut to what a person would say of them: the host, and a short path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_TAIL = r"((?:[/?#](?:[^\s<>()\[\]{}\"«»*|,;]++|[,;](?=\w)|\([^\s<>()]*+\))*+)?>?)"
_URL = re.compile(
    r"<?\bhttps?://(?:www\.)?(?:[^\s/?#<>()@]++@)?([^\s/?#<>()\[\]{}«»\"'*|,;:@]++)(?::\d++)?"
    + _TAIL
)
_BARE = re.compile(
    r"(?<![\w@./-])(?=[\w.-]{4,200}[/?])((?:[A-Za-z0-9][A-Za-z0-9-]{0,62}\.){1,4}[A-Za-z]{2,12})"
    r"(?=[/?])" + _TAIL
)
_AFTER = re.compile(r"[.,;:!?'_]+$")
_SEGMENT = re.compile(r"@?[^\W_]++(?:[._-][^\W_]++)*+")
_CODE = re.compile(r"[^\W\d_]\d++[^\W\d_]|\d{5}|[^\W\d_]\d{3}|\d[^\W\d_]{3}|[a-z][A-Z]+[a-z]+[A-Z]")
"""What is written for machines: ``dQw4w9WgXcQ``."""
_MOST_SEGMENTS, _LONGEST = 2, 30
"""Of a path that is said whole, in characters; of a longer one its first segment is."""


def short_addresses(text: SpanText) -> SpanText:
    """``https://www.bbc.co.uk/news?x=1#top`` becomes ``bbc.co.uk/news``, and so does what is
    written without a scheme. Queries are silent, and so are paths that nobody would dictate."""
    if "://" in text.text:
        text = text.sub(_URL, _short)
    if "/" in text.text or "?" in text.text:
        text = text.sub(_BARE, _short)
    return text


def _short(match: re.Match[str]) -> str:
    host, tail = match[1], match[2].rstrip(">")
    after = _AFTER.search(tail or host)
    marks = after.group() if after else ""
    if tail:
        tail = tail.removesuffix(marks)
    return host.rstrip(".!?'_") + _path(tail) + marks


def _path(tail: str) -> str:
    """With its slash; empty where nothing of it is to be said."""
    segments = re.split("[?#]", tail, maxsplit=1)[0].strip("/").split("/", _MOST_SEGMENTS)
    whole = len(segments) <= _MOST_SEGMENTS and sum(map(len, segments)) < _LONGEST
    if not (whole and all(map(_sayable, segments))):
        segments = segments[:1] if _sayable(segments[0]) else []
    return "".join("/" + segment for segment in segments)


def _sayable(segment: str) -> bool:
    short = len(segment) <= _LONGEST
    return short and bool(_SEGMENT.fullmatch(segment)) and not _CODE.search(segment)
