"""Work that another thread does meanwhile."""

from __future__ import annotations

import threading
from contextvars import copy_context
from typing import TYPE_CHECKING, Generic, TypeVar

from app_core.errors import Busy
from app_core.threads import start_thread

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Ahead(Generic[T]):
    def __init__(self, work: Callable[[], T], name: str) -> None:
        """``work`` knows what the thread that asks for it knows, and ends by itself."""
        self._work, self._context = work, copy_context()
        self._found: T | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        try:
            start_thread(self._thread)
        except Busy:
            self._run()

    def result(self) -> T | None:
        """Waits for it. Raises what it raised."""
        self.join()
        if self._error is not None:
            raise self._error
        return self._found

    def join(self) -> None:
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            self._found = self._context.run(self._work)
        except Exception as error:
            self._error = error
