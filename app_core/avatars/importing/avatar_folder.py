"""The folder of an avatar comes and goes whole: it is filled, and emptied, under another name."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import uuid
from typing import TYPE_CHECKING

from app_core.errors import Conflict, NotFound, SoyleError
from app_core.storage.claims import CLAIMS, Claims
from app_core.storage.folder_lock import held, hold

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PART, _REMOVED = ".part-", ".removed-"
IMPORTS = ".imports"
"""In the folder of avatars: faces that came by path and are no avatars of their own."""
_LONGEST = 64
"""Letters of an avatar's name that its other names have."""


@contextlib.contextmanager
def new_part(home: Path) -> Iterator[Path]:
    """An empty folder beside ``home`` to fill, which other processes leave alone. It is removed
    with the ``with`` block unless it has become ``home``."""
    part = home.parent / f".{home.name[:_LONGEST]}{_PART}{uuid.uuid4().hex[:8]}"
    part.mkdir(parents=True)
    descriptor = None
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            descriptor = hold(part)
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)
        if descriptor is not None:
            os.close(descriptor)


def settle(part: Path, home: Path) -> None:
    """Raises Conflict when there is a ``home`` already."""
    try:
        part.rename(home)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise Conflict("There is an avatar with this id", field="id") from error
        raise


def take_away(home: Path) -> Path:
    """Nobody finds the avatar from here on; ``discard`` what is returned. Raises NotFound, or
    SoyleError where AVATAR_DIR cannot be written."""
    away = home.with_name(f"{_REMOVED}{home.name[:_LONGEST]}-{uuid.uuid4().hex[:8]}")
    try:
        return home.rename(away)
    except FileNotFoundError as error:
        raise NotFound("There is no such avatar", field="avatar") from error
    except OSError as error:
        raise SoyleError("The server cannot write where faces lie; see AVATAR_DIR") from error


def discard(folder: Path) -> None:
    if folder.is_symlink():
        folder.unlink(missing_ok=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)


def discard_leftovers(avatars: Path) -> None:
    """Removes what processes that died were importing or removing. Those of other machines are
    known by their claims: a folder cannot be locked for them to see.
    """
    with contextlib.suppress(OSError):  # a folder that is not ours to change
        for left in avatars.glob(f"{_REMOVED}*"):
            discard(left)
        for folder in (avatars, avatars / IMPORTS):
            claims = Claims(folder / CLAIMS)
            for left in folder.glob(f".*{_PART}*"):
                told = claims.look(left.name[1:].rpartition(_PART)[0])
                if told is None or not told.held:
                    with contextlib.suppress(OSError), held(left):
                        shutil.rmtree(left)
