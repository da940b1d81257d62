"""How much of the server each client holds."""

from __future__ import annotations

import math
import threading
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Self

from app_core.errors import TooMany

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from app_core.config import Config

UPLOADS = 2
"""Of one client, where the settings say ``auto``."""


class Holding(Enum):
    """What is counted: its words, its setting, and when to ask again, seconds."""

    RENDERS = ("renders", "CLIENT_RENDERS", 5)
    SESSIONS = ("sessions", "CLIENT_SESSIONS", 5)
    UPLOADS = ("uploads and imports", "CLIENT_UPLOADS", 15)
    LISTENERS = ("listeners", "CLIENT_LISTENERS", 5)


MEASURED = (Holding.RENDERS, Holding.SESSIONS)
"""How many there can be, this machine decides."""


class Share:
    """One of a kind that a client holds. Given back once, by whoever is first."""

    def __init__(
        self,
        owner: str = "",
        give_back: Callable[[], object] | None = None,
        *,
        halved: bool = False,
    ) -> None:
        """``halved``: its owner may have half of what there really is, which whoever measures that
        bounds."""
        self.owner, self._give_back, self.halved = owner, give_back, halved
        self._lock = threading.Lock()

    def release(self) -> None:
        with self._lock:
            give_back, self._give_back = self._give_back, None
        if give_back is not None:
            give_back()

    @contextmanager
    def kept(self) -> Iterator[Share]:
        """For who passes it on: it is given back here only when the block fails."""
        try:
            yield self
        except BaseException:
            self.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class Shares:
    """Thread-safe. Only what is held takes memory. An ``owner`` that is empty is this program
    itself, and has no bound."""

    def __init__(
        self, most: Mapping[Holding, int] | None = None, halved: Collection[Holding] = ()
    ) -> None:
        """``most`` of a kind that one owner may hold; 0, or left out: any number. ``halved``:
        kinds of which it may also have no more than half of what there really is."""
        self._most, self._halved = dict(most or {}), frozenset(halved)
        self._held: dict[tuple[Holding, str], int] = {}
        self._lock = threading.Lock()

    def take(self, kind: Holding, owner: str) -> Share:
        """Raises TooMany."""
        halved = bool(owner) and kind in self._halved
        if not owner or not self._most.get(kind):
            return Share(owner, halved=halved)
        with self._lock:
            self._check(kind, owner)
            self._held[kind, owner] = self._held.get((kind, owner), 0) + 1
        return Share(owner, lambda: self._release(kind, owner), halved=halved)

    def check(self, kind: Holding, owner: str) -> None:
        """Raises TooMany where ``take`` would."""
        with self._lock:
            self._check(kind, owner)

    def held(self, kind: Holding, owner: str) -> int:
        return self._held.get((kind, owner), 0)

    def _check(self, kind: Holding, owner: str) -> None:
        most = self._most.get(kind, 0)
        if most and owner and self.held(kind, owner) >= most:
            words, setting, retry_after_s = kind.value
            raise TooMany(
                f"You have as many {words} at once as one client may: {most} ({setting}); try again"
                " when one has ended",
                retry_after_s=retry_after_s,
            )

    def _release(self, kind: Holding, owner: str) -> None:
        with self._lock:
            left = self._held[kind, owner] - 1
            if left:
                self._held[kind, owner] = left
            else:
                del self._held[kind, owner]


def shares_of(config: Config) -> Shares:
    auto = {
        Holding.RENDERS: math.ceil(config.max_jobs / 2),
        Holding.SESSIONS: math.ceil(config.max_sessions / 2),
        Holding.UPLOADS: UPLOADS,
        Holding.LISTENERS: math.ceil(config.most_sockets / 4),
    }
    given = {kind: getattr(config, kind.value[1].lower()) for kind in Holding}
    most = {kind: resolved(given[kind], auto[kind], config) for kind in Holding}
    reached = config.reached_by_others
    return Shares(most, [kind for kind in MEASURED if reached and given[kind] == "auto"])


def resolved(setting: int | str, auto: int, config: Config) -> int:
    """``auto`` is none on a server that only this machine reaches."""
    if setting == "auto":
        return auto if config.reached_by_others else 0
    return int(setting)
