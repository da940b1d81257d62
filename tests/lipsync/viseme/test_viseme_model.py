from __future__ import annotations

import threading

import numpy as np
import pytest

from app_core.avatars.still_plate import StillPlate
from app_core.face.track import cycle_track
from app_core.landmarks import POINT_COUNT, POINTS
from app_core.lipsync.viseme import moved_mouth
from app_core.lipsync.viseme.heard.heard_articulation import HeardArticulation
from app_core.lipsync.viseme.heard.hearing import follow
from app_core.lipsync.viseme.heard.network import convolve, weigh
from app_core.lipsync.viseme.heard.spectrum import sum_bands
from app_core.lipsync.viseme.model import VisemeModel
from app_core.lipsync.viseme.rig import make_rig
from app_core.types import Mouth, MouthTask, Picture
from tests.faces import aigul, differs, rolled

OPEN_MOUTH = np.array([0.8, 0.85, 0.05, 0, 0, 0, 0.35, 0], np.float32)
REST = np.zeros(8, np.float32)


@pytest.fixture(scope="module")
def model() -> VisemeModel:
    made = VisemeModel()
    made.warm_up()
    return made


@pytest.fixture(scope="module")
def plate() -> StillPlate:
    return aigul((256, 256), sway=True)


def test_draw_answers_every_task_in_order_with_its_faces_gains(model: VisemeModel) -> None:
    still = aigul((128, 128)).picture(0)
    track = aigul((128, 128)).track
    plain = model.open(StillPlate(still, track, (1.0, 1.0), lively=False))
    shy = model.open(StillPlate(still, track, (0.5, 2.0), lively=False))
    tasks = [
        MouthTask("a", 4, 0, plain, OPEN_MOUTH),
        MouthTask("b", 9, 0, shy, OPEN_MOUTH),
        MouthTask("b", 10, 0, shy, -OPEN_MOUTH),
    ]
    mouths = model.draw(tasks)
    assert [mouth.index for mouth in mouths] == [4, 9, 10]
    assert np.allclose(mouths[0].drawing, OPEN_MOUTH)
    assert mouths[1].drawing[:2].tolist() == pytest.approx([0.4, 1.0])
    assert mouths[2].drawing.min() == pytest.approx(-0.05)
    assert model.draw([]) == []


def test_after_the_warm_up_nothing_is_left_to_compile(
    model: VisemeModel, plate: StillPlate
) -> None:
    kernels = (moved_mouth._move, sum_bands, follow, weigh, convolve)
    face = model.open(plate)
    for features in (OPEN_MOUTH, OPEN_MOUTH.astype(float), np.stack([OPEN_MOUTH] * 2, 1)[:, 0]):
        (mouth,) = model.draw([MouthTask("a", 0, 7, face, features)])
        model.apply(face, plate.picture(7), mouth)
    listener = HeardArticulation(22050, 0.0)
    for samples in (441, 50_000, 0):
        listener.push(np.full(samples, 0.1, np.float32), last=not samples)
    assert [len(kernel.signatures) for kernel in kernels] == [1, 1, 1, 1, 1]


def test_rest_gives_the_picture_itself(model: VisemeModel, plate: StillPlate) -> None:
    face = model.open(plate)
    picture = plate.picture(30)
    assert model.apply(face, picture, Mouth(0, 30, REST)) is picture


def test_the_mouth_is_where_the_swayed_head_has_it(model: VisemeModel, plate: StillPlate) -> None:
    """What changes moves with the head: its middle follows the pose of each picture."""
    face = model.open(plate)
    middles = []
    for index in (0, 60, 215):
        picture = plate.picture(index)
        drawn = model.apply(face, picture, Mouth(0, index, OPEN_MOUTH))
        off = np.abs(drawn.y.astype(float) - picture.y)
        rows, columns = np.mgrid[0 : plate.height, 0 : plate.width] + 0.5
        weight = np.where(off > 20, off, 0)
        middle = np.array([(columns * weight).sum(), (rows * weight).sum()]) / weight.sum()
        pose = face.poses[index]
        middles.append(middle - [pose.x, pose.y])
    assert np.abs(np.diff(middles, axis=0)).max() < 0.25


