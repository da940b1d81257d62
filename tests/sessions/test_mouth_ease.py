"""A mouth goes into speech and to rest within 100 ms, and never jumps."""

from __future__ import annotations

import numpy as np
import pytest

from app_core.lipsync.viseme.model import VisemeModel
from app_core.sessions.mouth_ease import MouthEase
from app_core.types import Mouth

MODEL = VisemeModel()


def open_mouth(index: int) -> Mouth:
    return Mouth(index, 3, np.full(8, 0.8, np.float32))


@pytest.mark.parametrize("fps", [10, 25, 30, 60])
def test_it_is_at_rest_within_100_ms_of_the_last_word(fps: int) -> None:
    ease = MouthEase(fps)
    for index in range(fps):
        worn = ease.mouth(open_mouth(index), index, MODEL)
    assert worn.drawing.max() == pytest.approx(0.8)
    opened, frames = [], 0
    while (drawn := ease.mouth(None, frames, MODEL).drawing.max()) > 0:
        opened.append(float(drawn))
        frames += 1
    assert (frames + 1) / fps <= max(0.1, 1 / fps)
    assert opened == sorted(opened, reverse=True)


def test_it_opens_in_steps() -> None:
    ease = MouthEase(25)
    seen = [float(ease.mouth(open_mouth(n), n, MODEL).drawing.max()) for n in range(3)]
    assert seen == pytest.approx([0.4, 0.8, 0.8])


def test_it_is_worn_by_the_picture_that_is_shown() -> None:
    ease = MouthEase(25)
    assert ease.mouth(open_mouth(0), 7, MODEL).picture == 7
    assert ease.mouth(None, 8, MODEL).picture == 8
    assert ease.mouth(None, 9, MODEL).picture == 9


def test_another_face_begins_at_rest() -> None:
    ease = MouthEase(25)
    ease.mouth(open_mouth(0), 0, MODEL)
    ease.forget()
    assert not ease.mouth(None, 1, MODEL).drawing.any()
