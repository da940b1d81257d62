from __future__ import annotations

import numpy as np
import pytest

from app_core.lipsync.viseme.geometry import (
    COLUMNS,
    TABLE_ROWS,
    TO_LOWER_INNER,
    TO_UPPER_INNER,
    form_mouth,
)
from app_core.lipsync.viseme.moved_mouth import move_mouth
from app_core.lipsync.viseme.neutral import neutral_mouths
from app_core.lipsync.viseme.rig import Pose, Rig, find_pose, make_rig
from app_core.types import Picture
from tests import reference_warp
from tests.faces import aigul, differs, rolled, speaking

# jaw, open, wide, round, close, tuck, teeth, tongue
REST = (0, 0, 0, 0, 0, 0, 0, 0)
SEALED = (0.06, 0, 0, 0, 1, 0, 0, 0)
WIDE_OPEN = (0.80, 0.85, 0.05, 0, 0, 0, 0.35, 0)
SHAPES = {
    "rest": REST,
    "mbp": SEALED,
    "a": WIDE_OPEN,
    "i": (0.16, 0.28, 0.75, 0, 0, 0, 0.65, 0.2),
    "o": (0.50, 0.50, -0.4, 0.65, 0, 0, 0.15, 0),
    "u": (0.18, 0.22, -0.75, 1, 0, 0, 0, 0),
    "fv": (0.10, 0.10, 0.05, 0, 0, 1, 0.75, 0),
    "th": (0.26, 0.36, 0.08, 0, 0, 0, 0.4, 1),
}

Face = tuple[Rig, Pose, Picture]


def numbers(shape: tuple[float, ...]) -> np.ndarray:
    return np.array(shape, np.float32)


def face_of(plate) -> Face:
    picture, landmarks = plate.picture(0), plate.track.landmarks[0]
    pose = find_pose(landmarks, plate.width, plate.height)
    return make_rig(landmarks, picture), pose, picture


@pytest.fixture(scope="module")
def face() -> Face:
    return face_of(aigul())


@pytest.fixture(scope="module")
def tilted() -> Face:
    return face_of(rolled(aigul(), 12))


