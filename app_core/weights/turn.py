"""Whose turn it is to bring files into a folder: one process at a time, of all that share it."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from app_core.cancel_scope import never
from app_core.errors import Cancelled
from app_core.storage.claims import CLAIMS, Claims

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from app_core.cancel_scope import Stale

_NAME = "pull"
_LOOK_S = 0.2


@contextlib.contextmanager
def turn(folder: Path, say: Callable[[str], None], stale: Stale = never) -> Iterator[None]:
    """Who comes second waits for the first, which may be long; on a disk that knows no locks, all
    come at once. Raises Cancelled when ``stale`` says so."""
    claims, waited = Claims(folder / CLAIMS), False
    while True:
        try:
            claim = claims.take(_NAME)
            break
        except BlockingIOError:
            if not waited:
                say(f"another process brings files to {folder}: waiting for it")
            waited = True
        if stale():
            raise Cancelled("The download was cancelled")
        time.sleep(_LOOK_S)
    try:
        yield
    finally:
        claim.release()
