"""The body of a client's request, on its way to a replica."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import request
from werkzeug.exceptions import ClientDisconnected

from app_core.routes.http.multipart_form import MIME
from app_core.server.limits import Limits

if TYPE_CHECKING:
    from app_core.cluster.exchange import Exchange

LARGEST = Limits.body_bytes
"""Bytes of one that a front door waits for."""
_PIECE = 1 << 16


@dataclass(slots=True)
class RequestBody:
    """Of this request. What is no form is small, and here as a whole."""

    whole: bytes | None
    """None: it is passed on as it comes."""
    size: int | None
    """Bytes; None: nobody knows."""
    _begun: bool = False

    @classmethod
    def here(cls) -> RequestBody:
        """One that is too large for any view is left where it is: its head tells a replica."""
        size = request.content_length
        if request.mimetype == MIME:
            return cls(None, size)
        if size is not None and size > LARGEST:
            return cls(b"", size)
        request.max_content_length = LARGEST + 1
        whole = request.get_data()
        return cls(whole, len(whole))

    @property
    def spent(self) -> bool:
        """It cannot be sent again."""
        return self.whole is None and self._begun

    def send(self, exchange: Exchange) -> None:
        """As far as the replica wants it. Raises ReplicaLost, ClientGone."""
        if self.whole is not None:
            exchange.upstream.send(self.whole)
        elif exchange.invited():
            self._begun = True
            self._send_as_it_comes(exchange)

    def _send_as_it_comes(self, exchange: Exchange) -> None:
        """Who brings no more is the replica's to judge, which has the same patience; whoever has
        left, ``exchange`` finds out."""
        upstream = exchange.upstream
        request.max_content_length = sys.maxsize  # the replica's to bound, too
        try:
            while piece := request.stream.read(_PIECE):
                if upstream.answered():
                    return
                upstream.send(piece)
        except (TimeoutError, ConnectionError, ClientDisconnected):
            return
        upstream.sent()
