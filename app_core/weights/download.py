"""A large file from the web: resumed where it broke off, checked, and told about on the way."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import time
import urllib.error
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING

from app_core.cancel_scope import never
from app_core.errors import Cancelled, DiskFull, ModelFailed
from app_core.weights.web_answer import ask, sent_part, validator

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.client import HTTPResponse
    from pathlib import Path

    from app_core.cancel_scope import Stale

    Progress = Callable[[int, int | None], None]
    """Gets the bytes that are here and the bytes in all, None as long as nobody has said."""
    """Whether nobody wants the file any more."""

TRIES = 5
"""Of a connection in a row that bring less than _WORTH_BYTES each."""
BACK_OFF_S = 1.0
"""Before the second try; doubled before each that follows."""
_LONGEST_WAIT_S = 60.0
_LOOK_S = 0.1
_BLOCK = 1 << 18
_WORTH_BYTES = 1 << 20
_BAR = 30


@dataclass(frozen=True, slots=True)
class WebFile:
    url: str
    size: int | None
    """Bytes; None where only its server knows."""
    sha256: str | None
    """In hexadecimal; None where nobody has told it but its server."""


class _Broken(Exception):
    """A connection that did not bring the rest; another may."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


def download(
    file: WebFile, path: Path, progress: Progress, stale: Stale = never, reserve: int = 0
) -> str:
    """Leaves the whole, checked file at ``path``, or what there is of it at ``path.part``; gives
    its sha256. Of the disk ``reserve`` bytes are not filled.

    A connection that breaks is tried again; a server that cannot be reached at all is told at
    once. Raises ModelFailed that says why, DiskFull, or Cancelled when ``stale`` says so; asking
    again goes on from there. A file of another length or sha256 is removed.
    """
    part = path.with_name(f"{path.name}.part")
    transfer = _Transfer(file, part, progress, stale, reserve)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _fetch_all(transfer, path, part, stale)
        found = digest(part)
        if file.sha256 is not None and found != file.sha256:
            transfer.discard()
            raise ModelFailed(
                f"{file.url} is not the file that it should be: its sha256 is another"
            )
        part.replace(path)
        transfer.discard()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                f"The disk is full: {mebibytes(_length(part))} of {path.name} are here, and "
                "asking again goes on from there"
            ) from error
        raise ModelFailed(f"{path} cannot be written: {error}") from error
    return found


def _fetch_all(transfer: _Transfer, path: Path, part: Path, stale: Stale) -> None:
    tries, wait_s = 1, BACK_OFF_S
    while True:
        have = _length(part)
        try:
            transfer.fetch()
            return
        except _Broken as broken:
            if _length(part) - have >= _WORTH_BYTES:
                tries, wait_s = 1, BACK_OFF_S
            if tries == TRIES or not transfer.reached:
                raise ModelFailed(
                    f"{path.name} was not downloaded from {transfer.url}: {broken}; asking again "
                    f"goes on from {mebibytes(_length(part))}"
                ) from broken
            _wait(max(wait_s, min(broken.wait_s, _LONGEST_WAIT_S)), stale)
            tries, wait_s = tries + 1, 2 * wait_s


