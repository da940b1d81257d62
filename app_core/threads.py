"""A thread starts, or its machine says that it has none left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app_core.errors import Busy

if TYPE_CHECKING:
    import threading


def start_thread(thread: threading.Thread) -> None:
    """Raises Busy when the machine has no thread left; the thread can be started again then."""
    try:
        thread.start()
    except (RuntimeError, MemoryError) as error:
        raise Busy("The server has no thread left for this; try again soon") from error
