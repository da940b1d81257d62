"""The bearer tokens that open this server: API_TOKEN's, and those of a file by their names."""

from __future__ import annotations

import contextlib
import hmac
import logging
import re
import stat
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from app_core.config.config import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

logger = logging.getLogger(__name__)

SHORTEST = 16
"""Characters of a token in a file: more than anybody guesses, and half a line is none."""
LOOK_S = 1.0
"""Between two looks at whether the file has changed."""
MOST_BYTES = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SECRET = re.compile(r"[!-~]+")


class BearerToken(NamedTuple):
    name: str
    """Of the client that has it; empty: the operator's."""
    secret: str


def read_tokens(file: Path) -> tuple[BearerToken, ...]:
    """A line ``name token`` for each client; empty lines and those that begin with # say nothing.
    A file with one token alone, as a container's secret is, has the operator's. Raises ConfigError
    that names the lines and shows nothing of them.
    """
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"API_TOKEN_FILE cannot be read: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise ConfigError("API_TOKEN_FILE is larger than 1 MiB")
    lines = enumerate(content.decode("utf-8-sig", "replace").splitlines(), 1)
    rows = [(number, line.split()) for number, line in lines]
    rows = [(number, words) for number, words in rows if words and not words[0].startswith("#")]
    if len(rows) == 1 and len(rows[0][1]) == 1:
        rows = [(rows[0][0], ["", *rows[0][1]])]
    wrong: list[str] = []
    found: list[BearerToken] = []
    for number, words in rows:
        why = _fault(words, found)
        if why:
            wrong.append(f"line {number} {why}")
        else:
            found.append(BearerToken(*words))
    if wrong:
        more = f"; and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise ConfigError(f"API_TOKEN_FILE: {'; '.join(wrong[:3])}{more}")
    if not found:
        raise ConfigError("API_TOKEN_FILE holds no token")
    return tuple(found)


def _fault(words: list[str], before: list[BearerToken]) -> str:
    """What is wrong with a line; empty: nothing."""
    if len(words) != 2:
        return "is not `name token`"
    name, secret = words
    if name and not _NAME.fullmatch(name):
        return "has a name that is not 1..64 of A-Z a-z 0-9 . _ -"
    if not _SECRET.fullmatch(secret):
        return "has a token that is not visible ASCII"
    if len(secret) < SHORTEST:
        return f"has a token of under {SHORTEST} characters"
    if any(name == token.name for token in before):
        return "has a name that stands above it already"
    if any(secret == token.secret for token in before):
        return "has a token that stands above it already"
    return ""


class Tokens:
    """Thread-safe. The file is read again when it changes; one that cannot be used then leaves the
    tokens as they were, and ``fault`` says why. One that cannot be used from the start opens for
    nobody.
    """

    def __init__(
        self, api_token: str, file: Path | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._own = (BearerToken("", api_token),) if api_token else ()
        self._file, self._clock = file, clock
        self._named: tuple[BearerToken, ...] = ()
        self._stamp: object = None
        self._looked_s = float("-inf")
        self._warned = False
        self._lock = threading.Lock()
        self.fault = ""
        """What is wrong with the file; empty: nothing."""
        self.all()

    def all(self) -> tuple[BearerToken, ...]:
        """Those that open now."""
        if self._file is not None:
            with self._lock:
                if self._clock() - self._looked_s >= LOOK_S:
                    self._looked_s = self._clock()
                    self._look(self._file)
        return (*self._own, *self._named)

    def find(self, given: str) -> BearerToken | None:
        """In a time that does not tell how much of a token is right."""
        tokens = self.all()
        same = [hmac.compare_digest(given.encode(), each.secret.encode()) for each in tokens]
        return tokens[same.index(True)] if any(same) else None

    def _look(self, file: Path) -> None:
        stamp = _stamp(file)
        if stamp == self._stamp and stamp is not None:
            return
        again, self._stamp = self._stamp is not None, stamp
        try:
            self._named = read_tokens(file)
        except ConfigError as error:
            kept = "; the tokens before it stay" if self._named else "; nobody is let in by it"
            if self.fault != f"{error}{kept}":
                self.fault = f"{error}{kept}"
                logger.error("%s", self.fault)
            return
        if again or self.fault:
            logger.info("API_TOKEN_FILE was read again, tokens: %d", len(self._named))
        self.fault = ""
        self._warn(file)

    def _warn(self, file: Path) -> None:
        with contextlib.suppress(OSError):  # it is gone again
            if not self._warned and stat.S_IMODE(file.stat().st_mode) & 0o077:
                self._warned = True
                logger.warning("API_TOKEN_FILE can be read by others: chmod 600 %s", file)


def _stamp(file: Path) -> object:
    """Another one when the file is written or replaced; None when it is not there."""
    try:
        facts = file.stat()
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_size, facts.st_ino
