"""Where the replicas of a cluster are, as a web tier knows it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from app_core.errors import Busy

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

RETRY_S = 2


@dataclass(frozen=True, slots=True)
class Door:
    """Where a replica takes requests of web tiers."""

    host: str
    port: int


class ReplicaLost(Busy):
    """What it did is lost with it."""

    code = "replica_lost"


def lost() -> ReplicaLost:
    return ReplicaLost("The replica that did this has ended; ask again", retry_after_s=RETRY_S)


def none_there() -> Busy:
    return Busy("No replica takes requests; try again soon", retry_after_s=RETRY_S)


def place_of(replica: str) -> str:
    """8 hex digits, of the name that Ray Serve gave to a replica."""
    return f"{zlib.crc32(replica.encode()):08x}"


def settled(key: str, places: Collection[str]) -> str:
    """The same of ``places``, which are not none, for a ``key`` as long as it is there: the one
    of the highest hash (rendezvous hashing: Thaler and Ravishankar, IEEE/ACM ToN 6(1), 1998)."""
    return max(places, key=lambda place: zlib.crc32(f"{place} {key}".encode()))


class Places(Protocol):
    """Thread-safe."""

    least: int
    """So many replicas should be there."""

    def doors(self) -> Mapping[str, Door]:
        """Those that live, by place; also those that take nothing new."""
        ...

    def draining(self) -> Collection[str]:
        """Those that end what they do, and then themselves."""
        ...

    def choose(self, avoid: Collection[str] = ()) -> str:
        """For new work: the place with most slack that is none of ``avoid``. Raises Busy."""
        ...

    def being_moved(self, job_id: str) -> bool:
        """A film whose replica is lost, and which is about to be made elsewhere."""
        ...

    def expects(self, place: str) -> bool:
        """It lives as far as the ledger knows, though it may be missed."""
        ...

    def miss(self, place: str) -> None:
        """Nobody opens there; until it says that it lives it is not among ``doors``."""
        ...
