"""A mouth moved by hand: handles land where they were dragged, and clips follow."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from app_core.avatars.mouth_handles import CURVES, HANDLES, LIPS, carried, handles, moved
from app_core.errors import BadInput
from app_core.face.track import load_track
from app_core.landmarks import POINTS
from tests.faces import FOLDER

WIDE, HIGH = 1080, 1920


@pytest.fixture(scope="module")
def still() -> np.ndarray:
    return load_track(FOLDER / "aigul" / "track.npz").landmarks[0]


def places(row: np.ndarray) -> dict[str, np.ndarray]:
    return {name: point.astype(float) for name, point in handles(row).items()}


def test_handles_where_they_were_move_nothing(still: np.ndarray) -> None:
    again = moved(still, places(still), WIDE, HIGH)
    assert np.abs(again - still).max() < 0.02


@pytest.mark.parametrize("name", HANDLES)
def test_a_handle_lands_where_it_was_dragged_and_the_others_stay(
    still: np.ndarray, name: str
) -> None:
    wanted = places(still)
    wanted[name] = wanted[name] + (3.0, 5.0)
    changed = moved(still, wanted, WIDE, HIGH)
    for other, place in handles(changed).items():
        assert place == pytest.approx(wanted[other], abs=0.6), other
    rest = np.ones(len(still), bool)
    rest[LIPS] = False
    assert np.array_equal(changed[rest], still[rest])


def test_the_seam_follows_the_lips_when_it_is_not_given(still: np.ndarray) -> None:
    wanted = {name: place + (7, 11) for name, place in places(still).items() if name != "seam"}
    changed = moved(still, wanted, WIDE, HIGH)
    assert np.abs(changed[LIPS] - still[LIPS] - (7, 11)).max() < 0.02


def test_whole_curves_are_taken_as_they_are(still: np.ndarray) -> None:
    curves = {name: still[POINTS[name]] + np.float32((1, 2)) for name in CURVES}
    changed = moved(still, curves, WIDE, HIGH)
    assert np.allclose(changed[LIPS], still[LIPS] + (1, 2), atol=1e-3)


def swapped(now: dict[str, Any]) -> dict[str, Any]:
    return now | {"corner_left": now["corner_right"], "corner_right": now["corner_left"]}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda now: now | {"upper": (-1, 5)}, "'upper' is not inside"),
        (lambda now: now | {"lower": (WIDE + 1, 5)}, "'lower' is not inside"),
        (lambda now: now | {"lower": (float("nan"), 5)}, "'lower' is not inside"),
        (lambda now: now | {"corner_left": now["corner_right"]}, "too close"),
        (swapped, "left of"),
        (lambda now: now | {"upper": now["lower"], "lower": now["upper"]}, "above|cross"),
        (lambda now: now | {"seam": now["lower"] + (0, 40)}, "cross"),
        (lambda now: now | {"lower": now["lower"] + (0, 600)}, "too tall"),
    ],
)
def test_what_is_no_mouth_is_refused(still: np.ndarray, change: Any, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence) as refused:
        moved(still, change(places(still)), WIDE, HIGH)
    assert refused.value.field == "points"


def test_a_curve_that_runs_back_is_refused(still: np.ndarray) -> None:
    curve = still[POINTS["lip_upper_outer"]][::-1]
    with pytest.raises(BadInput):
        moved(still, {"lip_upper_outer": curve}, WIDE, HIGH)


def test_a_clip_follows_in_the_frame_of_the_face(still: np.ndarray) -> None:
    """Turned by a right angle, half as large, somewhere else: so is the offset."""
    angle = math.pi / 2
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    other = (still @ turn.T * 0.5 + (2000, 30)).astype(np.float32)
    lost = np.full_like(still, np.nan)
    wanted = places(still) | {"lower": places(still)["lower"] + (0, 8)}
    changed = moved(still, wanted, WIDE, HIGH)
    same, turned, none = carried(np.stack([still, other, lost]), still, changed)
    assert np.allclose(same, changed, atol=1e-2)
    expected = changed[LIPS] @ turn.T * 0.5 + (2000, 30)
    assert np.allclose(turned[LIPS], expected, atol=1e-2)
    assert np.isnan(none).all()
