"""Plates that stay ready, those used longest ago closed first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from app_core.face.clip import ClipPlate

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from pathlib import Path

    from app_core.face.plate import StillPlate

    AnyPlate = StillPlate | ClipPlate

_PLATES = 16
"""Plates that stay, besides the bytes that their kept pictures may take."""


class PlateShelf:
    """Thread-safe. Pictures that plates keep take at most ``room`` bytes in all.

    A plate has a place, which begins with its avatar's folder, and a version: another version
    takes the place of the one that is there.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._plates: OrderedDict[tuple[Any, ...], tuple[Hashable, AnyPlate]] = OrderedDict()
        self._building: dict[tuple[Any, ...], threading.Lock] = {}
        self._lock = threading.Lock()

    def get(
        self, place: tuple[Any, ...], version: Hashable, build: Callable[[], AnyPlate]
    ) -> AnyPlate:
        """The plate that is there, or the one that ``build`` makes, once for all who ask."""
        with self._lock:
            ready = self._touch(place, version)
            if ready is not None:
                return ready
            building = self._building.setdefault((place, version), threading.Lock())
        with building:
            with self._lock:
                ready = self._touch(place, version)
            if ready is not None:
                return ready
            try:
                plate = build()
                with self._lock:
                    leaving = self._admit(place, version, plate)
            finally:
                with self._lock:
                    self._building.pop((place, version), None)
        _release(leaving)
        return plate

    def forget(self, folder: Path) -> None:
        """Puts away every plate of the avatar in ``folder``; jobs that have one go on."""
        with self._lock:
            places = [place for place in self._plates if place[0] == folder]
            leaving = [self._plates.pop(place)[1] for place in places]
        _release(leaving)

    def close(self) -> None:
        """Ends the decoders that fill kept pictures."""
        with self._lock:
            plates = [plate for _, plate in self._plates.values()]
        for plate in plates:
            if isinstance(plate, ClipPlate):
                plate.stop()

    def _touch(self, place: tuple[Any, ...], version: Hashable) -> AnyPlate | None:
        there, plate = self._plates.get(place, (None, None))
        if plate is None or there != version:
            return None
        self._plates.move_to_end(place)
        return plate

    def _admit(self, place: tuple[Any, ...], version: Hashable, plate: AnyPlate) -> list[AnyPlate]:
        """Returns the plates that give up their pictures until the new one's fit."""
        leaving = []
        if place in self._plates:
            leaving.append(self._plates.pop(place)[1])
        plate.keep = plate.cycle_bytes <= self._room
        held = sum(older.cycle_bytes for _, older in self._plates.values() if older.keep)
        for _, older in self._plates.values():
            if not plate.keep or held + plate.cycle_bytes <= self._room:
                break
            if older.keep:
                held -= older.cycle_bytes
                leaving.append(older)
        self._plates[place] = (version, plate)
        while len(self._plates) > _PLATES:
            leaving.append(self._plates.popitem(last=False)[1][1])
        return leaving


def _release(plates: list[AnyPlate]) -> None:
    """Outside of the lock: a decoder that ends takes a moment."""
    for plate in plates:
        plate.release()
