"""The visible label: whole and legible at every size, on any picture, and never over a mouth."""

from __future__ import annotations

import weakref
from itertools import product

import numpy as np
import pytest

from app_core.audio import AudioBuffer
from app_core.channel import Channel
from app_core.job import Job
from app_core.landmarks import LIPS, POINT_COUNT, POINTS
from app_core.pipeline.compose import Composer
from app_core.pipeline.label import LANGUAGES, Label, Labels
from app_core.request import MjpegRequest
from app_core.types import FaceTrack, Picture
from tests.fakes import EchoModel, GreyPlate

SIZES = [(128, 128), (130, 132), (512, 512), (1080, 1920), (1920, 1080), (1920, 128), (128, 1920)]


def flat(width: int, height: int, level: int) -> Picture:
    half = np.full((height // 2, width // 2), 90, np.uint8)
    return Picture(np.full((height, width), level, np.uint8), half, half.copy())


def mouthed(width: int, height: int, *middles: tuple[float, float]) -> GreyPlate:
    """A plate with a picture for each middle of the mouth, a part of the sides; the mouth is a
    tenth of the shorter side wide. And one picture without a face."""
    plate = GreyPlate(width, height, len(middles) + 1)
    points = np.full((len(middles) + 1, POINT_COUNT, 2), np.nan, np.float32)
    reach = min(width, height) / 20
    for row, (x, y) in zip(points, middles, strict=False):
        row[:] = 0.0
        for name in LIPS:
            row[POINTS[name], 0] = np.linspace(x * width - reach, x * width + reach, 17)
            row[POINTS[name], 1] = y * height
    plate.track = FaceTrack(plate.track.boxes, points, 25.0, plate.track.strength)
    return plate


def made(plate: GreyPlate, language: str = "en") -> Label:
    label = Labels(wanted=True).of(plate, language)
    assert label is not None
    return label


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("level", [16, 90, 235])
def test_it_is_seen_on_light_and_dark(width: int, height: int, language: str, level: int) -> None:
    label = made(GreyPlate(width, height), language)
    left, top, wide, high = label.place
    assert high >= max(12, 0.05 * min(width, height))
    assert left >= 2
    assert top >= 2
    assert left + wide <= width - 2
    assert top + high <= height - 2
    shown = label.drawn(flat(width, height, level)).y[top : top + high, left : left + wide]
    assert shown.max() > 200
    assert np.percentile(shown, 25) < 90
    assert 0.1 < (shown > 150).mean() < 0.5


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_nothing_else_changes(width: int, height: int) -> None:
    label = made(GreyPlate(width, height))
    left, top, wide, high = label.place
    before = flat(width, height, 180)
    after = label.drawn(before)
    assert (before.y == 180).all()
    assert (before.u == 90).all()
    changed = np.argwhere(after.y != 180)
    assert changed.min(0).tolist() >= [top, left]
    assert (changed.max(0) < [top + high, left + wide]).all()
    inside = np.zeros_like(after.u, bool)
    inside[top // 2 : (top + high) // 2, left // 2 : (left + wide) // 2] = True
    assert (after.u[~inside] == 90).all()
    assert (after.v[inside] > 90).any()
    assert after.y.flags.c_contiguous


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize(
    "middles",
    [
        [(0.1, 0.1)],
        [(0.9, 0.05)],
        [(0.3, 0.05), (0.7, 0.05), (0.5, 0.5)],
        [(0.05, 0.05), (0.95, 0.05), (0.02, 0.95)],
        [(0.5, 0.6)],
    ],
)
def test_it_is_never_over_a_mouth(
    width: int, height: int, middles: list[tuple[float, float]]
) -> None:
    place = made(mouthed(width, height, *middles)).place
    for x, y in middles:
        beside_x = not place.left - 1 < x * width < place.left + place.width + 1
        beside_y = not place.top - 1 < y * height < place.top + place.height + 1
        assert beside_x or beside_y


def test_a_face_in_the_middle_leaves_it_above_on_the_left() -> None:
    place = made(mouthed(512, 512, (0.5, 0.6))).place
    assert (place.left, place.top) == (12, 12)


def test_each_language_has_its_own_and_the_rest_english() -> None:
    black = flat(512, 512, 16)
    plate = GreyPlate(512, 512)
    drawn = {name: made(plate, name).drawn(black).y for name in (*LANGUAGES, "auto")}
    for one, other in product(LANGUAGES, LANGUAGES):
        assert (one == other) == np.array_equal(drawn[one], drawn[other])
    assert np.array_equal(drawn["auto"], drawn["en"])


def test_it_is_made_once_for_a_plate_and_goes_with_it() -> None:
    labels, plates = Labels(wanted=True), [GreyPlate()]
    found = weakref.ref(made(plates[0]))
    assert found() is None  # nobody else keeps it
    assert labels.of(plates[0], "ru") is labels.of(plates[0], "ru")
    kept = weakref.ref(plates[0])
    plates.clear()
    assert kept() is None


def test_nobody_who_does_not_want_one_gets_one() -> None:
    assert Labels(wanted=False).of(GreyPlate(), "en") is None


def test_a_picture_that_passes_unchanged_has_it_too() -> None:
    plate = mouthed(128, 128, (0.5, 0.6))
    job = Job(MjpegRequest(text="x"), AudioBuffer(8000), Channel(4))
    model = EchoModel()
    composer = Composer(job, plate, model.open(plate), model, made(plate))  # type: ignore[arg-type]
    frame = composer.frame(model.rest(0, 1))
    assert job.frames_without_face == 1
    assert frame.picture.y[4:16, 4:84].max() > 200
