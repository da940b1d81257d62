"""Candidates that come after the offer: application/trickle-ice-sdpfrag (RFC 8840)."""

from __future__ import annotations

from typing import NamedTuple

from app_core.errors import BadInput
from app_core.outputs.webrtc.offer import LONGEST

MOST_AT_ONCE = 64
"""Candidates."""


class Fragment(NamedTuple):
    candidates: list[str]
    """As in SDP, without ``a=``."""
    key: tuple[str, str]
    """Name and password of ICE, as far as it tells them."""

    def restarts(self, key: tuple[str, str]) -> bool:
        """It is of another ICE session than the one of ``key``."""
        return any(told and told != known for told, known in zip(self.key, key, strict=True))


def read_fragment(text: str) -> Fragment:
    """Raises BadInput."""
    if len(text) > LONGEST:
        raise BadInput(f"The fragment is longer than {LONGEST} characters", field="sdp")
    candidates: list[str] = []
    user, password = "", ""
    for line in text.replace("\r\n", "\n").split("\n"):
        name, _, value = line.partition(":")
        if name == "a=ice-ufrag":
            user = value.strip()
        elif name == "a=ice-pwd":
            password = value.strip()
        elif name == "a=candidate":
            candidates.append(line[2:].strip())
    if not text.lstrip().startswith(("a=", "m=", "s=", "v=", "o=", "t=")):
        raise BadInput("The body is not a fragment of SDP", field="sdp")
    if len(candidates) > MOST_AT_ONCE:
        raise BadInput(f"More than {MOST_AT_ONCE} candidates at once", field="sdp")
    return Fragment(candidates, (user, password))
