"""A log that a flood cannot fill."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

EVERY_S = 1.0


class QuietLog:
    """At most one line a second of each kind; the next one says how many were left out."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._said: dict[object, tuple[float, int]] = {}

    def say(self, kind: object, sentence: str) -> None:
        """Kinds are few; ``sentence`` holds nothing of a client's."""
        now = time.monotonic()
        said_s, left_out = self._said.get(kind, (-EVERY_S, 0))
        if now - said_s < EVERY_S:
            self._said[kind] = (said_s, left_out + 1)
            return
        more = f" (and {left_out} times before)" if left_out else ""
        self._logger.warning("%s%s", sentence, more)
        self._said[kind] = (now, 0)
