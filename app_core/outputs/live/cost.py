"""What a session costs by who looks at it, in parts of one that a single socket shows as JPEG and
PCM: that is what admission takes a session for when it begins.

Parts of the core time that sessions took side by side at 512x512 (docs/numbers.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

MADE = 0.7
"""Its pictures and sound before any codec."""
ENCODED = {"jpeg": 0.26, "mp4": 1.1, "h264": 0.6, "vp8": 0.9, "pcm": 0.0, "opus": 0.1}
SOCKET, PEER = 0.04, 0.3
"""A viewer over a WebSocket, and over WebRTC: packets, each enciphered."""
TO_PEERS = ("h264", "vp8")
"""Codecs that only WebRTC carries."""


def weight(viewers: Collection[tuple[str, str]]) -> float:
    """``viewers``: the codecs of each, picture and sound. At least 1: somebody will look."""
    codecs = {codec for viewer in viewers for codec in viewer}
    looking = sum(PEER if video in TO_PEERS else SOCKET for video, _ in viewers)
    return max(1.0, MADE + sum(ENCODED.get(codec, 0.0) for codec in codecs) + looking)
