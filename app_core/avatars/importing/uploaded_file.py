"""A file on its way in."""

from __future__ import annotations

import contextlib
import uuid
from typing import TYPE_CHECKING

from app_core.shares import Share

if TYPE_CHECKING:
    from pathlib import Path

    from app_core.storage.scratch import Scratch


class Upload:
    """Nothing of its name is used: what it is, its content says."""

    def __init__(self, scratch: Scratch, share: Share | None = None) -> None:
        """``share``: what its client holds of uploads; an import that takes it gives it back."""
        self._scratch, self.share = scratch, share or Share()
        self.path: Path | None = None
        self.taken = False

    def place(self) -> Path:
        """An empty file. Raises OSError."""
        self.path = self._scratch.take(f"upload-{uuid.uuid4()}")
        return self.path

    def close(self) -> None:
        """Removes the file unless an import has taken it."""
        if self.path is not None and not self.taken:
            with contextlib.suppress(OSError):
                self._scratch.free(self.path)
