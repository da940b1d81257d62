"""What an import is made of, so that the same is never made twice."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RECIPE = 3
"""Changes when what an import makes of the same bytes does."""

_BLOCK = 1 << 20


def content_of(path: Path, check: Callable[[], None] = lambda: None) -> str:
    """SHA-256 of a file; ``check`` may raise between blocks. Raises OSError."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
            check()
    return found.hexdigest()


def import_name(sha256: str, finder: str) -> str:
    """Of the folder in which the import of some bytes lies."""
    return f"{sha256[:40]}-{RECIPE}-{finder}"


def stamp_of(path: Path) -> tuple[int, int]:
    """Size and time: another when the file has changed. Raises OSError."""
    facts = path.stat()
    return facts.st_size, facts.st_mtime_ns
