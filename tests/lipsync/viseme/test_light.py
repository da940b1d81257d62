"""Parts of a mouth that are drawn have the light and the colours of their own picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from app_core.landmarks import POINTS
from app_core.lipsync.viseme.light import hue, light_on_enamel, look
from app_core.lipsync.viseme.model import VisemeModel
from app_core.lipsync.viseme.rig import find_pose
from app_core.picture import from_bgr, to_bgr
from app_core.types import Mouth, Picture
from tests.faces import Filmed, aigul, differs

SMILE = np.array([0.5, 0.6, 0.5, 0, 0, 0, 0.6, 0], np.float32)
WIDE_OPEN = np.array([0.8, 0.85, 0.05, 0, 0, 0, 0.35, 0], np.float32)
ROUND = np.array([0.3, 0.4, -0.6, 1, 0, 0, 0, 0.9], np.float32)
SHUT = np.array([0.05, 0, 0, 0, 1, 0.8, 0, 0], np.float32)

STILL = aigul()
LANDMARKS = STILL.track.landmarks[0]
BGR = to_bgr(STILL.picture(0)).astype(float)


@pytest.fixture(scope="module")
def model() -> VisemeModel:
    return VisemeModel()


def picture(bgr: np.ndarray) -> Picture:
    return from_bgr(np.clip(bgr + 0.5, 0, 255).astype(np.uint8))


def grey(bgr: np.ndarray) -> np.ndarray:
    return np.repeat((bgr @ [0.114, 0.587, 0.299])[..., None], 3, 2)


def spoken(model: VisemeModel, pictures: list[Picture], mouth: np.ndarray) -> list[Picture]:
    """The first of them is the one that the face is opened on."""
    face = model.open(Filmed(pictures, np.repeat(LANDMARKS[None], len(pictures), 0)))
    return [model.apply(face, shown, Mouth(k, k, mouth)) for k, shown in enumerate(pictures)]


def mouth_of(plane: np.ndarray) -> np.ndarray:
    upper, lower = LANDMARKS[POINTS["lip_upper_inner"]], LANDMARKS[POINTS["lip_lower_outer"]]
    left, right = int(upper[0, 0]), int(upper[-1, 0])
    return plane[int(upper[:, 1].min()) : int(lower[:, 1].max()) + 8, left:right].astype(float)


def brightness(shown: Picture) -> float:
    """The brightest of the mouth against the brightest of the face."""
    left, top, right, bottom = STILL.track.boxes[0].astype(int)
    face = np.percentile(above_black(shown)[top:bottom, left:right], 99.5)
    return float(np.percentile(mouth_of(above_black(shown)), 99.5) / max(face, 0.5))


def above_black(shown: Picture) -> np.ndarray:
    return shown.y.astype(float) - 16


@pytest.mark.parametrize("opened_on", [0.0, 0.02, 0.3, 1.0])
def test_teeth_are_no_brighter_than_the_face_in_any_light(
    model: VisemeModel, opened_on: float
) -> None:
    """A fade from black, a flash, a lamp that is switched."""
    gains = [opened_on, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0, 1.8, 0.1]
    drawn = spoken(model, [picture(BGR * gain) for gain in gains], SMILE)
    assert max(brightness(shown) for shown in drawn) < 1.2
    alone = spoken(model, [picture(BGR)], SMILE)[0]
    assert np.abs(mouth_of(drawn[7].y) - mouth_of(alone.y)).max() <= 6, "whatever it was opened on"
    assert brightness(drawn[7]) > 0.85, "they are not lost either"


@pytest.mark.parametrize("mouth", [SMILE, WIDE_OPEN, ROUND, SHUT])
@pytest.mark.parametrize("gain", [0.1, 0.5, 1.0])
def test_grey_stays_grey(model: VisemeModel, mouth: np.ndarray, gain: float) -> None:
    shown = picture(grey(BGR) * gain)
    drawn = spoken(model, [shown, shown], mouth)[1]
    assert differs(drawn, shown).any()
    for plane in (drawn.u, drawn.v):
        assert np.abs(plane.astype(int) - 128).max() <= 1


def test_a_clip_that_turns_grey_has_a_grey_mouth(model: VisemeModel) -> None:
    drawn = spoken(model, [picture(BGR), picture(grey(BGR))], WIDE_OPEN)
    assert np.abs(mouth_of(drawn[0].v.repeat(2, 0).repeat(2, 1)) - 128).max() > 15
    assert np.abs(drawn[1].v.astype(int) - 128).max() <= 1


@pytest.mark.parametrize(
    ("light", "redder", "bluer"),
    [((1.0, 0.5, 0.35), -1, 1), ((0.3, 0.4, 1.0), 1, -1)],
)
def test_a_coloured_light_falls_on_teeth_too(
    model: VisemeModel, light: tuple[float, float, float], redder: int, bluer: int
) -> None:
    """Blue and red, B G R: against what was drawn in white light."""
    drawn = [
        spoken(model, [picture(BGR * factors)], SMILE)[0] for factors in ((1.0, 1.0, 1.0), light)
    ]
    white, lit = (
        mouth_of(to_bgr(shown).astype(float))
        .reshape(-1, 3)[mouth_of(shown.y.astype(float)).ravel().argsort()[-200:]]
        .mean(0)
        for shown in drawn
    )
    white, lit = white / white.mean(), lit / lit.mean()
    assert redder * (lit[2] - white[2]) > 0.1
    assert bluer * (lit[0] - white[0]) > 0.1


def sizes() -> tuple[float, float]:
    rig = VisemeModel().open(STILL).rig
    assert rig is not None
    return rig.measures.half_width, rig.measures.chin


@pytest.mark.parametrize(
    ("change", "low", "high"),
    [
        (lambda bgr: bgr, 1.0, 1.0),
        (lambda bgr: 0.2 * bgr, 0.8, 1.0),
        (lambda bgr: 0.5 * bgr + 0.5 * grey(bgr), 0.3, 0.8),
        (lambda bgr: grey(bgr) * [0.8, 0.93, 1.08], 0.4, 0.95),
        (lambda bgr: grey(bgr) + np.random.default_rng(0).normal(0, 3, bgr.shape), 0.0, 0.05),
        (grey, 0.0, 0.0),
    ],
)
def test_the_drawn_colours_are_as_strong_as_the_pictures(
    change: Callable[[np.ndarray], np.ndarray], low: float, high: float
) -> None:
    pose = find_pose(LANDMARKS, STILL.width, STILL.height)
    seen = look(picture(change(BGR)).planes, pose, *sizes())
    assert low <= hue(seen).colour <= high


def test_usual_light_changes_no_colour() -> None:
    pose = find_pose(LANDMARKS, STILL.width, STILL.height)
    assert hue(look(picture(BGR).planes, pose, *sizes())) == (1.0, 1.0, 1.0, 1.0)


def test_dark_skin_in_good_light_has_light_teeth() -> None:
    """Skin at a third of its light; the whites of the eyes and a lamp's reflection as they are."""
    dark = BGR.copy()
    left, top, right, bottom = STILL.track.boxes[0].astype(int)
    face = dark[top:bottom, left:right]
    luma = face @ [0.114, 0.587, 0.299]
    face[luma < 215] *= 0.3
    pose = find_pose(LANDMARKS, STILL.width, STILL.height)
    seen = look(picture(dark).planes, pose, *sizes())
    assert seen.skin < 0.25
    assert light_on_enamel(seen, seen.skin) == pytest.approx(0.35, abs=0.02)
