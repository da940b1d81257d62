"""What real faces bring: open and talking mouths, other light, turned and unsure heads."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from app_core.avatars.blink import LID_CURVE, can_blink, close_lids, eyes_of
from app_core.avatars.still_plate import StillPlate
from app_core.face.track import cycle_track
from app_core.landmarks import POINTS
from app_core.lipsync.viseme.displacement import SHADOW, displace
from app_core.lipsync.viseme.geometry import COLUMNS, TABLE_ROWS, form_mouth
from app_core.lipsync.viseme.light import light_on_enamel, look
from app_core.lipsync.viseme.model import VisemeModel
from app_core.lipsync.viseme.neutral import gap, neutral_mouths
from app_core.lipsync.viseme.own_mouth import peel
from app_core.lipsync.viseme.rig import face_points, find_pose, find_poses
from app_core.picture import from_bgr, to_bgr
from app_core.types import Mouth, Picture
from benchmarks.real_face import SEALED, corners_of, gradient, measure, ring, wander
from tests.faces import Filmed, aigul, differs, rolled, speaking

REST = np.zeros(8, np.float32)
WIDE_OPEN = np.array([0.8, 0.85, 0.05, 0, 0, 0, 0.35, 0], np.float32)
SMILE = (0.1, 0.45, 0.6, 0, 0, 0, 0.6, 0)
LIPS = ("lip_upper_outer", "lip_upper_inner", "lip_lower_inner", "lip_lower_outer")
PALE = 45
"""Red less blue: teeth have less of it, skin and lips more."""


@pytest.fixture(scope="module")
def model() -> VisemeModel:
    made = VisemeModel()
    made.warm_up()
    return made


def smiling(degrees: float = 0.0) -> Filmed:
    plate = aigul() if not degrees else rolled(aigul(), degrees)
    picture, landmarks = speaking(plate, SMILE)
    return Filmed([picture], landmarks[None])


def between_lips(picture: Picture, landmarks: np.ndarray) -> np.ndarray:
    """(pixels, 3) B, G, R after a JPEG, between the middles of the two lips of ``landmarks``."""
    coded = cv2.imencode(".jpg", to_bgr(picture), [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    pixels = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    outer_up, inner_up, inner_low, outer_low = (landmarks[POINTS[name]] for name in LIPS)
    upper = inner_up + 0.4 * (outer_up - inner_up)
    lower = inner_low + 0.4 * (outer_low - inner_low)
    outline = np.concatenate([upper[2:-2], lower[-3:1:-1]])
    mask = np.zeros(pixels.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(outline).astype(np.int32)], 1)
    return pixels[mask > 0].astype(int)


def teeth_in(picture: Picture, landmarks: np.ndarray, light: float = 1.0) -> float:
    """The part of what is between the lips that is pale and bright."""
    blue, green, red = between_lips(picture, landmarks).T
    return float(((red - blue < PALE) & (green > 120 * light)).mean())


@pytest.mark.parametrize("degrees", [0, 25, -25])
@pytest.mark.parametrize("tracks", [REST, SEALED], ids=["rest", "mbp"])
def test_a_smile_is_closed(model: VisemeModel, degrees: float, tracks: np.ndarray) -> None:
    plate = smiling(degrees)
    face, landmarks = model.open(plate), plate.track.landmarks[0]
    closed = model.apply(face, plate.picture(0), Mouth(0, 0, tracks))
    assert teeth_in(plate.picture(0), landmarks) > 0.1
    assert teeth_in(closed, face.neutral[0]) < 0.003
    assert gap(face.neutral[0]) < 0.002 < 0.1 < gap(landmarks)


def test_a_dim_and_noisy_smile_is_closed(model: VisemeModel) -> None:
    plate = smiling()
    dim = plate.picture(0)
    noise = np.random.default_rng(3).normal(0, 3, dim.y.shape)
    luma = np.clip(16 + 0.4 * (dim.y - 16.0) + noise, 16, 235).astype(np.uint8)
    picture = Picture(luma, dim.u, dim.v)
    dark = Filmed([picture], plate.track.landmarks)
    face = model.open(dark)
    closed = model.apply(face, picture, Mouth(0, 0, SEALED))
    assert teeth_in(picture, dark.track.landmarks[0], 0.4) > 0.1
    assert teeth_in(closed, face.neutral[0], 0.4) < 0.01


def test_an_open_source_speaks_with_our_inside(model: VisemeModel) -> None:
    """Its own teeth are gone: in an o, which hides them, nothing bright is left."""
    plate = smiling()
    face = model.open(plate)
    rounded = np.array([0.3, 0.35, -0.6, 1, 0, 0, 0, 0], np.float32)
    drawn = model.apply(face, plate.picture(0), Mouth(0, 0, rounded))
    assert teeth_in(drawn, face.neutral[0]) < 0.01
    assert (between_lips(drawn, face.neutral[0]).max(1) < 70).mean() > 0.1


def test_nothing_outside_the_region_changes(model: VisemeModel) -> None:
    for degrees in (0, 25):
        plate = smiling(degrees)
        face = model.open(plate)
        pose = face.poses[0]
        for tracks in (REST, SEALED, WIDE_OPEN):
            drawn = model.apply(face, plate.picture(0), Mouth(0, 0, tracks))
            changed = differs(drawn, plate.picture(0))
            assert changed.any()
            changed[pose.top + 2 : pose.bottom - 2, pose.left + 2 : pose.right - 2] = False
            assert not changed.any()


@pytest.mark.parametrize("source", [smiling, lambda: aigul()], ids=["smiling", "closed"])
def test_the_skin_round_the_mouth_stays_as_it_is(model: VisemeModel, source) -> None:
    plate = source()
    face, picture = model.open(plate), plate.picture(0)
    around = ring(picture.y.shape, face.poses[0], plate.track.landmarks[0])
    assert around.sum() > 2000
    for tracks in (SEALED, WIDE_OPEN):
        drawn = model.apply(face, picture, Mouth(0, 0, tracks))
        assert drawn.y[around].mean() == pytest.approx(picture.y[around].mean(), rel=0.05)
        ratio = gradient(drawn.y)[around].mean() / gradient(picture.y)[around].mean()
        assert 0.75 < ratio < 1.35


def test_no_strength_is_the_picture_itself(model: VisemeModel) -> None:
    plate = smiling()
    for strength, same in ((0.0, True), (0.3, False)):
        faded = Filmed(plate.pictures, plate.track.landmarks, np.array([strength]))
        face = model.open(faded)
        drawn = model.apply(face, plate.picture(0), Mouth(0, 0, WIDE_OPEN))
        assert (drawn is plate.picture(0)) == same


def test_half_the_strength_closes_half_way(model: VisemeModel) -> None:
    plate = smiling()
    face = model.open(plate)
    rig, pose = face.rig, face.poses[0]
    table = np.empty((TABLE_ROWS, COLUMNS), np.float32)
    shape = form_mouth(rig.measures, rig.curves, REST, table)
    nodes = [
        displace(pose, 4, rig.measures, shape, table, rig.curves, rig.own, strength)
        for strength in (0.0, 0.5, 1.0)
    ]
    moved = [field[..., :4] for field in nodes]
    assert np.abs(moved[0]).max() < 1e-3
    assert np.abs(moved[2]).max() > 3
    assert np.allclose(moved[1], moved[2] / 2, atol=1e-3)
    assert nodes[0][..., SHADOW].max() < 1e-3


def test_a_smile_comes_back_as_the_strength_fades(model: VisemeModel) -> None:
    plate = smiling()
    shown = []
    for strength in (0.0, 0.1, 0.5, 1.0):
        faded = Filmed(plate.pictures, plate.track.landmarks, np.array([strength]))
        drawn = model.apply(model.open(faded), plate.picture(0), Mouth(0, 0, REST))
        shown.append(teeth_in(drawn, plate.track.landmarks[0]))
    assert shown[0] > 0.1
    assert shown[1] > 0.7 * shown[0]
    assert shown[0] > shown[1] > shown[2] > shown[3]
    assert shown[3] < 0.02


def test_half_the_strength_drops_the_chin_half_as_far(model: VisemeModel) -> None:
    still = aigul()
    dropped = np.array([1, 0, 0, 0, 0, 0, 0, 0], np.float32)
    pose = find_pose(still.track.landmarks[0], 512, 512)
    chin = face_points(still.track.landmarks[0], pose)[POINTS["chin"]][0, 1]
    rows = slice(int(pose.y + 0.75 * chin), int(pose.y + 1.45 * chin))

    def edge(strength: float) -> float:
        faded = Filmed([still.picture(0)], still.track.landmarks, np.array([strength]))
        drawn = model.apply(model.open(faded), still.picture(0), Mouth(0, 0, dropped))
        steps = -np.diff(drawn.y[rows, int(pose.x) - 4 : int(pose.x) + 4].mean(1))
        steps = np.where(steps > 0.6 * steps.max(), steps, 0)
        return float((steps * np.arange(len(steps))).sum() / steps.sum())

    whole, half = edge(1.0) - edge(0.0), edge(0.5) - edge(0.0)
    assert half == pytest.approx(whole / 2, abs=1.2)


def shifted(picture: Picture, landmarks: np.ndarray, x: int, y: int) -> tuple[Picture, np.ndarray]:
    """Moved by even whole pixels; the border goes on."""
    planes = [
        np.roll(plane, (y // scale, x // scale), (0, 1))
        for plane, scale in ((picture.y, 1), (picture.u, 2), (picture.v, 2))
    ]
    return Picture(*planes), landmarks + np.float32([x, y])


@pytest.fixture(scope="module")
def talking() -> Filmed:
    """A head that moves, and talks: mostly open, now wide, now narrow, at times closed."""
    still = aigul()
    pictures, rows = [], []
    for index in range(48):
        phase = index / 48 * 2 * np.pi
        opened = max(0.9 * np.sin(3 * phase) ** 2 - 0.2, 0)
        tracks = (opened, opened, 0.6 * np.sin(2 * phase), 0, 0, 0, 0.4, 0)
        picture, landmarks = speaking(still, tracks)
        move = 2 * round(6 * np.sin(phase)), 2 * round(4 * np.cos(2 * phase))
        picture, landmarks = shifted(picture, landmarks, *move)
        pictures.append(picture)
        rows.append(landmarks)
    return Filmed(pictures, np.stack(rows))


def test_the_mouth_of_a_talking_clip_hangs_on_the_head(model: VisemeModel, talking: Filmed) -> None:
    face, points = model.open(talking), talking.track.landmarks
    assert len(face.differing) == len(points)
    lip = POINTS["lip_upper_outer"]
    own = points[:, [lip.start, lip.stop - 1]]
    drawn = np.stack([corners_of(face, index) for index in range(len(points))])
    widths = np.linalg.norm(own[:, 1] - own[:, 0], axis=1)
    assert np.ptp(widths) > 8
    assert np.ptp(np.linalg.norm(drawn[:, 1] - drawn[:, 0], axis=1)) < 0.5
    assert wander(points, drawn) < 0.001
    assert wander(points, own) > 3 * wander(points, drawn)
    openness = [gap(row) for row in points]
    assert max(openness) > 0.2
    assert max(gap(row) for row in face.neutral) < 0.002


def test_the_own_words_of_a_talking_clip_do_not_show(model: VisemeModel, talking: Filmed) -> None:
    face = model.open(talking)
    shut, own = [], []
    for index, picture in enumerate(talking.pictures):
        closed = model.apply(face, picture, Mouth(index, index, SEALED))
        assert teeth_in(closed, face.neutral[index]) < 0.01, f"teeth in picture {index}"
        pose = face.poses[index]
        here = slice(int(pose.y) - 30, int(pose.y) + 40), slice(int(pose.x) - 40, int(pose.x) + 40)
        shut.append(closed.y[here].astype(float))
        own.append(picture.y[here].astype(float))
    flicker, talk = (np.abs(np.diff(np.stack(seen), axis=0)).mean() for seen in (shut, own))
    assert flicker < 0.55 * talk


def test_closed_lips_that_a_finder_parts_a_little_are_left_alone(model: VisemeModel) -> None:
    still = aigul()
    landmarks = np.repeat(still.track.landmarks, 40, 0)
    chin = find_pose(landmarks[0], 512, 512)
    tall = face_points(landmarks[0], chin)[POINTS["chin"]][0, 1]
    arch = np.sin(np.linspace(0, np.pi, 17))
    landmarks[:, POINTS["lip_lower_inner"], 1] += (0.045 * tall * arch).astype(np.float32)
    landmarks += np.random.default_rng(1).normal(0, 0.1, (40, 1, 2)).astype(np.float32)
    plate = Filmed([still.picture(0)] * 40, landmarks)
    face = model.open(plate)
    assert not face.differing
    assert face.neutral is plate.track.landmarks
    assert model.apply(face, still.picture(0), Mouth(0, 7, REST)) is still.picture(0)


def test_parted_points_are_drawn_to_the_line_between_closed_lips() -> None:
    luma = np.full((80, 120), 150, np.uint8)
    luma[41:43, 20:100] = 60
    half = np.full((40, 60), 128, np.uint8)
    lips = np.zeros((4, 17, 2))
    lips[:, :, 0] = np.linspace(-36, 36, 17)
    arch = np.sin(np.linspace(0, np.pi, 17))
    for row, height in enumerate((-8, -1, 3, 9)):
        lips[row, :, 1] = height * arch
    parted = peel((luma, half, half), (60.0, 40.0, 1.0, 0.0), lips, 90.0)
    assert parted == 0.0
    assert np.allclose(lips[1], lips[2])
    assert np.abs(lips[1, 4:13, 1] - 2.0).max() < 0.4


def test_teeth_that_points_take_for_lip_are_found() -> None:
    """The upper lip begins at -8, the points say -4; teeth are pale, lips red."""
    luma = np.full((80, 120), 110, np.uint8)
    red = np.full((80, 120), 160, np.uint8)
    luma[32:50, 16:104], red[32:50, 16:104] = 190, 128
    lips = np.zeros((4, 17, 2))
    lips[:, :, 0] = np.linspace(-40, 40, 17)
    flat = np.ones(17)
    flat[[0, -1]] = 0
    for row, height in enumerate((-18, -4, 10, 20)):
        lips[row, :, 1] = height * flat
    half = np.full((40, 60), 128, np.uint8)
    planes = luma, half, np.ascontiguousarray(red[::2, ::2])
    assert peel(planes, (60.0, 40.0, 1.0, 0.0), lips, 60.0) == 1.0
    assert (lips[1, 3:14, 1] < -7.5).all()
    assert (lips[1, 3:14, 1] > -12).all()
    assert np.abs(lips[2, 3:14, 1] - 10).max() < 1.5


def test_the_poses_of_a_clip_are_those_of_its_pictures() -> None:
    rows = [rolled(aigul(), degrees).track.landmarks[0] for degrees in (-20, 0, 7)]
    rows.insert(1, np.full_like(rows[0], np.nan))
    found = find_poses(np.stack(rows), 512, 512)
    assert found[1] is None
    for index in (0, 2, 3):
        assert found[index] == find_pose(rows[index], 512, 512)


def test_corners_stay_when_the_head_moves_as_a_whole(model: VisemeModel) -> None:
    plate = aigul((512, 512), sway=True)
    figures = measure(plate, "Мама мыла раму.", "ru", 30)
    assert figures["wander_drawn_percent"] < 0.02
    assert figures["slip_percent"] < 0.1
    assert figures["flicker_drawn"] < 1.15 * figures["flicker_source"] + 0.05
    assert figures["brightness_off_percent"] < 3
    assert figures["gradient_ratio"] == pytest.approx(1, abs=0.2)


def test_the_inside_of_the_mouth_follows_the_light(model: VisemeModel) -> None:
    still = aigul()
    bright = still.picture(0)
    levels = (1.0, 0.99, 0.75, 0.5)
    pictures = [
        Picture((16 + (bright.y - 16.0) * level).astype(np.uint8), bright.u, bright.v)
        for level in levels
    ]
    face = model.open(Filmed(pictures, np.repeat(still.track.landmarks, 4, 0)))
    sizes = face.rig.measures.half_width, face.rig.measures.chin
    looks = [look(pictures[k].planes, face.poses[k], *sizes) for k in range(4)]
    lights = [light_on_enamel(seen, face.rig.skin) for seen in looks]
    assert lights[1] == lights[0] == face.rig.measures.light
    assert 0.7 < lights[2] / lights[0] < 0.85
    assert 0.45 < lights[3] / lights[0] < 0.6
    teeth = []
    for index, picture in enumerate(pictures):
        drawn = model.apply(face, picture, Mouth(index, index, WIDE_OPEN))
        teeth.append(np.percentile(between_lips(drawn, still.track.landmarks[0])[:, 1], 95))
    assert teeth[3] < 0.75 * teeth[0]


def test_a_wide_mouth_is_narrowed_less(model: VisemeModel) -> None:
    rig = model.open(aigul()).rig
    table = np.empty((TABLE_ROWS, COLUMNS), np.float32)
    narrow = np.array([0.18, 0.22, -0.75, 1, 0, 0, 0, 0], np.float32)
    plain = form_mouth(rig.measures, rig.curves, narrow, table).half_width
    wide = rig.measures._replace(own_width=1.15 * rig.measures.half_width, parted=1.0)
    assert form_mouth(wide, rig.curves, narrow, table).half_width > 1.1 * plain


def test_rows_without_a_face_stay_without() -> None:
    rows = np.repeat(aigul().track.landmarks, 3, 0).copy()
    rows[1] = np.nan
    neutral, differing = neutral_mouths(rows)
    assert neutral is rows
    assert not differing.any()
    assert not neutral_mouths(np.full_like(rows, np.nan)).differs.any()


def test_long_clips_are_closed_in_parts_and_come_out_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, landmarks = speaking(aigul(), WIDE_OPEN)
    rows = landmarks + np.random.default_rng(3).normal(0, 1, (23, 1, 2)).astype(np.float32)
    whole = neutral_mouths(rows)
    monkeypatch.setattr("app_core.lipsync.viseme.neutral._AT_ONCE", 5)
    parts = neutral_mouths(rows)
    assert whole.differs.all()
    assert not np.allclose(whole.landmarks, rows)
    assert np.array_equal(parts.landmarks, whole.landmarks)


def painted(still: Picture, draw) -> Picture:
    pixels = to_bgr(still).copy()
    draw(pixels)
    return from_bgr(pixels)


def test_eyes_that_are_free_blink_also_on_a_rolled_head() -> None:
    for plate in (aigul(), aigul((256, 256)), rolled(aigul(), 15), rolled(aigul(), -15)):
        assert can_blink(plate.picture(0), eyes_of(plate.track.landmarks[0]))


def test_the_lid_of_a_rolled_head_starts_under_its_brow() -> None:
    plate = rolled(aigul(), 20)
    landmarks = plate.track.landmarks[0]
    changed = differs(close_lids(plate.picture(0), eyes_of(landmarks), 1.0), plate.picture(0))
    slope = np.tan(np.radians(20))
    for side in ("left", "right"):
        eye = landmarks[POINTS[f"eye_{side}_upper"]]
        columns = np.arange(int(eye[0, 0]), int(eye[-1, 0]))
        brow = landmarks[POINTS[f"brow_{side}"]][0]
        for column in columns:
            line = brow[1] + slope * (column - (eye[0, 0] + eye[-1, 0]) / 2)
            rows = np.flatnonzero(changed[: int(eye[:, 1].max()) + 20, column])
            assert not len(rows) or rows[0] >= line - 3


def test_glasses_hair_and_strange_eyes_do_not_blink() -> None:
    plate = aigul()
    still, landmarks = plate.picture(0), plate.track.landmarks[0]
    eye = landmarks[POINTS["eye_left_upper"]]
    brow = landmarks[POINTS["brow_left"]][0]
    high = float(brow[1] + 0.45 * (eye[:, 1].min() - brow[1]))

    def frame(pixels: np.ndarray) -> None:
        corner = int(eye[0, 0]) - 8, int(high) - 2
        cv2.rectangle(pixels, corner, (int(eye[-1, 0]) + 8, int(high) + 3), (20, 20, 25), -1)

    def hair(pixels: np.ndarray) -> None:
        left = int(eye[3, 0])
        cv2.rectangle(pixels, (left, 0), (left + 12, int(eye[:, 1].max()) + 20), (15, 20, 30), -1)

    eyes = eyes_of(landmarks)
    assert can_blink(still, eyes)
    assert not can_blink(painted(still, frame), eyes)
    assert not can_blink(painted(still, hair), eyes)
    unknown = landmarks.copy()
    unknown[POINTS["eye_right_lower"]] = np.nan
    assert not can_blink(still, eyes_of(unknown))
    shut = landmarks.copy()
    shut[POINTS["eye_left_lower"]] = shut[POINTS["eye_left_upper"]] + np.float32([0, 0.5])
    assert not can_blink(still, eyes_of(shut))
    turned = landmarks.copy()
    for part in ("eye_left_upper", "eye_left_lower"):
        points = turned[POINTS[part]]
        points[:, 0] = points[0, 0] + 0.4 * (points[:, 0] - points[0, 0])
    assert not can_blink(still, eyes_of(turned))


def test_a_still_that_cannot_blink_sways_with_open_eyes() -> None:
    plate = aigul()
    unknown = plate.track.landmarks.copy()
    lower = POINTS["eye_left_lower"]
    unknown[:, lower] = unknown[:, POINTS["eye_left_upper"]] + np.float32([0, 0.5])
    pictures = [
        StillPlate(
            plate.picture(0),
            cycle_track(plate.track.boxes, rows, 25.0),
            (1.0, 1.0),
            lively=True,
        ).picture(118 + LID_CURVE.index(1.0))
        for rows in (plate.track.landmarks, unknown)
    ]
    eye = plate.track.landmarks[0][POINTS["eye_right_upper"]]
    here = (
        slice(int(eye[:, 1].min()), int(eye[:, 1].max()) + 8),
        slice(int(eye[0, 0]), int(eye[-1, 0])),
    )
    blinked, open_eyed = (picture.y[here] for picture in pictures)
    still = plate.picture(0).y[here]
    assert np.abs(open_eyed.astype(int) - still).mean() < 8
    assert np.abs(blinked.astype(int) - still).mean() > 16
