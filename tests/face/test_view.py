from __future__ import annotations

import math

import numpy as np
import pytest

from app_core.face.view import CUT, Region, RgbView, YuvView
from app_core.picture import from_bgr
from tests.faces import aigul


def ramp(width: int = 64, height: int = 48) -> np.ndarray:
    """Red grows by 2 a pixel to the right, green by 3 downwards."""
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[..., 0] = np.arange(width) * 2
    rgb[..., 1] = np.arange(height)[:, None] * 3
    return rgb


def test_a_crop_of_the_same_scale_is_the_picture_itself() -> None:
    rgb = ramp()
    crop = RgbView(rgb).crop(Region(20, 24, 16), 16, repeat=False)
    assert np.array_equal(crop, rgb[16:32, 12:28])


def test_a_turned_crop_is_turned() -> None:
    crop = RgbView(ramp()).crop(Region(32, 24, 16, math.pi / 2), 16, repeat=False).astype(int)
    assert (np.diff(crop[:, 8, 0]) < 0).all(), "down in the crop is left in the picture"
    assert (np.diff(crop[8, :, 1]) > 0).all(), "right in the crop is down in the picture"


def test_beyond_the_picture_it_is_black_or_the_edge() -> None:
    view = RgbView(np.full((20, 20, 3), 200, np.uint8))
    outside = Region(0, 10, 20)
    assert view.crop(outside, 20, repeat=False)[:, :9].max() == 0
    assert view.crop(outside, 20, repeat=True).min() == 200


@pytest.mark.parametrize("repeat", [False, True])
def test_planes_give_the_colours_that_the_whole_picture_gives(repeat: bool) -> None:
    from app_core.picture import to_bgr

    picture = aigul((512, 512)).picture(0)
    rgb = np.ascontiguousarray(to_bgr(picture)[..., ::-1])
    region = Region(250, 60, 300, 0.2)  # reaches over the upper edge
    planes = YuvView(picture).crop(region, 192, repeat=repeat).astype(int)
    whole = RgbView(rgb).crop(region, 192, repeat=repeat).astype(int)
    assert np.abs(planes - whole).mean() < 1.0
    assert np.quantile(np.abs(planes - whole), 0.99) < 10


def test_thumbnails_tell_a_cut_from_a_movement() -> None:
    plate = aigul((512, 512))
    picture = plate.picture(0)
    here = YuvView(picture).thumbnail()
    moved = np.roll(picture.y, 6, axis=1)
    there = YuvView(type(picture)(moved, picture.u, picture.v)).thumbnail()
    other = YuvView(type(picture)(255 - picture.y, picture.u, picture.v)).thumbnail()
    assert np.abs(here - there).mean() < CUT / 2
    assert np.abs(here - other).mean() > CUT


def test_the_smallest_pictures_have_thumbnails() -> None:
    tiny = from_bgr(np.zeros((2, 4, 3), np.uint8))
    assert YuvView(tiny).thumbnail().shape == (32, 32)