def digest(path: Path) -> str:
    """sha256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Transfer:
    """The bytes of one file into ``part``, over one connection after another."""

    def __init__(
        self, file: WebFile, part: Path, progress: Progress, stale: Stale, reserve: int
    ) -> None:
        self._file, self._part, self._progress, self._stale = file, part, progress, stale
        self._reserve = reserve
        self._mark = part.with_name(f"{part.name}.etag")
        self.url = file.url
        self.reached = False
        """Whether the server has answered."""

    def discard(self) -> None:
        self._part.unlink(missing_ok=True)
        self._mark.unlink(missing_ok=True)

    def fetch(self) -> None:
        """Raises _Broken when the connection did not bring the rest, and OSError of the disk."""
        have, mark = self._kept()
        if have and have == self._file.size:
            return
        with self._asked(have, mark) as answer:
            self.reached = True
            start, total = self._told(answer, have)
            self._save_mark(validator(answer))
            self._check_room(start, total)
            done = self._write(answer, start, total)
        if total is not None and done < total:
            raise _Broken(f"the connection broke off after {mebibytes(done)}")

    def _asked(self, have: int, mark: str) -> HTTPResponse:
        try:
            return ask(self._file.url, have, mark)
        except urllib.error.HTTPError as error:
            self.reached = True
            raise self._refused(error) from error
        except (HTTPException, OSError, ValueError) as error:
            raise _Broken(_reason(error)) from error

    def _told(self, answer: HTTPResponse, have: int) -> tuple[int, int | None]:
        """Where the bytes that come begin, and those of the whole file."""
        try:
            start, total = sent_part(answer, have)
        except ValueError as error:
            self.discard()
            raise _Broken(str(error)) from error
        size = self._file.size
        if size is not None and total is not None and total != size:
            self.discard()
            raise ModelFailed(
                f"{self._file.url} is not the file that it should be: it has {total} bytes "
                f"instead of {size}"
            )
        return start, size if total is None else total

    def _kept(self) -> tuple[int, str]:
        """What there is to go on from: its bytes, and what tells whether the file is the same."""
        have = _length(self._part)
        mark = self._mark.read_text("ascii", "replace").strip() if self._mark.is_file() else ""
        size = self._file.size
        if (size is not None and have > size) or not (mark or self._file.sha256):
            self.discard()
            return 0, ""
        return have, mark

    def _save_mark(self, mark: str) -> None:
        if mark:
            self._mark.write_text(mark, "ascii")
        else:
            self._mark.unlink(missing_ok=True)

    def _check_room(self, start: int, total: int | None) -> None:
        free = max(0, shutil.disk_usage(self._part.parent).free - self._reserve)
        if total is not None and total - start > free:
            raise DiskFull(
                f"{self._part.stem} needs {mebibytes(total - start)} in {self._part.parent}, "
                f"where {mebibytes(free)} are free"
            )

    def _write(self, answer: HTTPResponse, start: int, total: int | None) -> int:
        done = start
        with self._part.open("r+b" if start else "wb", buffering=0) as file:
            file.seek(start)
            file.truncate()
            while block := _read(answer):
                if self._stale():
                    raise Cancelled("The download was cancelled")
                done += len(block)
                if total is not None and done > total:
                    self.discard()
                    raise ModelFailed(f"{self._file.url} is longer than {total} bytes")
                left = memoryview(block)
                while left:  # a disk that is nearly full takes a part
                    left = left[file.write(left) :]
                self._progress(done, total)
            os.fsync(file.fileno())
        return done

    def _refused(self, error: urllib.error.HTTPError) -> Exception:
        """For a status that is no success. ``error`` is closed."""
        with contextlib.closing(error):
            if error.code == 416:  # what is here is no beginning of what is there
                self.discard()
            elif error.code not in (408, 429) and error.code < 500:
                return ModelFailed(f"{self._file.url} answers {error.code} {error.reason}")
            seconds = error.headers.get("Retry-After", "")
            wait_s = float(seconds) if seconds.isascii() and seconds.isdigit() else 0.0
            return _Broken(f"the server answers {error.code} {error.reason}", wait_s)


def _read(answer: HTTPResponse) -> bytes:
    try:
        return answer.read1(_BLOCK)
    except (HTTPException, OSError) as error:
        raise _Broken(_reason(error)) from error


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error) or type(error).__name__


def _length(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _wait(seconds: float, stale: Stale) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if stale():
            raise Cancelled("The download was cancelled")
        time.sleep(min(left, _LOOK_S))


class Bar:
    """Says each whole percent of a progress on a line of its own."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._shown = say, -1

    def __call__(self, done: int, total: int | None) -> None:
        step = 100 * done // total if total else done >> 20
        if step == self._shown:
            return
        self._shown = step
        if total is None:
            self._say(mebibytes(done))
            return
        full = _BAR * step // 100
        self._say(f"[{'#' * full}{'.' * (_BAR - full)}] {step:3d} % {mebibytes(done)}")


def mebibytes(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"
