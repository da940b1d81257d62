"""A folder that belongs to a living process is locked, so one that can be locked has no owner."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def hold(folder: Path) -> int:
    """A descriptor that holds the folder until it is closed.

    Raises BlockingIOError when another process has it, OSError where no folder can be locked.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Raises like ``hold``."""
    descriptor = hold(folder)
    try:
        yield
    finally:
        os.close(descriptor)
