"""STUN and TURN servers, for this server and for the browsers that are told of them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import math
import time
from typing import TYPE_CHECKING, Any

from aiortc import RTCIceServer

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

WARN_S = 60.0
_GIVES = {"stun": "srflx", "turn": "relay"}
"""Kinds of candidates."""
LIFE_S = 6 * 3600
"""Of a credential that is made for one client."""


class IceServers:
    def __init__(
        self,
        urls: tuple[str, ...] = (),
        user: str = "",
        password: str = "",
        secret: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``secret``: shared with the TURN server, which takes credentials that end by themselves
        (draft-uberti-behave-turn-rest-00, what coturn calls use-auth-secret); ``user`` and
        ``password`` are for one that does not."""
        self._urls, self._user, self._password = urls, user, password
        self._secret, self._clock = secret, clock
        self._warned_s = -math.inf

    def for_client(self) -> list[dict[str, Any]]:
        """As RTCPeerConnection takes them: urls, and username and credential of a TURN server."""
        plain = [url for url in self._urls if url.startswith("stun")]
        relays = [url for url in self._urls if not url.startswith("stun")]
        servers: list[dict[str, Any]] = [{"urls": plain}] if plain else []
        if relays:
            user, password = self._credential()
            servers.append({"urls": relays, "username": user, "credential": password})
        return servers

    def note(self, answer: str) -> None:
        """Warns, once in WARN_S, where an answer lacks what these servers should have given."""
        wanted = {kind for scheme, kind in _GIVES.items() if self._asks(scheme)}
        missing = sorted(kind for kind in wanted if f" typ {kind}" not in answer)
        if missing and self._clock() - self._warned_s >= WARN_S:
            self._warned_s = self._clock()
            servers = ", ".join(self._urls)
            logger.warning("%s gave no candidate of the kind %s", servers, " and ".join(missing))

    def _asks(self, scheme: str) -> bool:
        return any(url.startswith(scheme) for url in self._urls)

    def for_server(self) -> list[RTCIceServer]:
        return [RTCIceServer(**server) for server in self.for_client()]

    def _credential(self) -> tuple[str, str]:
        if not self._secret:
            return self._user, self._password
        user = f"{int(self._clock()) + LIFE_S}:{self._user or 'soyle'}"
        mark = hmac.new(self._secret.encode(), user.encode(), hashlib.sha1).digest()
        return user, base64.b64encode(mark).decode()
