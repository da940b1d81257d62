"""Candidates that come after the offer: application/trickle-ice-sdpfrag (RFC 8840)."""

from __future__ import annotations

from typing import NamedTuple

from app_core.errors import BadInput
from app_core.outputs.webrtc.offer import is_local_name

LONGEST = 64 << 10
"""Characters."""
MOST_CANDIDATES = 64


class Fragment(NamedTuple):
    candidates: list[tuple[str, str]]
    """(line as in SDP, without ``a=``; mid of its line of media)."""
    key: tuple[str, str]
    """Name and password of ICE, as far as it tells them."""

    def restarts(self, key: tuple[str, str]) -> bool:
        """It is of another ICE session than the one of ``key``."""
        return any(told and told != known for told, known in zip(self.key, key, strict=True))


def read_fragment(text: str) -> Fragment:
    """Raises BadInput. What only the peer's own network can resolve is left out."""
    if len(text) > LONGEST:
        raise BadInput(f"The fragment is longer than {LONGEST} characters", field="sdp")
    candidates: list[tuple[str, str]] = []
    user, password, mid = "", "", "0"
    for line in text.replace("\r\n", "\n").split("\n"):
        name, _, value = line.partition(":")
        if name == "a=ice-ufrag":
            user = value.strip()
        elif name == "a=ice-pwd":
            password = value.strip()
        elif name == "a=mid":
            mid = value.strip()
        elif name == "a=candidate" and not is_local_name(line):
            candidates.append((line[2:].strip(), mid))
    if not text.lstrip().startswith(("a=", "m=", "s=", "v=", "o=", "t=")):
        raise BadInput("The body is not a fragment of SDP", field="sdp")
    if len(candidates) > MOST_CANDIDATES:
        raise BadInput(f"More than {MOST_CANDIDATES} candidates at once", field="sdp")
    return Fragment(candidates, (user, password))
