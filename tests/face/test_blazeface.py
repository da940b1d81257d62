from __future__ import annotations

import math

import numpy as np
import pytest

from app_core.face.blazeface import (
    FULL_RANGE,
    SHORT_RANGE,
    BlazeFace,
    Spec,
    anchor_centres,
    decode,
    overlap,
    region_around,
    weighted_nms,
    whole,
    windows,
)
from app_core.face.view import Region, RgbView


class BrightSpot:
    """A network that sees one face: a square of 20 pixels about the brightest pixel."""

    def __init__(self, spec: Spec = SHORT_RANGE) -> None:
        self.spec, self.anchors = spec, anchor_centres(spec)
        self.seen: list[np.ndarray] = []

    def __call__(self, image: np.ndarray) -> dict[str, np.ndarray]:
        self.seen.append(image)
        side, count = self.spec.side, len(self.anchors)
        scores = np.full((1, count, 1), -50, np.float32)
        boxes = np.zeros((1, count, 16), np.float32)
        if image.max() > 0.5:
            y, x = np.argwhere(image[..., 0] > 0.5).mean(0) + 0.0
            best = int(np.argmin(np.hypot(*(self.anchors * side - [x, y]).T)))
            scores[0, best] = 3.0
            offset = np.array([x, y]) - self.anchors[best] * side
            boxes[0, best, :2], boxes[0, best, 2:4] = offset, 20
            boxes[0, best, 4:] = np.tile(offset, 6) + [-5, -4, 5, -4, *[0] * 8]
        return {self.spec.boxes: boxes, self.spec.scores: scores}


def spot(width: int, height: int, x: int, y: int, size: int = 9) -> RgbView:
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[y - size // 2 : y + size // 2 + 1, x - size // 2 : x + size // 2 + 1] = 255
    return RgbView(rgb)


@pytest.mark.parametrize(
    ("spec", "count", "first", "last"),
    [(SHORT_RANGE, 896, 0.5 / 16, 7.5 / 8), (FULL_RANGE, 2304, 0.5 / 48, 47.5 / 48)],
)
def test_anchors(spec: Spec, count: int, first: float, last: float) -> None:
    anchors = anchor_centres(spec)
    assert anchors.shape == (count, 2)
    assert anchors[0] == pytest.approx([first, first])
    assert anchors[-1] == pytest.approx([last, last])


def test_two_anchors_share_each_fine_cell_and_six_each_coarse_one() -> None:
    anchors = anchor_centres(SHORT_RANGE)
    assert np.array_equal(anchors[0], anchors[1])
    assert anchors[2, 0] > anchors[1, 0], "row by row"
    assert (anchors[512:518] == anchors[512]).all()
    assert anchors[512] == pytest.approx([0.5 / 8, 0.5 / 8])


def test_decoding_takes_sure_boxes_only_and_adds_their_anchors() -> None:
    anchors = anchor_centres(SHORT_RANGE)
    raw = np.zeros((1, 896, 16), np.float32)
    logits = np.full((1, 896, 1), -1000.0, np.float32)
    raw[0, 100] = [6.4, -6.4, 12.8, 25.6, *([12.8, 0.0] * 6)]
    logits[0, 100], logits[0, 101] = 1000.0, -0.01
    rows, scores = decode({"regressors": raw, "classificators": logits}, SHORT_RANGE, anchors)
    x, y = anchors[100]
    assert scores.tolist() == [1.0]
    assert rows[0, :4] == pytest.approx([x + 0.05 - 0.05, y - 0.05 - 0.1, x + 0.1, y + 0.05])
    assert rows[0, 4:6] == pytest.approx([x + 0.1, y])


def test_overlapping_boxes_become_one_weighted_by_score() -> None:
    rows = np.zeros((3, 16), np.float32)
    rows[0, :4], rows[1, :4], rows[2, :4] = (0, 0, 10, 10), (1, 0, 11, 10), (50, 50, 60, 60)
    found = weighted_nms(rows, np.float32([0.6, 0.9, 0.7]))
    assert [score for _, score in found] == pytest.approx([0.9, 0.7])
    assert found[0][0][0] == pytest.approx(0.9 / 1.5)
    assert found[1][0][:4].tolist() == [50, 50, 60, 60]


def test_no_boxes_are_no_faces() -> None:
    assert weighted_nms(np.zeros((0, 16), np.float32), np.zeros(0, np.float32)) == []


def test_overlap_is_intersection_over_union() -> None:
    many = np.float32([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]])
    assert overlap(many[0], many) == pytest.approx([1.0, 1 / 3, 0.0])


@pytest.mark.parametrize(("width", "height"), [(300, 200), (200, 300), (160, 160)])
def test_a_face_is_found_where_it_is_in_the_whole_picture(width: int, height: int) -> None:
    network = BrightSpot()
    found = BlazeFace(network, SHORT_RANGE).detect(spot(width, height, 150, 120))
    scale = max(width, height) / 128
    middle = (found[0].box[:2] + found[0].box[2:]) / 2
    assert middle == pytest.approx([150, 120], abs=scale)
    assert found[0].box[2] - found[0].box[0] == pytest.approx(20 * scale, rel=1e-4)
    assert network.seen[0].min() == -1.0
    assert network.seen[0].max() == 1.0


def test_one_face_in_several_windows_is_one_face() -> None:
    view = spot(600, 300, 300, 150)
    searched = windows(view, 2)
    found = BlazeFace(BrightSpot(), SHORT_RANGE).detect(view, searched)
    assert len(searched) == 3
    assert len(found) == 1
    assert (found[0].box[:2] + found[0].box[2:]) / 2 == pytest.approx([300, 150], abs=3)


def test_a_turned_search_gives_turned_keypoints_and_a_box_of_the_same_size() -> None:
    view = spot(200, 200, 140, 90)
    region = Region(100, 100, 200, math.pi / 2)
    [found] = BlazeFace(BrightSpot(), SHORT_RANGE).detect(view, [region])
    assert (found.box[:2] + found.box[2:]) / 2 == pytest.approx([140, 90], abs=2)
    assert found.box[2] - found.box[0] == pytest.approx(20 * 200 / 128, rel=1e-4)
    assert found.region.angle == pytest.approx(math.pi / 2, abs=1e-4)


@pytest.mark.parametrize(("width", "height", "parts"), [(1920, 1080, 2), (720, 1280, 3)])
def test_windows_cover_the_picture_and_overlap_by_half(width: int, height: int, parts: int) -> None:
    found = windows(RgbView(np.zeros((height, width, 3), np.uint8)), parts)
    side = max(width, height) / parts
    covered = np.zeros((height, width), bool)
    for each in found:
        assert each.side == side
        left, top = max(round(each.x - side / 2), 0), max(round(each.y - side / 2), 0)
        covered[top : round(each.y + side / 2), left : round(each.x + side / 2)] = True
    assert covered.all()
    columns = sorted({each.x for each in found})
    assert max(np.diff(columns)) <= side / 2 + 1


def test_the_region_of_landmarks_is_half_as_large_again_and_turned_with_the_eyes() -> None:
    region = region_around(
        np.float32([10, 20]), np.float32([50, 40]), np.float32([15, 25]), np.float32([25, 35])
    )
    assert (region.x, region.y, region.side) == (30, 30, 60)
    assert region.angle == pytest.approx(math.pi / 4)


def test_the_whole_picture_is_a_square_about_its_middle() -> None:
    region = whole(RgbView(np.zeros((100, 300, 3), np.uint8)))
    assert (region.x, region.y, region.side, region.angle) == (150, 50, 300, 0)
