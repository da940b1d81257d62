"""What a peer is answered."""

from __future__ import annotations

from app_core.errors import Busy

NO_CANDIDATES_RETRY_S = 5


def reachable(sdp: str, public_address: str) -> str:
    """The answer with ``public_address`` beside each address of this machine of its family, where a
    router forwards its ports one to one. Raises Busy when there is no candidate: no UDP port was
    free."""
    lines = sdp.split("\r\n")
    if not any(line.startswith("a=candidate:") for line in lines):
        raise Busy(
            "The server has no UDP port left for this connection",
            retry_after_s=NO_CANDIDATES_RETRY_S,
        )
    if not public_address:
        return sdp
    told: list[str] = []
    for line in lines:
        told.append(line)
        own = line.startswith("a=candidate:") and " typ host" in line
        if own and (":" in line.split(" ")[4]) == (":" in public_address):
            told.append(_elsewhere(line, public_address))
    return "\r\n".join(told)


def _elsewhere(candidate: str, address: str) -> str:
    """The same port at another address, tried after it (RFC 8839, 5.1)."""
    fields = candidate.split(" ")
    fields[0] += "p"  # another foundation
    fields[3] = str(int(fields[3]) - 1)
    fields[4] = address
    return " ".join(fields)
