"""A thread that looks again and again at what people may have changed on the disk."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from app_core.errors import Cancelled
from app_core.threads import start_thread

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

EVERY_S = 2.0
_JOIN_S = 30.0


class Watch:
    """``looks`` may be given after it is made; they end soon after ``check`` raises."""

    def __init__(self) -> None:
        self.looks: tuple[Callable[[], None], ...] = ()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Raises Busy when no thread is left."""
        start_thread(self._thread)

    def check(self) -> None:
        """Raises Cancelled at the end."""
        if self._closing.is_set():
            raise Cancelled("The server is stopping")

    def close(self) -> None:
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def _run(self) -> None:
        while not self._closing.wait(EVERY_S):
            for look in self.looks:
                try:
                    look()
                except Cancelled:
                    return
                except Exception:
                    logger.exception("a look at the disk failed")
