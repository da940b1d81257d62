"""Faces by plate and device: what they take, and which of them goes where a device has no room."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from app_core.services.devices.face_cache import FaceCache
from tests.fakes import EchoModel, GreyPlate


class Face:
    def __init__(self, device: str, device_bytes: int) -> None:
        self.device, self.nbytes, self.device_bytes = device, 3, device_bytes


class Device(EchoModel):
    """Has room for ``face_room`` bytes; every face takes ten."""

    def __init__(self, device: str, face_room: int) -> None:
        super().__init__()
        self.device, self.face_room, self.opened = device, face_room, 0

    def open(self, plate: Any) -> Face:  # type: ignore[override]
        self.opened += 1
        return Face(self.device, 10 if self.face_room else 0)


class Charged:
    def __init__(self) -> None:
        self.bytes: dict[Any, int] = {}

    def __call__(self, plate: Any, nbytes: int) -> None:
        self.bytes[plate] = nbytes


@pytest.fixture
def charged() -> Charged:
    return Charged()


@pytest.fixture
def cache(charged: Charged) -> FaceCache:
    return FaceCache(charged)


def test_each_device_has_a_face_of_its_own(cache: FaceCache, charged: Charged) -> None:
    one, other, plate = Device("one", 0), Device("other", 0), GreyPlate()
    face = cache.get(one, plate)
    assert charged.bytes == {plate: 3} and other.opened == 0
    assert cache.get(other, plate).device == "other"
    assert cache.get(one, plate) is face and face.device == "one"
    assert charged.bytes == {plate: 6}
    assert one.opened == other.opened == 1


def test_a_face_without_a_job_goes_where_its_device_has_no_room(
    cache: FaceCache, charged: Charged
) -> None:
    """The one that was used longest ago; the other device has room, and keeps its own."""
    small, large = Device("small", 25), Device("large", 100)
    plates = [GreyPlate() for _ in range(3)]
    gone = [weakref.ref(cache.get(small, plate)) for plate in plates[:2]]
    kept = weakref.ref(cache.get(large, plates[1]))
    cache.get(small, plates[0])
    cache.get(small, plates[2])
    assert [seen() is None for seen in gone] == [False, True]
    assert kept() is not None
    assert [charged.bytes[plate] for plate in plates] == [3, 3, 3]
    assert small.opened == 3
    cache.get(small, plates[0])
    assert small.opened == 3
    cache.get(small, plates[1])
    assert small.opened == 4 and charged.bytes[plates[1]] == 6


def test_a_face_that_a_job_has_stays_and_is_shared(cache: FaceCache) -> None:
    device, plates = Device("small", 10), [GreyPlate() for _ in range(3)]
    held = cache.get(device, plates[0])
    cache.get(device, plates[1])
    assert cache.get(device, plates[0]) is held
    again = weakref.ref(held)
    del held
    cache.get(device, plates[2])
    assert again() is None, "its job has ended"
    assert device.opened == 3


def test_a_face_goes_with_its_plate(cache: FaceCache, charged: Charged) -> None:
    device, plate = Device("one", 100), GreyPlate()
    face = weakref.ref(cache.get(device, plate))
    assert face() is not None
    charged.bytes.clear()
    del plate
    gc.collect()
    assert face() is None
