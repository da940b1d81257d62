"""Which face is followed, whoever finds the faces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from app_core.face.followed_face import LOYAL, FollowedFace
from app_core.face.view import RgbView
from app_core.types import Float32

GREY, WHITE = (RgbView(np.full((64, 64, 3), value, np.uint8)) for value in (90, 250))


@dataclass(frozen=True, eq=False)
class Seen:
    x: float
    size: float = 10.0

    @property
    def box(self) -> Float32:
        half = self.size / 2
        return np.array([self.x - half, 20 - half, self.x + half, 20 + half], np.float32)


def followed(near: tuple[float, float] | None = None) -> FollowedFace[Seen]:
    return FollowedFace(lambda face: face.size, near)


def test_the_largest_is_followed_and_then_it_alone() -> None:
    small, large = Seen(10, 8), Seen(40, 16)
    face = followed()
    assert not face.cut(GREY)
    assert face.among([small, large]) is large
    face.seen(large)
    assert face.among([small]) is None
    moved = Seen(44, 15)
    assert face.among([small, moved]) is moved


@pytest.mark.parametrize("other", [Seen(40, 3.9), Seen(40, 25.1), Seen(48)])
def test_what_no_face_can_have_become_is_another(other: Seen) -> None:
    face = followed()
    face.seen(Seen(40))
    assert face.among([other]) is None
    face.missing = 2  # in three pictures it gets farther, but not another size
    assert (face.among([other]) is other) == (other.size == 10)


def test_a_pointed_at_face_is_the_nearest_not_the_largest() -> None:
    face = followed((12.0, 20.0))
    small, large = Seen(14), Seen(24, 12)
    assert face.among([large, small]) is small
    assert face.among([Seen(30)]) is None, "too far from where the person pointed"


def test_a_cut_or_a_long_absence_forgets_it() -> None:
    face, far = followed(), Seen(40)
    face.cut(GREY)
    face.seen(Seen(10))
    assert not face.cut(GREY)
    assert face.among([far]) is None
    assert face.cut(WHITE)
    assert face.among([far]) is far
    face.seen(Seen(10))
    face.missing = LOYAL
    assert not face.cut(WHITE)
    assert (face.last, face.missing) == (None, 0)
    assert face.among([far]) is far
