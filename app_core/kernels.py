"""Compiled kernels, kept on disk between starts.

numba's own cache looks only at the file of each kernel, so one that calls into another file would
go on with what that file used to say. Here the cache's folder carries a hash of all of them.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

logger = logging.getLogger(__name__)

F = TypeVar("F", bound="Callable[..., Any]")

_PACKAGE = Path(__file__).parent


def _version() -> str:
    """Of everything that kernels are made of."""
    found = hashlib.sha256(numba.__version__.encode())
    for path in sorted(_PACKAGE.rglob("*.py")):
        source = path.read_bytes()
        if b"app_core.kernels" in source:
            found.update(source)
    return found.hexdigest()[:16]


def _folders() -> Iterator[Path]:
    yield _PACKAGE / "__pycache__"
    caches = os.environ.get("XDG_CACHE_HOME")
    try:
        yield (Path(caches) if caches else Path.home() / ".cache") / "soyle"
    except RuntimeError as error:  # a user without a home and without an entry in passwd
        logger.info("%s", error)


def _cache() -> Path | None:
    """A folder of ours that can be written, emptied of older versions; None if there is none."""
    for parent in _folders():
        folder = parent / f"kernels-{_version()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if not os.access(folder, os.W_OK | os.X_OK):
            continue
        for older in parent.glob("kernels-*"):
            if older != folder:
                shutil.rmtree(older, ignore_errors=True)
        return folder
    logger.warning("no folder for compiled kernels can be written: each start compiles them anew")
    return None


if "NUMBA_CACHE_DIR" in os.environ:
    _FOLDER: Path | None = Path(os.environ["NUMBA_CACHE_DIR"])
else:
    _FOLDER = _cache()
    setattr(numba.config, "CACHE_DIR", str(_FOLDER or ""))  # noqa: B010, numba makes it at import


def compiled() -> bool:
    """Whether an earlier start has left kernels: else this one compiles them, for a minute."""
    return _FOLDER is not None and any(_FOLDER.rglob("*.nbi"))


def kernel(function: F) -> F:
    """Compiled at its first call, without the GIL."""
    compiled: Any = numba.njit(nogil=True, fastmath=True, cache=_FOLDER is not None)(function)
    return cast(F, compiled)


def inlined(function: F) -> F:
    """Becomes part of each kernel that calls it."""
    compiled: Any = numba.njit(nogil=True, fastmath=True, inline="always")(function)
    return cast(F, compiled)
