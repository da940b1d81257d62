"""Faces that come in by path: any photo, any clip, any avatar; imports are kept by content."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app_core.avatars.importing.avatar_folder import IMPORTS
from app_core.avatars.importing.content import content_of, import_name, stamp_of
from app_core.avatars.importing.import_item import Again, Import
from app_core.avatars.library import ID
from app_core.avatars.metadata import METADATA
from app_core.errors import BadInput, Conflict, FileChanged, NotFound
from app_core.face.finder import finder_name
from app_core.storage.claims import CLAIMS, Claims
from app_core.storage.scratch import writable

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.avatars.importing.import_queue import Imports
    from app_core.avatars.library import Avatar, AvatarLibrary
    from app_core.config import Config
    from app_core.errors import SoyleError

logger = logging.getLogger(__name__)

KEPT = 64
"""Imports that are kept at least; more go when nobody has used them for UNUSED_S."""
UNUSED_S = 24 * 3600.0
RETRY_S = 30.0
"""After a failure that was not the file's fault it is tried again."""
_KNOWN = 256
_LOOK_S, _TELL_S, _TOUCH_S = 0.2, 5.0, 3600.0


@dataclass(frozen=True, slots=True)
class _Known:
    stamp: tuple[int, int]
    item: Import


class Faces:
    """Thread-safe. ``work(item, home)`` makes the folder ``home`` of a file."""

    def __init__(
        self,
        config: Config,
        library: AvatarLibrary,
        imports: Imports,
        work: Callable[[Import, Path], None],
    ) -> None:
        self._config, self._library = config, library
        self._imports, self._work = imports, work
        self._known: dict[Path, _Known] = {}
        self._lock = threading.Lock()
        self._home: Path | None = None

    def at(self, path: Path) -> Avatar:
        """An avatar by its folder, a file in it or its id; else a photo or clip, which is
        imported first unless its content is known: that blocks.

        Raises NotFound, or BadInput (NoFace is one) that says what is wrong with the file, both
        naming ``path``; and what an import raises.
        """
        if path.is_file() and not (path.parent / METADATA).is_file():
            return self._imported(path.resolve(), path)
        name = str(path)
        if not path.exists() and ID.fullmatch(name) and name in self._library.ids():
            return self._library.get(name)
        return self._library.at(path)

    def look(self, path: Path) -> Import:
        """How far the import of the file is, which begins unless it has; one that has ended well
        has its ``home``. A file that has changed is imported anew. Raises OSError or Busy.
        """
        with self._lock:
            stamp = stamp_of(path)
            known = self._known.get(path)
            if known is not None and known.stamp == stamp and _holds(known.item):
                _keep(known.item)
                return known.item
            if known is not None:
                known.item.cancel()
            item = Import(
                "", path.name, "named by the operator", path, theirs=True, work=self._import
            )
            self._imports.start(item)
            self._remember(path, stamp, item)
            return item

    def avatar(self, item: Import) -> Avatar:
        """Of an import that has ended well."""
        assert item.home is not None
        return self._library.at(item.home)

    def _remember(self, path: Path, stamp: tuple[int, int], item: Import) -> None:
        self._known.pop(path, None)
        self._known[path] = _Known(stamp, item)
        for old, known in list(self._known.items())[: max(len(self._known) - _KNOWN, 0)]:
            if known.item.ended.is_set():
                del self._known[old]

    def _imported(self, path: Path, named: Path) -> Avatar:
        try:
            stamp = stamp_of(path)
            known = self._known.get(path)
            if known is None or known.stamp != stamp or not _holds(known.item):
                self._take_kept(path, stamp)
            item = self.look(path)
        except OSError as error:
            raise _named(FileChanged(field="file"), named) from error
        except BadInput as error:
            raise _named(error, named) from error
        told_s = time.monotonic()
        while not item.ended.wait(_LOOK_S):
            if time.monotonic() - told_s > _TELL_S:
                told_s = time.monotonic()
                logger.info("importing %s: %s, %.0f %%", named, item.stage, 100 * item.progress)
        if item.error is not None:
            raise _named(item.error, named)
        return self.avatar(item)

    def _take_kept(self, path: Path, stamp: tuple[int, int]) -> None:
        """A file whose content is known does not wait for others that are being imported."""
        home = self._place(_content(path))
        if (home / METADATA).is_file() and stamp_of(path) == stamp:
            item = Import("", path.name, "", path, theirs=True, work=self._import, home=home)
            item.ended.set()
            _touch(home)
            with self._lock:
                self._remember(path, stamp, item)

    def _import(self, item: Import) -> None:
        """In the thread of the imports. Raises Again while another server makes it."""
        if item.home is None:
            item.home = self._place(_content(item.source, item.check))
        home = item.home
        if not (home / METADATA).is_file():
            home.parent.mkdir(parents=True, exist_ok=True)
            self._claim(item, home)
        if not (home / METADATA).is_file():
            try:
                self._work(item, home)
            except Conflict:
                if item.cancelled() or not (home / METADATA).is_file():
                    raise
                logger.info("another server has imported %s meanwhile", item.name)
            self._prune(home)
        _touch(home)

    def _claim(self, item: Import, home: Path) -> None:
        claims = Claims(home.parent / CLAIMS, self._config.place)
        try:
            item.claim = claims.take(home.name, stage=item.stage, progress=item.progress)
        except BlockingIOError as error:
            item.follow(claims.look(home.name))
            raise Again from error

    def _place(self, sha256: str) -> Path:
        if self._home is None:
            self._home = _writable(self._config)
        return self._home / import_name(sha256, finder_name(self._config.models_dir))

    def _prune(self, newest: Path) -> None:
        """Old recipes and files that nobody names any more do not fill the disk."""
        used = {known.item.home for known in list(self._known.values())} | {newest}
        ages: list[tuple[float, Path]] = []
        for folder in newest.parent.iterdir():
            with contextlib.suppress(OSError):
                if not folder.name.startswith(".") and folder not in used:
                    ages.append((time.time() - folder.stat().st_mtime, folder))
        for age_s, folder in sorted(ages)[KEPT:]:
            if age_s > UNUSED_S:
                shutil.rmtree(folder, ignore_errors=True)
                self._library.forget(folder)


