"""Texts that take as long as several pictures to make, and that anybody may ask for: each is made
once for an address of ours."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 8
"""Names and prefixes by which one server is asked."""


class KeptText:
    """Thread-safe: one makes a text, whoever asks meanwhile waits for it."""

    def __init__(self) -> None:
        self._texts: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str, make: Callable[[], str]) -> str:
        with self._lock:
            found = self._texts.get(key)
            if found is None:
                found = self._texts[key] = make()
                while len(self._texts) > MOST:
                    self._texts.popitem(last=False)
            self._texts.move_to_end(key)
            return found