def random_shapes(count: int) -> np.ndarray:
    shapes = np.random.default_rng(5).uniform(0, 1, (count, 8)).astype(np.float32)
    shapes[:, 2] = shapes[:, 2] * 2 - 1
    shapes[: count // 3] = np.round(shapes[: count // 3])
    return shapes


def region(pose: Pose, scale: int) -> tuple[slice, slice]:
    return (
        slice(pose.top // scale, pose.bottom // scale),
        slice(pose.left // scale, pose.right // scale),
    )


def compare(face: Face, shape: tuple[float, ...], most: float = 10) -> None:
    rig, pose, picture = face
    drawn = move_mouth(rig, pose, picture, numbers(shape))
    expected = reference_warp.render(rig, pose, picture, np.array(shape, float))
    for plane, wanted, scale in zip((drawn.y, drawn.u, drawn.v), expected, (1, 2, 2), strict=True):
        off = np.abs(plane[region(pose, scale)] - wanted)
        assert off.mean() < 0.3
        assert np.percentile(off, 99) < 4
        assert np.percentile(off, 99.9) < most


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_kernel_draws_what_the_recipe_says(face: Face, shape: tuple[float, ...]) -> None:
    compare(face, shape)


def test_a_large_face_is_drawn_the_same_way() -> None:
    large = face_of(aigul((1440, 1440)))
    assert large[0].measures.half_width > 90
    compare(large, WIDE_OPEN)


@pytest.mark.parametrize("name", ["a", "u", "fv"])
def test_a_rolled_head_is_drawn_the_same_way(tilted: Face, name: str) -> None:
    assert tilted[1].sin / tilted[1].cos == pytest.approx(np.tan(np.radians(12)), abs=1e-3)
    compare(tilted, SHAPES[name])


def test_the_comparison_sees_a_wrong_shape(face: Face) -> None:
    rig, pose, picture = face
    drawn = move_mouth(rig, pose, picture, numbers(WIDE_OPEN))
    smaller = reference_warp.render(rig, pose, picture, np.array(WIDE_OPEN) * 0.9)
    assert np.abs(drawn.y[region(pose, 1)] - smaller[0]).mean() > 0.6


def test_zeros_leave_a_closed_mouth_bit_for_bit(face: Face) -> None:
    rig, pose, picture = face
    assert not differs(move_mouth(rig, pose, picture, numbers(REST)), picture).any()


def test_only_the_region_changes_and_its_border_does_not(face: Face, tilted: Face) -> None:
    for rig, pose, picture in (face, tilted):
        changed = np.zeros(picture.y.shape, bool)
        for shape in random_shapes(24):
            changed |= differs(move_mouth(rig, pose, picture, shape), picture)
        assert changed[region(pose, 1)].mean() > 0.3
        changed[pose.top + 2 : pose.bottom - 2, pose.left + 2 : pose.right - 2] = False
        assert not changed.any()


def test_the_source_is_not_written_to(face: Face) -> None:
    rig, pose, picture = face
    before = picture.y.copy(), picture.u.copy(), picture.v.copy()
    move_mouth(rig, pose, picture, numbers(WIDE_OPEN))
    for plane, old in zip((picture.y, picture.u, picture.v), before, strict=True):
        assert np.array_equal(plane, old)


def test_no_shape_leaves_the_tv_range_or_wraps_around(face: Face) -> None:
    """A wrapped byte would be a black pixel in bright skin or the reverse."""
    rig, pose, picture = face
    for shape in random_shapes(40):
        drawn = move_mouth(rig, pose, picture, shape)
        assert drawn.y.min() >= min(16, picture.y.min())
        assert drawn.y.max() <= max(235, picture.y.max())
        for plane in (drawn.u, drawn.v):
            assert 60 < plane[region(pose, 2)].min()
            assert plane[region(pose, 2)].max() < 200


def test_nothing_folds_over(face: Face) -> None:
    """Along a column and along a row the source advances with the destination."""
    rig, _, _ = face
    m = rig.measures
    v = np.linspace(-0.99 * m.chin, 1.7 * m.chin, 300)[:, None]
    u = np.linspace(-1.1 * m.half_width, 1.1 * m.half_width, 120)[None]
    u, v = np.broadcast_arrays(u, v)
    for shape in random_shapes(20):
        lips = reference_warp.lips(rig, shape.astype(float))
        aside, upper, lower, above = reference_warp.layers(rig, lips, u, v)
        both = above[:-1] & above[1:]
        assert (np.diff(v - upper, axis=0)[both] > -1e-6).all()
        both = ~above[:-1] & ~above[1:]
        assert (np.diff(v - lower, axis=0)[both] > -1e-6).all()
        assert (np.diff(u + aside, axis=1) > -1e-6).all()


def mouth_pixels(face: Face, shape: tuple[float, ...]) -> np.ndarray:
    """Luma between the drawn lips."""
    rig, pose, picture = face
    table = np.empty((TABLE_ROWS, COLUMNS), np.float32)
    form_mouth(rig.measures, rig.curves, numbers(shape), table)
    drawn = move_mouth(rig, pose, picture, numbers(shape))
    rows, columns = np.mgrid[0 : picture.height, 0 : picture.width] + 0.5
    x = rig.measures.first_x + rig.measures.column_step * np.arange(COLUMNS)
    top = np.interp(columns - pose.x, x, table[TO_UPPER_INNER])
    bottom = np.interp(columns - pose.x, x, table[TO_LOWER_INNER])
    return drawn.y[(rows - pose.y > top + 1) & (rows - pose.y < bottom - 1)]


def test_a_sealed_mouth_has_no_inside(face: Face) -> None:
    assert mouth_pixels(face, SEALED).size == 0
    for half_open in ((0.5, 0.9, 0, 0, 1, 0, 0, 0), (0.3, 0.5, -0.5, 0.8, 1, 0, 0.5, 0.9)):
        assert mouth_pixels(face, half_open).size == 0


def test_an_open_mouth_is_dark_and_has_teeth(face: Face) -> None:
    inside = mouth_pixels(face, WIDE_OPEN)
    assert inside.size > 300
    assert (inside < 50).mean() > 0.3
    assert (inside > 140).mean() > 0.1


def test_a_rounded_mouth_hides_its_teeth(face: Face) -> None:
    assert (mouth_pixels(face, SHAPES["u"]) > 140).mean() < 0.02


def test_the_chin_drops_with_the_jaw(face: Face) -> None:
    """The edge between chin and neck moves down by what the recipe says, 0.92 x 0.27 x h."""
    rig, pose, picture = face
    dropped = move_mouth(rig, pose, picture, numbers((1, 0, 0, 0, 0, 0, 0, 0)))
    column, h = int(pose.x), rig.measures.chin
    rows = slice(int(pose.y + 0.75 * h), int(pose.y + 1.45 * h))

    def edge(plane: np.ndarray) -> float:
        steps = -np.diff(plane[rows, column - 4 : column + 4].mean(1))
        steps = np.where(steps > 0.6 * steps.max(), steps, 0)
        return float((steps * np.arange(len(steps))).sum() / steps.sum())

    assert edge(dropped.y) - edge(picture.y) == pytest.approx(0.92 * 0.27 * h, abs=2.0)


PARTED = (0.1, 0.4, 0, 0, 0, 0, 0.3, 0)


@pytest.fixture(scope="module")
def parted() -> Face:
    """A face whose own picture has parted lips, teeth showing."""
    picture, landmarks = speaking(aigul(), PARTED)
    neutral = neutral_mouths(landmarks[None]).landmarks[0]
    return (
        make_rig(neutral, picture, landmarks),
        find_pose(neutral, picture.width, picture.height),
        picture,
    )


@pytest.mark.parametrize("shape", [REST, SEALED], ids=["rest", "mbp"])
def test_an_open_source_is_closed(parted: Face, shape: tuple[float, ...]) -> None:
    rig, pose, picture = parted
    assert rig.measures.parted > 0.9
    closed = move_mouth(rig, pose, picture, numbers(shape))
    top, left = int(pose.y) - 1, int(pose.x) - 12
    mouth = slice(top, top + 12), slice(left, left + 24)
    assert (picture.y[mouth] > 180).sum() > 30, "teeth show in the source"
    assert (closed.y[mouth] > 180).sum() == 0
    assert (closed.y[mouth] < 90).any(), "the line between the lips is drawn"


@pytest.mark.parametrize("name", ["rest", "mbp", "a", "u"])
def test_an_open_source_is_drawn_as_the_recipe_says(parted: Face, name: str) -> None:
    compare(parted, SHAPES[name], most=12)
