"""A file that is gone from the disk with the last descriptor of it."""

from __future__ import annotations

import os
import tempfile
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def nameless_file(folder: Path | str | None) -> IO[bytes]:
    """Unbuffered, in ``folder``, which is made where it is not there: what cleans a machine's
    temporary files may take it at any time. None is the system's. Raises OSError."""
    if folder is not None:
        os.makedirs(folder, exist_ok=True)
    return tempfile.TemporaryFile(dir=folder, buffering=0)
