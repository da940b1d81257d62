"""How many bits went by in the last second."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class BitMeter:
    """Used by one thread, or under a lock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` tells seconds."""
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def add(self, size: int) -> None:
        """So many bytes went by now."""
        self._forget()
        self._seen.append((self._clock(), size))

    @property
    def bits_s(self) -> int:
        self._forget()
        return 8 * sum(size for _, size in self._seen)

    def _forget(self) -> None:
        ago = self._clock() - 1.0
        while self._seen and self._seen[0][0] <= ago:
            self._seen.popleft()
