"""The clock by which a session is played: room for uneven arrival, no more than needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.browser.conftest import Visitor
    from tests.browser.live import Live

FRAME_S = 0.04
RUN = """async ([arrivals]) => {
  const { Playout } = await import("/static/js/playout.js");
  const playout = new Playout(0.06, 0.25);
  const due = arrivals.map(([seconds, now, quiet]) => {
    const at = playout.arrive(seconds, now, quiet, 0.04);
    return { at, ahead: playout.ahead, rate: playout.rate, stalls: playout.stalls };
  });
  return due;
}"""


def played(visitor: Visitor, live: Live, arrivals: list[list[Any]]) -> list[dict[str, float]]:
    page = visitor.open(f"{live.address}/avatar?muted=1")
    found: list[dict[str, float]] = page.evaluate(RUN, [arrivals])
    return found


def frames(count: int, delays: dict[int, float], *, quiet: bool) -> list[list[Any]]:
    """Frames that arrive as they are made, but for ``delays``, by their numbers; in order."""
    found: list[list[Any]] = []
    now = 0.0
    for index in range(count):
        now = max(now, index * FRAME_S + delays.get(index, 0.0))
        found.append([index * FRAME_S, now, quiet])
    return found


def test_even_arrivals_are_even(visitor: Visitor, live: Live) -> None:
    due = played(visitor, live, frames(50, {}, quiet=False))
    assert [step["at"] for step in due] == pytest.approx([0.06 + n * FRAME_S for n in range(50)])
    assert due[-1]["stalls"] == 0


def test_small_delays_stay_within_the_room(visitor: Visitor, live: Live) -> None:
    delays = {index: 0.05 for index in range(3, 50, 4)}
    due = played(visitor, live, frames(50, delays, quiet=False))
    assert due[-1]["stalls"] == 0
    assert [step["at"] for step in due] == pytest.approx([0.06 + n * FRAME_S for n in range(50)])


@pytest.mark.parametrize("quiet", [True, False])
def test_the_room_of_a_stall_is_given_up_again(visitor: Visitor, live: Live, quiet: bool) -> None:
    due = played(visitor, live, frames(800, {10: 0.5}, quiet=quiet))
    assert due[10]["stalls"] == 1
    assert due[-1]["stalls"] == 1
    assert due[30]["ahead"] > 0.3
    assert due[-1]["ahead"] < 0.16
    rates = {step["rate"] for step in due}
    assert rates == ({1} if quiet else {1, 1.05})  # speech is hurried, never cut
    steps = [later["at"] - step["at"] for step, later in zip(due[10:], due[11:], strict=False)]
    assert quiet or min(steps) > FRAME_S / 1.06


def test_another_stretch_begins_anew(visitor: Visitor, live: Live) -> None:
    due = played(visitor, live, [[0, 10, True], [0.04, 10.04, True], [300, 10.08, True]])
    assert due[-1] == {
        "at": pytest.approx(10.14),
        "ahead": pytest.approx(0.06),
        "rate": 1,
        "stalls": 0,
    }
