"""The cache of plates, with plates that only count."""

from __future__ import annotations

import gc
import random
import weakref
from pathlib import Path
from typing import Any

import pytest

from app_core.avatars.plate_cache import PlateCache

HOME = Path("avatar")


class Plate:
    """``reading`` jobs have its pictures; those that it gave up are held until they end."""

    def __init__(self, cycle_bytes: int, own_bytes: int = 0) -> None:
        self.cycle_bytes, self.own_bytes = cycle_bytes, own_bytes
        self.keep = False
        self.reading = 0
        self.left = 0
        self.released = 0

    @property
    def idle(self) -> bool:
        return not self.reading

    @property
    def kept_bytes(self) -> int:
        return self.cycle_bytes * (self.keep + (self.left > 0))

    def give_up(self) -> None:
        if self.keep:
            self.left, self.keep = self.reading, False

    def release(self) -> None:
        self.give_up()
        self.released += 1


class Plates:
    """Names for places. ``use`` is what a job does; ``built`` counts the plates made."""

    def __init__(self, room: int) -> None:
        self.cache = PlateCache(room)
        self.built = 0

    def use(self, name: str, cycle: int = 10, own: int = 0, version: int = 0) -> Plate:
        def build() -> Any:
            self.built += 1
            return Plate(cycle, own)

        plate: Any = self.cache.get((HOME / name,), version, build)
        return plate  # type: ignore[no-any-return]


def test_a_plate_that_gave_up_its_pictures_keeps_them_again() -> None:
    """Two sizes of another clip drive the default out; it comes back when it alone is used."""
    cached = Plates(room=25)
    default = cached.use("default")
    one, other = cached.use("one"), cached.use("other")
    assert (default.keep, one.keep, other.keep) == (False, True, True)
    assert not cached.use("default").keep, "both were used since it was"
    assert cached.use("default") is default
    assert (default.keep, one.keep, other.keep) == (True, False, True)
    assert cached.built == 3


def test_a_plate_keeps_again_when_there_is_room() -> None:
    cached = Plates(room=25)
    default, one = cached.use("default"), cached.use("one")
    cached.use("other")
    assert not default.keep
    cached.cache.forget(HOME / "one")
    assert one.released and not one.keep
    assert cached.use("default").keep


def test_plates_that_take_turns_do_not_drive_each_other_out() -> None:
    cached = Plates(room=25)
    for _ in range(10):
        plates = [cached.use(name) for name in ("a", "b", "c")]
    assert [plate.keep for plate in plates] == [False, True, True]
    assert [plate.released for plate in plates] == [1, 0, 0]


def test_a_plate_that_left_takes_no_room_from_those_used_since() -> None:
    cached = Plates(room=1000)
    names = [str(n) for n in range(20)]
    for _ in range(3):
        plates = [cached.use(name, cycle=300) for name in names]
    assert sum(plate.keep for plate in plates) <= 3
    assert sum(plate.released for plate in plates) < 20


def test_pictures_that_jobs_read_are_not_driven_out() -> None:
    cached = Plates(room=25)
    one, other = cached.use("one"), cached.use("other")
    one.reading = other.reading = 1
    new = cached.use("new")
    assert (one.keep, other.keep, new.keep) == (True, True, False)
    other.reading = 0
    assert cached.use("newer").keep
    assert (one.keep, other.keep) == (True, False)


def test_what_was_given_up_counts_until_the_last_job_ends() -> None:
    cached = Plates(room=25)
    one, other = cached.use("one"), cached.use("other")
    one.reading = 1
    cached.cache.forget(HOME / "one")
    assert cached.cache.nbytes == 20
    other.reading = 1
    new = cached.use("new")
    assert not new.keep
    one.left = one.reading = 0
    assert cached.cache.nbytes == 10
    assert cached.use("new").keep


def test_a_version_takes_the_place_and_the_room_of_the_older() -> None:
    cached = Plates(room=10)
    old = cached.use("one")
    new = cached.use("one", version=1)
    assert (old.keep, new.keep, old.released) == (False, True, 1)


def test_a_plate_too_large_drives_nobody_out() -> None:
    cached = Plates(room=25)
    one = cached.use("one")
    assert not cached.use("large", cycle=26).keep
    assert one.keep


def test_what_models_made_counts_and_plates_leave() -> None:
    cached = Plates(room=100)
    seen = []
    for name in "abcdef":
        plate = cached.use(name, cycle=5, own=5)
        cached.cache.charge(plate, 15)  # type: ignore[arg-type]
        seen.append(weakref.ref(plate))
        del plate
        gc.collect()
    assert [ref() is not None for ref in seen] == [False, False, True, True, True, True]
    assert cached.cache.nbytes <= 100
    for ref in seen[2:]:
        cached.cache.charge(ref(), 25)  # type: ignore[arg-type]
    assert [ref().keep for ref in seen[2:]] == [False] * 4  # type: ignore[union-attr]
    assert cached.cache.nbytes == 120, "the fewest stay, without pictures"


def test_a_plate_that_left_counts_while_somebody_has_it() -> None:
    cached = Plates(room=50)
    plate = cached.use("one", own=20)
    cached.cache.charge(plate, 7)  # type: ignore[arg-type]
    cached.cache.forget(HOME / "one")
    assert cached.cache.nbytes == 27
    cached.cache.charge(plate, 9)  # type: ignore[arg-type]
    assert cached.cache.nbytes == 29
    del plate
    gc.collect()
    assert cached.cache.nbytes == 0


def test_the_number_of_plates_is_bounded() -> None:
    cached = Plates(room=10**6)
    kept = [weakref.ref(cached.use(str(n))) for n in range(40)]
    gc.collect()
    assert sum(ref() is not None for ref in kept) == 16


@pytest.mark.parametrize("seed", range(5))
def test_all_together_stays_in_the_room(seed: int) -> None:
    rng, cached, room = random.Random(seed), Plates(room=400), 400
    jobs: list[Plate] = []
    for _ in range(600):
        name = rng.randrange(30)
        plate = cached.use(str(name), cycle=10 * (1 + name % 13), own=1 + name % 3)
        if plate.keep and rng.random() < 0.5:
            plate.reading += 1
            jobs.append(plate)
        if len(jobs) > 6:
            ended = jobs.pop(rng.randrange(len(jobs)))
            ended.reading -= 1
            ended.left = min(ended.left, ended.reading)
        if rng.random() < 0.02:
            cached.cache.forget(HOME / str(rng.randrange(30)))
        assert cached.cache.nbytes <= room + 16 * 3, "plates in use stay, their pictures fit"
