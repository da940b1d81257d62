"""Plates that stay ready, and the one budget for all that they hold in memory.

A plate that is used may keep its pictures when there is room, or when those that take the room
have rested for longer than it has: the least recently used give theirs up. A plate that was here
before takes no room from one that was used since: plates that take turns do not drive each other
out, each time to be decoded again.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app_core.avatars.clip_plate import ClipPlate

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from pathlib import Path

    from app_core.avatars.still_plate import StillPlate

    AnyPlate = StillPlate | ClipPlate
    Place = tuple[Any, ...]

_PLATES = 16
"""Plates that stay, kept pictures or not."""
_FEWEST = 4
"""So many stay, without pictures, however little room there is: to open one takes a second."""
_REMEMBERED = 256
"""Places whose last use is known."""


@dataclass(slots=True, eq=False)
class _Entry:
    place: Place
    version: Hashable
    plate: AnyPlate
    used: int
    """The number of its last use."""
    made_bytes: int = 0
    """What a model made of it."""

    @property
    def own_bytes(self) -> int:
        return self.plate.own_bytes + self.made_bytes


class PlateCache:
    """Thread-safe. Plates, what models made of them and the pictures that they keep take at most
    ``room`` bytes in all. What a running job has of a plate that left counts until it ends.

    A plate has a place, which begins with its avatar's folder, and a version: another version
    takes the place of the one that is there.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._plates: OrderedDict[Place, _Entry] = OrderedDict()
        """Those used longest ago first."""
        self._gone: weakref.WeakKeyDictionary[AnyPlate, int] = weakref.WeakKeyDictionary()
        """Plates that left and that somebody still has, and their own bytes."""
        self._uses = itertools.count(1)
        self._used: OrderedDict[Place, int] = OrderedDict()
        self._building: dict[tuple[Any, ...], threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, place: Place, version: Hashable, build: Callable[[], AnyPlate]) -> AnyPlate:
        """The plate that is there, or the one that ``build`` makes, once for all who ask."""
        plate = self._there(place, version)
        if plate is not None:
            return plate
        with self._lock:
            building = self._building.setdefault((place, version), threading.Lock())
        with building:
            plate = self._there(place, version)
            if plate is not None:
                return plate
            try:
                plate = build()
                with self._lock:
                    leaving = self._admit(place, version, plate)
            finally:
                with self._lock:
                    self._building.pop((place, version), None)
        _release(leaving)
        return plate

    def charge(self, plate: AnyPlate, nbytes: int) -> None:
        """``nbytes`` is what a model holds of a plate for as long as that is there."""
        with self._lock:
            entry = next((e for e in self._plates.values() if e.plate is plate), None)
            if entry is None:
                self._gone[plate] = plate.own_bytes + nbytes
                return
            entry.made_bytes = nbytes
            leaving = self._fit(entry)
        _release(leaving)

    @property
    def nbytes(self) -> int:
        """What all of it takes now, pictures that are yet to be decoded included."""
        with self._lock:
            return self._held()

    def forget(self, folder: Path) -> None:
        """Puts away every plate of the avatar in ``folder``; jobs that have one go on."""
        with self._lock:
            places = [place for place in self._plates if place[0] == folder]
            leaving = [self._leave(place) for place in places]
            for place in [place for place in self._used if place[0] == folder]:
                del self._used[place]
        _release(leaving)

    def folders(self) -> set[Path]:
        """Of the avatars whose plates are here."""
        with self._lock:
            return {place[0] for place in self._plates}

    def close(self) -> None:
        """Ends the decoders that fill kept pictures."""
        with self._lock:
            plates = [entry.plate for entry in self._plates.values()]
        for plate in plates:
            if isinstance(plate, ClipPlate):
                plate.stop()

    def _there(self, place: Place, version: Hashable) -> AnyPlate | None:
        """One more use of the plate."""
        with self._lock:
            entry = self._plates.get(place)
            if entry is None or entry.version != version:
                return None
            self._plates.move_to_end(place)
            before, entry.used = entry.used, self._use(place)
            leaving = self._keep(entry, before)
        _release(leaving)
        return entry.plate

    def _admit(self, place: Place, version: Hashable, plate: AnyPlate) -> list[AnyPlate]:
        """Returns those that give up their pictures."""
        leaving = [self._leave(place)] if place in self._plates else []
        before = None if leaving else self._used.get(place)
        entry = self._plates[place] = _Entry(place, version, plate, self._use(place))
        return leaving + self._keep(entry, before) + self._fit(entry)

    def _use(self, place: Place) -> int:
        number = self._used[place] = next(self._uses)
        self._used.move_to_end(place)
        if len(self._used) > _REMEMBERED:
            self._used.popitem(last=False)
        return number

    def _keep(self, entry: _Entry, before: int | None) -> list[AnyPlate]:
        """Lets a plate keep its pictures if it may. Returns those that give up theirs for it.

        ``before``: its use before this one. Pictures that a job reads would not be freed: those
        stay.
        """
        plate = entry.plate
        if plate.keep:
            return []
        left = self._room - self._held() - plate.cycle_bytes
        leaving: list[AnyPlate] = []
        for other in self._plates.values():
            if left >= 0:
                break
            rested = before is None or other.used < before
            if other is not entry and other.plate.keep and other.plate.idle and rested:
                leaving.append(other.plate)
                left += other.plate.kept_bytes
        if left < 0:
            return []
        for each in leaving:
            each.give_up()
        plate.keep = True
        return leaving

    def _fit(self, newest: _Entry) -> list[AnyPlate]:
        """Puts plates away until all is within its bounds: those first that no job reads, of these
        those used longest ago. Returns those that left or gave up their pictures."""
        leaving = []
        others = [entry for entry in self._plates.values() if entry is not newest]
        for entry in sorted(others, key=lambda entry: not entry.plate.idle):
            full = len(self._plates) > _FEWEST and entry.plate.idle and self._held() > self._room
            if len(self._plates) > _PLATES or full:
                leaving.append(self._leave(entry.place))
        for entry in self._plates.values():
            if entry.plate.keep and self._held() > self._room:
                entry.plate.give_up()
                leaving.append(entry.plate)
        return leaving

    def _held(self) -> int:
        there = sum(e.own_bytes + e.plate.kept_bytes for e in self._plates.values())
        return there + sum(own + plate.kept_bytes for plate, own in list(self._gone.items()))

    def _leave(self, place: Place) -> AnyPlate:
        entry = self._plates.pop(place)
        self._gone[entry.plate] = entry.own_bytes
        entry.plate.give_up()
        return entry.plate


def _release(plates: list[AnyPlate]) -> None:
    """Outside of the lock: a decoder that ends takes a moment."""
    for plate in plates:
        plate.release()
