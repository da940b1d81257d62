"""Framing, pasting and silence, with a runtime that draws one colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from app_core.avatars.still_plate import StillPlate
from app_core.face.track import cycle_track
from app_core.landmarks import POINTS
from app_core.lipsync.wav2lip import paste as paste_module
from app_core.lipsync.wav2lip.dimensions import SIDE
from app_core.lipsync.wav2lip.features import FRAME
from app_core.lipsync.wav2lip.framing import closed_mouths, crop, face_boxes
from app_core.lipsync.wav2lip.model import Face, Wav2LipModel
from app_core.lipsync.wav2lip.paste import mask, paste
from app_core.lipsync.wav2lip.runtime import FaceAt
from app_core.picture import to_bgr
from app_core.types import MouthTask, Picture
from tests.faces import aigul, differs


class OneColour:
    """Draws every mouth in ``colour`` and remembers what it was asked for."""

    name, device, max_batch = "paint", "cpu", 16
    face_room = 0

    def __init__(self, colour: tuple[int, int, int] = (20, 200, 40)) -> None:
        self.colour = colour
        self.asked: list[list[tuple[int, float]]] = []

    def hold(self, crops: np.ndarray) -> np.ndarray:
        return crops

    def fill(self, held: np.ndarray, at: int, face: np.ndarray) -> None:
        held[at] = face

    def draw(self, mel: np.ndarray, faces: Sequence[FaceAt]) -> np.ndarray:
        self.asked.append([(f.picture, float(m[0, 0])) for f, m in zip(faces, mel, strict=True)])
        return np.broadcast_to(np.uint8(self.colour), (len(faces), SIDE // 2, SIDE, 3))

    def answer(self, mel: np.ndarray, faces: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def warm_up(self) -> None: ...


@pytest.fixture(scope="module")
def plate() -> StillPlate:
    return aigul((512, 512))


def task(face: Any, index: int, voice: float = 1.0, picture: int = 0) -> MouthTask:
    features = np.zeros(1, FRAME)[0]
    features["mel"], features["voice"] = index, voice
    return MouthTask("job", index, picture, face, features)


def opened(plate: StillPlate) -> tuple[Wav2LipModel, Face, OneColour]:
    runtime = OneColour()
    model = Wav2LipModel(runtime)
    return model, model.open(plate), runtime


def faceless(plate: StillPlate) -> StillPlate:
    boxes = np.full_like(plate.track.boxes, np.nan)
    landmarks = np.full_like(plate.track.landmarks, np.nan)
    still = plate.picture(0)
    return StillPlate(still, cycle_track(boxes, landmarks, 25.0), (1.0, 1.0), lively=False)


def test_the_frame_holds_the_face_from_forehead_to_chin(plate: StillPlate) -> None:
    (box,) = face_boxes(plate.track, plate.width, plate.height)
    points = plate.track.landmarks[0]
    left, top, right, bottom = box
    assert points[POINTS["forehead"]][0, 1] < top < points[POINTS["brow_left"]][0, 1]
    chin = points[POINTS["chin"]][0, 1]
    assert chin < bottom < chin + 0.08 * (bottom - top)
    lips = points[POINTS["lip_upper_outer"]]
    assert left < lips[0, 0] and lips[-1, 0] < right
    middle = (top + bottom) / 2
    assert middle < lips[:, 1].min(), "the mouth lies in the half that is drawn"
    assert not (box % 2).any()


def test_frames_stay_in_the_picture_and_small_faces_pass(plate: StillPlate) -> None:
    track = plate.track
    moved = cycle_track(track.boxes - 200, track.landmarks - 200, 25.0)
    (box,) = face_boxes(moved, plate.width, plate.height)
    assert box.min() >= 0
    tiny = cycle_track(track.boxes / 40, track.landmarks / 40, 25.0)
    assert not face_boxes(tiny, plate.width, plate.height).any()


def test_crops_show_the_face(plate: StillPlate) -> None:
    boxes = face_boxes(plate.track, plate.width, plate.height)
    cut = crop(plate.picture(0), boxes[0])
    left, top, right, bottom = boxes[0]
    part = to_bgr(plate.picture(0))[top:bottom, left:right]
    assert cut.shape == (96, 96, 3)
    assert np.abs(cut.mean((0, 1)) - part.mean((0, 1))).max() < 1.5


def test_nothing_outside_the_lower_half_of_the_frame_changes(plate: StillPlate) -> None:
    model, face, _ = opened(plate)
    (mouth,) = model.draw([task(face, 0)])
    drawn = model.apply(face, plate.picture(0), mouth)
    left, top, right, bottom = face.boxes[0]
    changed = differs(plate.picture(0), drawn)
    middle = (top + bottom) // 4 * 2
    assert changed[middle:bottom, left:right].any()
    changed[middle:bottom, left:right] = False
    assert not changed.any()


def test_the_patch_is_whole_at_the_mouth_and_fades_at_its_edge(plate: StillPlate) -> None:
    model, face, runtime = opened(plate)
    (mouth,) = model.draw([task(face, 0)])
    drawn = to_bgr(model.apply(face, plate.picture(0), mouth)).astype(int)
    x, y = plate.track.landmarks[0][POINTS["lip_upper_inner"]].mean(0).astype(int)
    assert np.abs(drawn[y, x] - runtime.colour).max() < 8
    seen = mask()
    assert seen[0].max() < 0.05 and seen[:, 0].max() < 0.05 and seen[-1].max() < 0.05
    assert np.abs(np.diff(seen, axis=0)).max() < 0.25
    assert np.abs(np.diff(seen, axis=1)).max() < 0.25


def test_hair_and_collar_beside_the_jaw_are_left_alone(plate: StillPlate) -> None:
    seen = mask()
    assert seen[14:34, 24:72].min() > 0.95, "the mouth is drawn whole"
    assert seen[40:, :12].max() < 0.01 and seen[40:, -12:].max() < 0.01, "the corners are not"
    assert seen[30:36, 40:56].min() > 0.9, "the chin goes with the mouth"
    model, face, _ = opened(plate)
    (mouth,) = model.draw([task(face, 0)])
    changed = differs(plate.picture(0), model.apply(face, plate.picture(0), mouth))
    left, top, right, bottom = face.boxes[0]
    wide, high = right - left, bottom - top
    corner = changed[bottom - high // 12 : bottom, left : left + wide // 8]
    assert not corner.any()


def test_a_closed_mouth_is_left_alone_in_silence(plate: StillPlate) -> None:
    model, face, runtime = opened(plate)
    assert face.closed.all()
    silent, half, loud = model.draw([task(face, 0, 0.0), task(face, 1, 0.5), task(face, 2, 1.0)])
    still = plate.picture(0)
    assert model.apply(face, still, silent) is still
    (asked,) = runtime.asked
    assert [mel for _, mel in asked] == [1.0, 2.0], "silent frames cost the network nothing"
    x, y = plate.track.landmarks[0][POINTS["lip_upper_inner"]].mean(0).astype(int)
    source = to_bgr(still)[y, x].astype(float)
    between = to_bgr(model.apply(face, still, half))[y, x].astype(float)
    whole = to_bgr(model.apply(face, still, loud))[y, x].astype(float)
    assert np.abs(between - (source + whole) / 2).max() < 6


def test_an_open_mouth_is_drawn_also_in_silence(plate: StillPlate) -> None:
    landmarks = plate.track.landmarks.copy()
    landmarks[:, POINTS["lip_lower_inner"], 1] += 20
    landmarks[:, POINTS["lip_lower_outer"], 1] += 20
    track = cycle_track(plate.track.boxes, landmarks, 25.0)
    assert not closed_mouths(track).any()
    talking = StillPlate(plate.picture(0), track, (1.0, 1.0), lively=False)
    model, face, _ = opened(talking)
    (mouth,) = model.draw([task(face, 0, 0.0)])
    assert differs(plate.picture(0), model.apply(face, plate.picture(0), mouth)).any()


def test_a_picture_without_a_face_passes_and_costs_nothing(plate: StillPlate) -> None:
    model, face, runtime = opened(faceless(plate))
    (mouth,) = model.draw([task(face, 0)])
    still = plate.picture(0)
    assert model.apply(face, still, mouth) is still
    assert runtime.asked == []


def test_strength_weakens_what_is_drawn(plate: StillPlate) -> None:
    track = cycle_track(plate.track.boxes, plate.track.landmarks, 25.0, np.zeros(1, np.float32))
    turned = StillPlate(plate.picture(0), track, (1.0, 1.0), lively=False)
    model, face, runtime = opened(turned)
    (mouth,) = model.draw([task(face, 0)])
    still = plate.picture(0)
    assert model.apply(face, still, mouth) is still and runtime.asked == []


def test_pasting_never_writes_to_the_source(plate: StillPlate) -> None:
    still = plate.picture(0)
    before = still.y.copy(), still.u.copy(), still.v.copy()
    paste(still, (100, 100, 300, 340), np.zeros((48, 96, 3), np.uint8), 1.0)
    assert all(
        (old == new).all() for old, new in zip(before, (still.y, still.u, still.v), strict=True)
    )


@pytest.mark.parametrize("seed", [0, 1])
def test_a_grey_face_gets_a_grey_mouth(plate: StillPlate, seed: int) -> None:
    """The network was trained on faces in colours."""
    drawn = np.random.default_rng(seed).integers(0, 255, (48, 96, 3), np.uint8)
    still = plate.picture(0)
    grey = np.full_like(still.u, 128)
    shown = paste(Picture(still.y, grey, grey), (100, 100, 300, 340), drawn, 1.0)
    assert (shown.y != still.y).any()
    assert (shown.u == 128).all() and (shown.v == 128).all()
    coloured = paste(still, (100, 100, 300, 340), drawn, 1.0)
    assert np.array_equal(coloured.y, shown.y) and (coloured.u != still.u).any()


def test_warming_up_measures_the_speed(plate: StillPlate) -> None:
    model = Wav2LipModel(OneColour())
    model.warm_up()
    assert model.frames_per_s > 0 and model.max_batch == 16


def test_a_mouth_that_waits_holds_only_itself(plate: StillPlate) -> None:
    model, face, _ = opened(plate)
    mouths = model.draw([task(face, n) for n in range(16)])
    held = {id(m.drawing.base): m.drawing.base for m in mouths if m.drawing.base is not None}
    assert held == {}
    assert sum(mouth.drawing.nbytes for mouth in mouths) == 16 * mouths[0].drawing.nbytes


def test_masks_of_many_sizes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    masks = paste_module._Masks()
    one = masks.at(200, 100)
    monkeypatch.setattr(paste_module, "MASKS_BYTES", 3 * one.nbytes)
    assert masks.at(200, 100) is one
    for width in range(202, 240, 2):
        masks.at(width, 100)
        assert sum(made.nbytes for made in masks._made.values()) <= 3 * one.nbytes
    again = masks.at(200, 100)
    assert again is not one
    assert np.array_equal(again, one)
