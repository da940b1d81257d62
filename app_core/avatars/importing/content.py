"""What an import is made of, so that the same is never made twice."""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING

from app_core.avatars.metadata import read_metadata

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


def origin(home: Path) -> tuple[str, str]:
    """SHA-256 of the file that an avatar was made of, and that file's name in AVATAR_DIR; empty
    where its metadata do not say."""
    with contextlib.suppress(OSError, ValueError):
        metadata = read_metadata(home)
        return str(metadata.get("sha256", "")), str(metadata.get("dropped", ""))
    return "", ""


def import_name(sha256: str, finder: str) -> str:
    """Of the folder in which the import of some bytes lies."""
    return f"{sha256[:40]}-{RECIPE}-{finder}"


def stamp_of(path: Path) -> tuple[int, int]:
    """Size and time: another when the file has changed. Raises OSError."""
    facts = path.stat()
    return facts.st_size, facts.st_mtime_ns
