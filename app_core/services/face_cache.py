"""What the loaded models made of the plates, for as long as a plate is there."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.lipsync.model import LipsyncModel, Plate


class FaceCache:
    """Thread-safe. ``charge`` is told of the bytes that all models together hold of a plate."""

    def __init__(self, charge: Callable[[Plate, int], None]) -> None:
        self._charge = charge
        self._faces: WeakKeyDictionary[Plate, dict[str, Any]] = WeakKeyDictionary()
        """By plate, then by the model's name."""
        self._opening: dict[str, threading.Lock] = {}
        self._lock, self._charging = threading.Lock(), threading.Lock()

    def get(self, model: LipsyncModel, plate: Plate) -> Any:
        """What the model made of the plate, once for each plate. Nobody whose plate was opened
        waits for one that is being opened, nor for another model: a long clip takes a second.
        """
        with self._lock:
            made = self._faces.setdefault(plate, {})
            if model.name in made:
                return made[model.name]
            opening = self._opening.setdefault(model.name, threading.Lock())
        with opening:
            if model.name not in made:
                face = model.open(plate)
                with self._charging:
                    faces = [face, *made.values()]
                    self._charge(plate, sum(getattr(each, "nbytes", 0) for each in faces))
                    made[model.name] = face
            return made[model.name]
