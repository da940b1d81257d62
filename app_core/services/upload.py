"""A file on its way in."""

from __future__ import annotations

import contextlib
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from app_core.services.results import Results


class Upload:
    """Nothing of its name is used: what it is, its content says."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self.path: Path | None = None
        self.taken = False

    def place(self) -> Path:
        """An empty file. Raises OSError."""
        self.path = self._results.take(f"upload-{uuid.uuid4()}")
        return self.path

    def close(self) -> None:
        """Removes the file unless an import has taken it."""
        if self.path is not None and not self.taken:
            with contextlib.suppress(OSError):
                self._results.free(self.path)
