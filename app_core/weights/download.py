"""A large file from the web: resumed where it broke off, checked, and told about on the way."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import TYPE_CHECKING

from app_core.errors import ModelFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_BLOCK = 1 << 20
_TIMEOUT_S = 30.0
_PARTIAL = 206
_BAR = 30


def download(url: str, path: Path, size: int, sha256: str, say: Callable[[str], None]) -> None:
    """Leaves the whole, checked file at ``path``, or what there is of it at ``path.part``.

    Raises ModelFailed that says why; asking again goes on from there. A file with another
    content than ``sha256`` is removed.
    """
    part = path.with_name(f"{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    have = part.stat().st_size if part.is_file() else 0
    if have > size:
        part.unlink()
        have = 0
    if have < size:
        try:
            _fetch(url, part, have, size, say)
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise ModelFailed(
                f"{path.name} was not downloaded from {url}: {reason}; asking again goes on "
                f"from {mebibytes(part.stat().st_size if part.is_file() else 0)}"
            ) from error
    if digest(part) != sha256:
        part.unlink()
        raise ModelFailed(f"{url} is not the file that it should be: its sha256 is another")
    part.replace(path)


def digest(path: Path) -> str:
    """sha256 in hexadecimal."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def _fetch(url: str, part: Path, have: int, size: int, say: Callable[[str], None]) -> None:
    asked = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    with urllib.request.urlopen(asked, timeout=_TIMEOUT_S) as answer:
        resumed = answer.status == _PARTIAL
        done = have if resumed else 0
        shown = -1
        with part.open("ab" if resumed else "wb") as file:
            while block := answer.read(_BLOCK):
                done += len(block)
                if done > size:
                    raise OSError(f"it is longer than {size} bytes")
                file.write(block)
                if (percent := 100 * done // size) != shown:
                    shown = percent
                    say(_bar(percent, done))
    if done < size:
        raise OSError(f"the connection broke off after {mebibytes(done)}")


def _bar(percent: int, done: int) -> str:
    full = _BAR * percent // 100
    return f"[{'#' * full}{'.' * (_BAR - full)}] {percent:3d} % {mebibytes(done)}"


def mebibytes(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"
