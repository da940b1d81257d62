"""Sound in server-sent events: base64 in ``speech.audio.delta``, as OpenAI sends it."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING

from app_core.errors import VoiceUnreachable
from app_core.speech.voices.server.last_words import last_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LONGEST_LINE = 8 << 20  # bytes: some servers send a whole sentence in one event
_END = "[DONE]"


def sound_of_events(
    blocks: Iterable[bytes], key: str, said: str, *, framed: bool
) -> Iterator[bytes]:
    """The bytes of sound in a stream of events, in order; other events are passed over.

    ``key`` and ``said`` are not shown in an error. ``framed``: HTTP itself tells where the stream
    ends; elsewhere its last event has to. Raises VoiceUnreachable for an event of an error, for
    one that cannot be read, and for a stream that is cut.
    """
    for line in _lines(blocks):
        name, _, data = line.partition(b":")
        if name != b"data":
            continue
        text = data.strip().decode("utf-8", "replace")
        if text == _END:
            return
        try:
            event = json.loads(text)
            kind = str(event.get("type", ""))
            sound = base64.b64decode(event.get("audio") or event.get("delta") or "", validate=True)
        except (ValueError, TypeError, AttributeError, binascii.Error):
            raise VoiceUnreachable("The speech server sent an event that cannot be read") from None
        if kind == "error" or event.get("error"):
            words = last_words(text.encode(), "application/json", key, said)
            raise VoiceUnreachable(f"The speech server failed: {words}".rstrip(": "))
        if sound:
            yield sound
        if kind.endswith(".done"):
            return
    if not framed:
        raise VoiceUnreachable("The speech server broke off before its last event")


def _lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Without their ends. What follows the last end is no line."""
    waiting = bytearray()
    for block in blocks:
        waiting += block
        if b"\n" in block:
            *lines, rest = waiting.split(b"\n")
            yield from (bytes(line).rstrip(b"\r") for line in lines)
            waiting = rest
        if len(waiting) > _LONGEST_LINE:
            raise VoiceUnreachable("The speech server sent an event that is too long")