def test_pictures_without_a_face_pass_through(model: VisemeModel, plate: StillPlate) -> None:
    landmarks = np.repeat(plate.track.landmarks[:1], 2, 0)
    landmarks[0] = np.nan
    boxes = np.repeat(plate.track.boxes[:1], 2, 0)
    half_lost = StillPlate(
        plate.picture(0), cycle_track(boxes, landmarks, 25.0), (1.0, 1.0), lively=False
    )
    face = model.open(half_lost)
    picture = plate.picture(0)
    assert model.apply(face, picture, Mouth(0, 0, OPEN_MOUTH)) is picture
    assert differs(model.apply(face, picture, Mouth(0, 1, OPEN_MOUTH)), picture).any()
    nobody = cycle_track(np.full((1, 4), np.nan), np.full((1, POINT_COUNT, 2), np.nan), 25.0)
    face = model.open(StillPlate(picture, nobody, (1.0, 1.0), lively=True))
    assert model.apply(face, picture, Mouth(0, 0, OPEN_MOUTH)) is picture


def test_threads_draw_what_one_thread_draws(model: VisemeModel, plate: StillPlate) -> None:
    face = model.open(plate)
    shapes = np.random.default_rng(2).uniform(0, 1, (24, 8)).astype(np.float32)

    def draw(index: int) -> bytes:
        mouth = Mouth(index, index, shapes[index])
        return model.apply(face, plate.picture(index), mouth).y.tobytes()

    alone = [draw(index) for index in range(len(shapes))]
    together: list[list[bytes]] = [[] for _ in range(4)]

    def read(into: list[bytes]) -> None:
        into.extend(draw(index) for index in range(len(shapes)))

    threads = [threading.Thread(target=read, args=(into,)) for into in together]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(into == alone for into in together)


class Filmed(StillPlate):
    """A still whose points are elsewhere in each picture."""

    def __init__(self, landmarks: np.ndarray) -> None:
        still = aigul()
        boxes = np.repeat(still.track.boxes, len(landmarks), 0)
        super().__init__(still.picture(0), still.track, (1.0, 1.0), lively=False)
        self.track = cycle_track(boxes, landmarks, 25.0)


def test_a_head_that_moves_as_a_whole_has_one_rig() -> None:
    still = aigul()
    turned = rolled(still, 5).track.landmarks[0]
    rows = [still.track.landmarks[0], still.track.landmarks[0] + np.float32([7.3, -4.1]), turned]
    face = VisemeModel().open(Filmed(np.stack(rows)))
    assert {id(face.rig_of(index, still.picture(0))) for index in range(3)} == {id(face.rig)}


def test_a_mouth_of_another_shape_has_its_own_rig() -> None:
    landmarks = aigul().track.landmarks[0]
    wide, nobody = landmarks.copy(), np.full_like(landmarks, np.nan)
    for name in ("lip_upper_outer", "lip_upper_inner", "lip_lower_inner", "lip_lower_outer"):
        lip = wide[POINTS[name]]
        lip[:, 0] = lip[:, 0].mean() + 1.2 * (lip[:, 0] - lip[:, 0].mean())
    plate = Filmed(np.stack([nobody, landmarks, wide]))
    face = VisemeModel().open(plate)
    own = face.rig_of(2, plate.picture(2))
    assert face.rig is face.rig_of(1, plate.picture(1)) is not own
    assert own is face.rig_of(2, plate.picture(2))
    ratio = own.measures.half_width / face.rig.measures.half_width
    assert ratio == pytest.approx(1.2, abs=0.01)
    assert own.measures.light == face.rig.measures.light
    fresh = make_rig(wide, plate.picture(2))
    assert np.array_equal(own.curves, fresh.curves)
    smile = np.float32([0.4, 0.4, 0, 0, 0, 0, 0, 0])
    model, picture = VisemeModel(), plate.picture(0)
    drawn = [model.apply(face, picture, Mouth(0, index, smile)) for index in range(3)]
    assert drawn[0] is picture
    assert differs(drawn[1], drawn[2]).any()


def test_a_face_counts_the_rigs_that_it_will_make(model: VisemeModel) -> None:
    """A clip whose face changes its shape has a rig for each picture."""
    still = aigul((256, 256))
    steady = model.open(still)
    count = 40
    points = np.repeat(still.track.landmarks[:1], count, 0)
    points[1::2, POINTS["chin"]] += 9
    track = cycle_track(np.repeat(still.track.boxes[:1], count, 0), points, 25.0)

    class Clip(StillPlate):
        def picture(self, index: int) -> Picture:
            return still.picture(0)

    plate = Clip(still.picture(0), still.track, (1.0, 1.0), lively=False)
    plate.track = track
    face = model.open(plate)
    assert len(face.reshaped) == count - 1
    for index in range(count):
        face.rig_of(index, plate.picture(index))
    assert len(face.rigs) == count - 1
    made = sum(rig.curves.nbytes + rig.own.nbytes for rig in face.rigs.values())
    assert made <= face.nbytes < made + count * 20_000
    assert steady.nbytes < 1000
