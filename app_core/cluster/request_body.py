"""The body of a client's request, on its way to a replica."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import request
from werkzeug.exceptions import ClientDisconnected

from app_core.routes.http.context import small_body
from app_core.routes.http.multipart_form import MIME

if TYPE_CHECKING:
    from app_core.cluster.exchange import Exchange

_PIECE = 1 << 16


@dataclass(slots=True)
class RequestBody:
    """Of this request. What is no form is small, and here as a whole."""

    whole: bytes | None
    """None: it is passed on as it comes."""
    _begun: bool = False

    @classmethod
    def here(cls) -> RequestBody:
        """Raises TooLarge."""
        return cls(None if request.mimetype == MIME else small_body())

    @property
    def size(self) -> int | None:
        """Bytes; None: nobody knows."""
        return request.content_length if self.whole is None else len(self.whole)

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
