"""Candidates that come after the offer: application/trickle-ice-sdpfrag (RFC 8840)."""

from __future__ import annotations

import re
from typing import NamedTuple

from app_core.errors import BadInput
from app_core.outputs.webrtc.offer import LONGEST

MOST_AT_ONCE = 64
"""Candidates."""
_LINE = re.compile(r"(?:m=[a-z]+ \d+(?:/\d+)? \S.*|[avostbc]=\S.*|s= ?)")
"""Of a fragment, or of the whole description that some send in its place."""
_TELLS = ("a=candidate:", "a=end-of-candidates", "a=ice-ufrag:", "a=ice-pwd:")
"""What a fragment is sent for."""


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
    lines = [line for line in text.replace("\r\n", "\n").split("\n") if line.strip()]
    if not all(map(_LINE.fullmatch, lines)):
        raise BadInput("The body is not a fragment of SDP", field="sdp")
    if not any(line.startswith(_TELLS) for line in lines):
        raise BadInput("The fragment tells neither candidates nor their end", field="sdp")
    for line in lines:
        name, _, value = line.partition(":")
        if name == "a=ice-ufrag":
            user = value.strip()
        elif name == "a=ice-pwd":
            password = value.strip()
        elif name == "a=candidate":
            candidates.append(line[2:].strip())
    if len(candidates) > MOST_AT_ONCE:
        raise BadInput(f"More than {MOST_AT_ONCE} candidates at once", field="sdp")
    return Fragment(candidates, (user, password))
