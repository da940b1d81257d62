"""The data channel ``control``: events out, commands in, and the sign that the peer lives."""

from __future__ import annotations

import json
import logging
from collections import deque
from typing import TYPE_CHECKING

from app_core.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiortc import RTCDataChannel

    from app_core.types import Event

logger = logging.getLogger(__name__)

LABEL = "control"
SILENCE_S = 3.0
"""A peer that opened the channel and sends nothing for so long is gone."""
MOST_EVENTS = 256
"""That wait for the channel to open: older ones are forgotten."""
MOST_UNSENT = 256 << 10
"""Bytes. A peer that takes no more is gone."""
LARGEST_COMMAND = 64 << 10
"""Characters. A peer that sends more at once is gone."""
MESSAGES_A_SECOND, MESSAGES_AT_ONCE = 100, 1000
"""Of a peer. One that sends more is gone."""
_STOOD_S = 2.0
"""Between two looks: the machine stood still, and what the peer sent is not read yet."""


class ControlChannel:
    """In the loop's thread alone. ``commanded`` is given each message; ``gone`` is told why the
    peer is to be left."""

    def __init__(
        self,
        now: Callable[[], float],
        commanded: Callable[[str | bytes], None],
        gone: Callable[[str], None],
    ) -> None:
        self._now, self._commanded, self._gone = now, commanded, gone
        self._channel: RTCDataChannel | None = None
        self._waiting: deque[str] = deque(maxlen=MOST_EVENTS)
        self._heard_s = self._looked_s = now()
        self._budget = TokenBucket(MESSAGES_A_SECOND, MESSAGES_AT_ONCE, clock=now)

    @property
    def open(self) -> bool:
        return self._channel is not None and self._channel.readyState == "open"

    def adopt(self, channel: RTCDataChannel) -> None:
        """One that the peer made. Others than ``control``, and a second one, are closed."""
        if channel.label != LABEL or self._channel is not None:
            channel.close()
            return
        self._channel, self._heard_s = channel, self._now()
        channel.on("message", self._message)
        while self._waiting:
            self._send(self._waiting.popleft())

    def tell(self, event: Event) -> None:
        text = json.dumps(event.payload(), ensure_ascii=False)
        if self.open:
            self._send(text)
        elif self._channel is None:
            self._waiting.append(text)

    def look(self) -> None:
        """Once or more a second: whether the peer lives."""
        now = self._now()
        if now - self._looked_s > _STOOD_S:
            self._heard_s = now
        self._looked_s = now
        if self._channel is not None and now - self._heard_s > SILENCE_S:
            self._gone("silent")

    def _send(self, text: str) -> None:
        channel = self._channel
        if channel is None or channel.readyState != "open":
            return
        if channel.bufferedAmount > MOST_UNSENT:
            self._gone("it takes no events")
            return
        try:
            channel.send(text)
        except ValueError as error:  # longer than the peer takes
            logger.warning("an event was not sent: %s", error)

    def _message(self, message: str | bytes) -> None:
        self._heard_s = self._now()
        if len(message) > LARGEST_COMMAND:
            self._gone("a message is too long")
        elif not self._budget.take():
            self._gone("messages without end")
        else:
            self._commanded(message)
