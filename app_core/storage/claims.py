"""Names in a folder that processes share: each is one's at a time, and the others see whose.

A claim is a lock on a small file, which ends with its process, however that ends: none outlives
whoever made it, on this machine or on others where the file system has its locks for all of them.
The file is open for writing: over NFS no other can be locked, and a folder not at all. Beside it
lies what the others are told.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import logging
import os
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

logger = logging.getLogger(__name__)

CLAIMS = ".claims"
"""The folder of the locks, in the folder that is shared; it is there only while it holds one."""
TELL_S = 1.0
"""Between two times that others are told of progress."""
ALONE_S = 10.0
"""A name that is claimed to write a file is free again within some milliseconds."""
_TRIES = 50
_LOOK_S, _PAUSE_S = 0.05, 0.001
_TOLD = ".json"
_UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT)
"""Whoever wants to write what it claims will be told."""
_LOCKLESS = (errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


class Told(NamedTuple):
    """What is said of a name."""

    held: bool
    """Somebody has it; else this is what the last one left to be read."""
    about: dict[str, Any]
    """At least ``place`` and ``since``, seconds since 1970, unless it could not be read."""

    @property
    def place(self) -> str:
        return str(self.about.get("place", ""))


class Claim:
    """A name, held until ``release``. Thread-safe. One without ``claims`` holds nothing."""

    def __init__(self, claims: Claims | None = None, name: str = "", descriptor: int = -1) -> None:
        self._claims, self._name, self._descriptor = claims, name, descriptor
        self._about: dict[str, Any] = {}
        self._untold, self._told_s = False, float("-inf")
        self._lock = threading.Lock()
        self.left = False
        """Something of it stays to be read."""

    @property
    def held(self) -> bool:
        return self._descriptor >= 0

    def tell(self, at_once: bool = False, **about: Any) -> None:
        """Others see it within TELL_S of a later call, or ``at_once``."""
        if not self.held:
            return
        with self._lock:
            self._about |= about
            self._untold = self._untold or bool(about)
            due = at_once or time.monotonic() - self._told_s >= TELL_S
            if self._claims is not None and self.held and due and self._untold:
                self._untold, self._told_s = False, time.monotonic()
                self._claims.write(self._name, self._about)

    def release(self, **last: Any) -> None:
        """It is anybody's. ``last`` stays to be read, with what was told, where servers have
        names."""
        with self._lock:
            if self._claims is not None and self.held:
                if last and self._claims.place:
                    self.left = self._claims.write(self._name, self._about | last)
                descriptor, self._descriptor = self._descriptor, -1
                self._claims.free(self._name, descriptor, keep=self.left)

    def clear(self) -> None:
        """Nothing of it stays to be read."""
        if self.left and self._claims is not None:
            self.left = False
            self._claims.clear(self._name)


class Claims:
    """Thread-safe. Two of these exclude each other, also in one process. ``place`` is the name of
    this one, which others see; it may be empty.

    Where a file system knows no locks, or nothing can be written, everybody has what is claimed.
    """

    def __init__(self, folder: Path, place: str = "") -> None:
        self.folder, self.place = folder, place
        self._held: weakref.WeakValueDictionary[str, Claim] = weakref.WeakValueDictionary()
        self._lock = threading.Lock()
        self._warned = False

    def take(self, name: str, /, **about: Any) -> Claim:
        """``about``: what others are told of it. Raises BlockingIOError: somebody has it, who may
        be another thread of this process."""
        try:
            with self._lock:
                claim = self._held[name] = Claim(self, name, self._locked(name))
        except BlockingIOError:
            raise
        except OSError as error:
            if error.errno not in _UNWRITABLE and not self._warned:
                self._warned = True
                logger.warning(
                    "%s cannot be locked (%s): other servers that share it may do the same work",
                    self.folder.parent,
                    error.strerror,
                )
            return Claim()
        if about:
            claim.tell(at_once=True, place=self.place, since=time.time(), **about)
        return claim

    @contextlib.contextmanager
    def alone(
        self, name: str, check: Callable[[], None] = lambda: None, wait_s: float = ALONE_S
    ) -> Iterator[None]:
        """Waits until nobody else has the name. What ``check`` raises ends the wait. Raises
        BlockingIOError after ``wait_s``."""
        end_s = time.monotonic() + wait_s
        while True:
            try:
                claim = self.take(name)
                break
            except BlockingIOError:
                if time.monotonic() > end_s:
                    raise
            check()
            time.sleep(_LOOK_S)
        try:
            yield
        finally:
            claim.release()

    def look(self, name: str) -> Told | None:
        """What another one says of a name; None: nobody has it, or it is ours."""
        with self._lock:
            mine = self._held.get(name)
            if mine is not None and mine.held:
                return None
            held = self._is_held(name)
        about = self._read(name)
        return Told(held, about) if held or about else None

    def names(self) -> list[str]:
        """Those of which something is said, or was."""
        try:
            entries = os.listdir(self.folder)
        except OSError:
            return []
        return sorted({entry.removeprefix(".").removesuffix(_TOLD) for entry in entries})

    def clear(self, name: str) -> None:
        """Nothing is said any more of a name that nobody has."""
        with contextlib.suppress(BlockingIOError):
            self.take(name).release()

    def close(self) -> None:
        """Lets go of all."""
        with self._lock:
            held = list(self._held.values())
        for claim in held:
            claim.release()

    # What claims are made of

    def _path(self, name: str) -> Path:
        return self.folder / name

    def _locked(self, name: str) -> int:
        """Raises BlockingIOError when it is taken, other OSErrors where it cannot be locked."""
        path = self._path(name)
        for _ in range(_TRIES):
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            except (FileNotFoundError, FileExistsError):
                continue  # the folder went, with the last that was in it
            try:
                if _lock(descriptor) and _is_at(descriptor, path):
                    return descriptor
            except BlockingIOError:
                os.close(descriptor)
                raise
            except OSError as error:
                if error.errno in _LOCKLESS:
                    self.free(name, descriptor)
                else:
                    os.close(descriptor)  # another may have it
                raise
            os.close(descriptor)  # of one that has been let go, or that others look at
        raise BlockingIOError(errno.EAGAIN, "is claimed")

    def _is_held(self, name: str) -> bool:
        try:
            descriptor = os.open(self._path(name), os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return False

    def _read(self, name: str) -> dict[str, Any]:
        with contextlib.suppress(OSError, ValueError):
            found = json.loads(self._path(f"{name}{_TOLD}").read_bytes())
            if isinstance(found, dict):
                return found
        return {}

    def write(self, name: str, about: dict[str, Any]) -> bool:
        """Whole or not at all; by whoever has the name."""
        draft = self._path(f".{name}{_TOLD}")
        try:
            draft.write_bytes(json.dumps(about).encode())
            draft.replace(self._path(f"{name}{_TOLD}"))
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            return False
        return True

    def free(self, name: str, descriptor: int, keep: bool = False) -> None:
        """The files go before the lock does, else they were another one's."""
        with contextlib.suppress(OSError):
            if not keep:
                self._path(f".{name}{_TOLD}").unlink(missing_ok=True)
                self._path(f"{name}{_TOLD}").unlink(missing_ok=True)
            self._path(name).unlink(missing_ok=True)
        os.close(descriptor)
        with contextlib.suppress(OSError):
            self.folder.rmdir()


def _lock(descriptor: int) -> bool:
    """False: somebody looked at it just then. Raises BlockingIOError when somebody has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # as looking does
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    time.sleep(_PAUSE_S)
    return False


def _is_at(descriptor: int, path: Path) -> bool:
    """It has not been let go, and removed, between the opening and the lock."""
    with contextlib.suppress(OSError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False
