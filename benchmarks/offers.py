"""Offers that a server takes, and of which nothing follows: no peer is behind them."""

from __future__ import annotations

import asyncio
import re
import secrets
from functools import cache

from aiortc import RTCConfiguration, RTCPeerConnection

_UFRAG, _PWD = re.compile(r"a=ice-ufrag:\S+"), re.compile(r"a=ice-pwd:\S+")


@cache
def _offer() -> str:
    async def made() -> str:
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        try:
            for kind in ("video", "audio"):
                peer.addTransceiver(kind, direction="recvonly")
            peer.createDataChannel("control")
            await peer.setLocalDescription(await peer.createOffer())
            return peer.localDescription.sdp
        finally:
            await peer.close()

    lines = asyncio.run(made()).splitlines()
    return "\r\n".join([*(x for x in lines if "candidate" not in x), ""])


def fresh_offer() -> str:
    """SDP. Each has an ICE name and password of its own, so each is another offer."""
    named = _UFRAG.sub(f"a=ice-ufrag:{secrets.token_hex(4)}", _offer())
    return _PWD.sub(f"a=ice-pwd:{secrets.token_hex(11)}", named)
