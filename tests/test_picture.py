from __future__ import annotations

import numpy as np
import pytest

from app_core.picture import from_bgr, to_bgr

# (B, G, R) and its Y, U, V by ITU-R BT.601, tv range.
COLOURS = {
    (0, 0, 0): (16, 128, 128),
    (255, 255, 255): (235, 128, 128),
    (128, 128, 128): (126, 128, 128),
    (0, 0, 255): (81, 90, 240),
    (0, 255, 0): (145, 54, 34),
    (255, 0, 0): (41, 240, 110),
    (60, 120, 200): (134, 90, 167),
}


@pytest.mark.parametrize(("bgr", "yuv"), COLOURS.items())
def test_solid_colours_are_bt601(bgr: tuple[int, ...], yuv: tuple[int, ...]) -> None:
    picture = from_bgr(np.full((4, 6, 3), bgr, np.uint8))
    found = [int(plane[1, 2]) for plane in (picture.y, picture.u, picture.v)]
    assert np.abs(np.subtract(found, yuv)).max() <= 1
    assert np.abs(to_bgr(picture).astype(int) - bgr).max() <= 2


def test_shapes_and_layout() -> None:
    picture = from_bgr(np.zeros((48, 64, 3), np.uint8))
    assert (picture.width, picture.height) == (64, 48)
    assert picture.u.shape == picture.v.shape == (24, 32)
    assert all(p.flags.c_contiguous for p in (picture.y, picture.u, picture.v))
    assert to_bgr(picture).shape == (48, 64, 3)


def test_there_and_back_changes_nothing_to_speak_of() -> None:
    rows, columns = np.mgrid[0:64, 0:96]
    smooth = np.stack([80 + rows, 60 + columns, 90 + (rows + columns) // 2], 2).astype(np.uint8)
    once = from_bgr(smooth)
    twice = from_bgr(to_bgr(once))
    for name in ("y", "u", "v"):
        before, after = getattr(once, name).astype(int), getattr(twice, name).astype(int)
        assert np.abs(before - after).max() <= 1


def test_colour_is_the_mean_of_four_pixels() -> None:
    bgr = np.zeros((2, 2, 3), np.uint8)
    bgr[0, 0] = (255, 255, 255)
    bgr[1, 1] = (255, 0, 0)
    picture = from_bgr(bgr)
    mean = from_bgr(np.full((2, 2, 3), (128, 64, 64), np.uint8))
    assert abs(int(picture.u[0, 0]) - int(mean.u[0, 0])) <= 1


def test_odd_sides_are_refused() -> None:
    with pytest.raises(ValueError, match="63x48"):
        from_bgr(np.zeros((48, 63, 3), np.uint8))
