"""Where films lie: one folder a process, which is there only while it holds something.

The process keeps a lock on its folder, so a folder that can be locked belongs to a dead one.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from app_core.storage.folder_lock import held, hold

if TYPE_CHECKING:
    from app_core.config import Config

logger = logging.getLogger(__name__)
PREFIX = "soyle-"


def writable(folder: Path) -> bool:
    """Whether files can be made there: makes the folder, and a file that is gone at once. What the
    permissions say is not asked: they do not know of read-only and of special file systems."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def with_work_dir(config: Config) -> Config:
    """The same settings, without a WORK_DIR in which files cannot be made."""
    if config.work_dir is None or writable(config.work_dir):
        return config
    logger.warning("WORK_DIR %s cannot be written: the system's is taken", config.work_dir)
    return config.model_copy(update={"work_dir": None})


class Scratch:
    """Thread-safe. Without ``parent`` they lie in the system's folder for temporary files."""

    def __init__(self, parent: Path | None) -> None:
        self._parent = parent or Path(tempfile.gettempdir())
        self._folder: Path | None = None
        self._descriptor = -1
        self._lock = threading.Lock()

    def sweep(self) -> int:
        """Removes the folders of dead processes. Returns how many there were."""
        swept = 0
        for folder in self._parent.glob(f"{PREFIX}[0-9]*-*"):
            with contextlib.suppress(OSError), held(folder):
                if folder.stat().st_uid == os.getuid():
                    shutil.rmtree(folder)
                    swept += 1
        if swept:
            logger.info("removed %d folders of processes that are gone", swept)
        return swept

    def take(self, name: str) -> Path:
        """A place for the file ``name``, empty until it is written. Raises OSError."""
        with self._lock:
            if self._folder is not None and not self._folder.is_dir():
                logger.warning("%s was removed by somebody else: made anew", self._folder)
                self._let_go()
            folder = self._folder or self._make()
            path = folder / name
            path.touch(exist_ok=False)
            return path

    def free(self, path: Path) -> None:
        """Removes a file; the last one takes the folder along. One that is open stays readable."""
        with self._lock:
            path.unlink(missing_ok=True)
            if self._folder is not None:
                with contextlib.suppress(OSError):
                    self._folder.rmdir()
                    self._let_go()

    def close(self) -> None:
        """Removes everything."""
        with self._lock:
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
                self._let_go()

    def _make(self) -> Path:
        self._parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=self._parent))
        self._descriptor = hold(folder)
        self._folder = folder
        return folder

    def _let_go(self) -> None:
        os.close(self._descriptor)
        self._folder = None
