"""Faces cut out in the background: order, sharing, failure, and what waits for what."""

from __future__ import annotations

import gc
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest

from app_core.errors import FfmpegFailed
from app_core.face.track import cycle_track
from app_core.landmarks import POINT_COUNT
from app_core.lipsync.wav2lip import crops as module
from app_core.lipsync.wav2lip.crops import Crops, face_rows
from app_core.types import FaceTrack, Picture
from tests.conftest import until
from tests.lipsync.wav2lip.test_model import OneColour

SIZE = 128

NOWHERE = Path("/dev/null/folder")
"""No folder can be made there."""


def track(order: list[int]) -> FaceTrack:
    """A face that is a little further right in each picture of the clip; ``order``: the cycle."""
    rng = np.random.default_rng(1)
    points = rng.uniform(30, 90, (POINT_COUNT, 2))
    landmarks = np.stack([points + [index, 0] for index in order]).astype(np.float32)
    boxes = np.stack([[20 + i, 20, 100 + i, 100] for i in order]).astype(np.float32)
    return cycle_track(boxes, landmarks, 25.0)


class Film:
    """A plate whose pictures are as grey as their number; they come when they are let."""

    jaw_gain = open_gain = 1.0
    width = height = SIZE

    def __init__(self, order: list[int], allowed: int = 10**6) -> None:
        self.track, self.order = track(order), order
        self.read: list[int] = []
        self.allowed, self.broken = allowed, False
        self.changed = threading.Condition()
        self.closed = 0

    def allow(self, pictures: int) -> None:
        with self.changed:
            self.allowed = pictures
            self.changed.notify_all()

    def frame_source(self, use_nvdec: bool = False, gently: bool = False) -> Reading:
        return Reading(self.order, self.read, self)

    def picture(self, index: int) -> Picture:
        half = np.full((SIZE // 2, SIZE // 2), 128, np.uint8)
        return Picture(np.full((SIZE, SIZE), 16 + self.order[index], np.uint8), half, half)


class Reading:
    def __init__(self, order: list[int], read: list[int], film: Film) -> None:
        self.film = film

    def picture(self, index: int) -> Picture:
        film = self.film
        with film.changed:
            assert film.changed.wait_for(lambda: index < film.allowed or film.broken, 10)
            if film.broken:
                raise FfmpegFailed("the decoder died")
        film.read.append(index)
        return film.picture(index)

    def close(self) -> None:
        self.film.closed += 1


def boxes(film: Film) -> np.ndarray:
    return np.rint(film.track.boxes / 2).astype(np.int32) * 2


def crops_of(film: Film, folder: Path | None = None) -> Crops:
    return Crops(film, boxes(film), OneColour(), folder)  # type: ignore[arg-type]


def test_a_frame_is_ready_as_soon_as_its_own_face_is() -> None:
    film = Film(list(range(10)), allowed=4)
    crops = crops_of(film)
    assert until(lambda: crops.ready(3))
    assert not crops.ready(4)
    held, row = crops.at(3)
    assert held[row].shape == (96, 96, 3)
    film.allow(10)
    assert until(lambda: crops.ready(9))
    shades = [int(crops.at(n).crops[crops.at(n).picture].mean()) for n in range(10)]
    assert shades == sorted(set(shades)), "each picture has its own face"
    assert until(lambda: film.closed == 1)


def test_the_way_back_has_the_faces_of_the_way_there() -> None:
    film = Film([0, 1, 2, 3, 4, 3, 2, 1])
    crops = crops_of(film)
    assert until(lambda: crops.ready(4) and film.closed == 1)
    assert film.read == [0, 1, 2, 3, 4], "nothing is decoded twice"
    assert crops.held.shape == (5, 96, 96, 3)
    assert crops.at(6).picture == crops.at(2).picture == 2


def test_a_face_that_holds_still_is_no_way_back() -> None:
    still = Film([7] * 6)
    assert list(face_rows(still.track, boxes(still))) == [0, 1, 2, 3, 4, 5]


def test_pictures_without_a_face_take_no_room_and_are_ready() -> None:
    film = Film([0, 1, 2, 3], allowed=0)
    found = boxes(film)
    found[[0, 2]] = 0
    assert list(face_rows(film.track, found)) == [-1, 0, -1, 1]
    crops = Crops(film, found, OneColour(), None)  # type: ignore[arg-type]
    assert crops.ready(0) and crops.ready(2) and not crops.ready(1)
    film.allow(4)
    assert until(lambda: crops.ready(3))
    assert film.read == [1, 3]
    none = Crops(film, np.zeros_like(found), OneColour(), None)  # type: ignore[arg-type]
    assert none.ready(1)


def test_a_failure_reaches_those_who_wait_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_AGAIN_S", 0.2)
    film = Film([0, 1, 2, 3], allowed=2)
    crops = crops_of(film)
    assert until(lambda: crops.ready(1))
    with film.changed:
        film.broken = True
        film.changed.notify_all()
    with pytest.raises(FfmpegFailed, match="decoder died"):
        crops.at(3)
    assert crops.ready(3), "so that the frame fails and does not wait for ever"
    film.broken = False
    film.allow(4)
    assert until(lambda: crops.ready(3))
    assert until(lambda: crops.ready(3) and crops._error is None)
    assert crops.at(3).picture == 3
    assert film.read == [0, 1, 2, 3]


def test_what_nobody_asked_for_is_cut_out_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AHEAD", 10)
    monkeypatch.setattr(module, "_GENTLE_S", 0.2)
    film = Film(list(range(100)))
    crops = crops_of(film)
    assert until(lambda: len(film.read) > 10)
    assert len(film.read) < 15
    assert not crops.ready(60)
    assert until(lambda: crops.ready(60), 5), "at the slow pace it would take 10 s"
    crops.close()


def test_closing_ends_the_thread() -> None:
    film = Film(list(range(1000)), allowed=3)
    crops = crops_of(film)
    assert until(lambda: crops.ready(2))
    threading.Timer(0.05, film.allow, [4]).start()
    crops.close()
    assert film.closed == 1 and len(film.read) == 4


def test_the_faces_go_with_their_plate() -> None:
    film = Film(list(range(5)))
    crops = crops_of(film)
    kept = weakref.ref(film)
    assert until(lambda: crops.ready(4))
    crops.close()
    del film
    gc.collect()
    assert kept() is None


def test_a_long_clip_lies_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IN_MEMORY", 3 * module.FACE_BYTES)
    film = Film(list(range(5)))
    crops = crops_of(film, tmp_path)
    assert until(lambda: crops.ready(4))
    assert not crops.held.flags.owndata
    assert crops.nbytes == 0
    assert list(tmp_path.iterdir()) == [], "the file has no name"
    assert crops.held[4].mean() > crops.held[0].mean()
    in_memory = crops_of(Film(list(range(5))), NOWHERE)
    assert in_memory.nbytes == 5 * module.FACE_BYTES
    assert until(lambda: in_memory.ready(4)), "without the file they stay in memory"