def _writable(config: Config) -> Path:
    """A folder of ours: in AVATAR_DIR, so that it lasts as long as the avatars do."""
    first = config.avatar_dir / IMPORTS
    others = config.work_dir or Path(tempfile.gettempdir())
    for folder in (first, others / f"soyle-imports-{os.getuid()}"):
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if folder.stat().st_uid == os.getuid() and writable(folder):
                if folder != first:
                    logger.warning("%s cannot be written: imports lie in %s", first, folder)
                return folder
    folder = Path(tempfile.mkdtemp(prefix="soyle-imports-"))
    logger.warning("%s cannot be written: imports lie in %s until a restart", first, folder)
    return folder


def _content(path: Path, check: Callable[[], None] = lambda: None) -> str:
    try:
        return content_of(path, check)
    except OSError as error:
        raise BadInput(f"The file cannot be read: {error.strerror}.", field="file") from error


def _holds(item: Import) -> bool:
    """It runs, or what came of it is still true."""
    if not item.ended.is_set():
        return not item.cancelled()
    if item.error is not None:
        lasting = isinstance(item.error, BadInput) and not isinstance(item.error, FileChanged)
        return lasting or time.monotonic() - (item.ended_s or 0.0) < RETRY_S
    return item.home is not None and (item.home / METADATA).is_file()


def _named(error: SoyleError, path: Path) -> SoyleError:
    if isinstance(error, BadInput | NotFound):
        return type(error)(f"{path}: {error}", field="face_path")
    return error


def _keep(item: Import) -> None:
    """Another server that looks for what nobody uses sees that it is used."""
    with contextlib.suppress(OSError):
        if item.home is not None and time.time() - item.home.stat().st_mtime > _TOUCH_S:
            _touch(item.home)


def _touch(folder: Path) -> None:
    with contextlib.suppress(OSError):
        os.utime(folder)
