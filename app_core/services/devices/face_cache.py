"""What the loaded models made of the plates, for as long as a plate is there: on each device that
draws a plate its own.

Faces in this machine's memory are charged to the plate cache. Those in a memory of a device's own
have their room there: when it is full, those that no job has go first of all that were used longest
ago.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.lipsync.model import LipsyncModel, Plate


@dataclass(slots=True, eq=False)
class _Made:
    face: Any
    used: int
    """The number of its last use."""

    @property
    def nbytes(self) -> int:
        return int(getattr(self.face, "nbytes", 0))

    @property
    def device_bytes(self) -> int:
        return int(getattr(self.face, "device_bytes", 0))

    def let_go(self) -> bool:
        """False, and the face stays, while a job has it."""
        seen, self.face = weakref.ref(self.face), None
        self.face = seen()
        return self.face is None


_OnDevices = dict["LipsyncModel", _Made]
"""By the model that made it, which is on one device."""


class FaceCache:
    """Thread-safe. ``charge`` is told of the bytes of this machine's memory that models hold of a
    plate, all together."""

    def __init__(self, charge: Callable[[Plate, int], None]) -> None:
        self._charge = charge
        self._faces: WeakKeyDictionary[Plate, _OnDevices] = WeakKeyDictionary()
        self._opening: dict[LipsyncModel, threading.Lock] = {}
        self._uses = itertools.count()
        self._lock, self._charging = threading.Lock(), threading.Lock()

    def get(self, model: LipsyncModel, plate: Plate) -> Any:
        """What the model made of the plate, once for each plate. Nobody whose plate was opened
        waits for one that is being opened, nor for another model: a long clip takes a second.
        """
        face = self._there(model, plate)
        if face is not None:
            return face
        with self._lock:
            opening = self._opening.setdefault(model, threading.Lock())
        with opening:
            face = self._there(model, plate)
            if face is None:
                face = model.open(plate)
                with self._charging:
                    self._put(model, plate, face)
        return face

    def _there(self, model: LipsyncModel, plate: Plate) -> Any | None:
        with self._lock:
            made = self._faces.setdefault(plate, {}).get(model)
            if made is None:
                return None
            made.used = next(self._uses)
            return made.face

    def _put(self, model: LipsyncModel, plate: Plate, face: Any) -> None:
        newest = _Made(face, next(self._uses))
        with self._lock:
            made = self._faces.setdefault(plate, {})
            nbytes = newest.nbytes + sum(each.nbytes for each in made.values())
        self._charge(plate, nbytes)
        with self._lock:
            made[model] = newest
        self._make_room(model)

    def _make_room(self, model: LipsyncModel) -> None:
        """On its device, where that has a memory of its own. ``get`` still has the newest."""
        room = getattr(model, "face_room", 0)
        if not room:
            return
        with self._lock:
            held = [(plate, made) for plate, made in self._faces.items() if model in made]
        left = room - sum(made[model].device_bytes for _, made in held)
        for plate, made in sorted(held, key=lambda each: each[1][model].used):
            if left >= 0:
                return
            nbytes = made[model].device_bytes
            with self._lock:
                gone = made[model].let_go()
                if gone:
                    del made[model]
                rest = sum(each.nbytes for each in made.values())
            if gone:
                left += nbytes
                self._charge(plate, rest)
