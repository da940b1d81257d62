"""One of the few places that uploads have."""

from __future__ import annotations

import threading


class Place:
    """Of an upload. Released once, by whoever is first."""

    def __init__(self, places: threading.BoundedSemaphore) -> None:
        self._places = places
        self._lock = threading.Lock()
        self._held = True

    def release(self) -> None:
        with self._lock:
            if self._held:
                self._held = False
                self._places.release()
