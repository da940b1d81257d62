"""Which sessions end by themselves, and when."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from app_core.errors import Busy, NotFound
from app_core.sessions.registry import SessionRegistry
from tests.conftest import until
from tests.sessions.conftest import Played

Play = Callable[..., Played]


def ended(played: Played, why: str) -> bool:
    """Sessions end in threads of their own."""
    return until(lambda: played.session.why_ended == why and bool(played.viewer.told("end")), 10)


def test_one_without_a_viewer_ends_after_the_grace(play: Play) -> None:
    registry, played = SessionRegistry(4, grace_s=30, idle_s=900), play()
    session = played.session
    registry.add(session)
    registry.expire()
    played.session.detach(played.viewer.line)
    played.clock.pass_by(29)
    registry.expire()
    assert not session.closed
    played.viewer = played.view()
    played.clock.pass_by(60)
    registry.expire()
    assert not session.closed
    session.detach(played.viewer.line)
    played.clock.pass_by(31)
    registry.expire()
    assert until(lambda: session.why_ended == "grace", 10)


def test_one_without_a_command_ends_though_it_is_watched(play: Play) -> None:
    registry, played = SessionRegistry(4, grace_s=30, idle_s=900), play()
    registry.add(played.session)
    played.clock.pass_by(899)
    played.session.touch()
    played.clock.pass_by(899)
    registry.expire()
    assert not played.session.closed
    played.clock.pass_by(2)
    registry.expire()
    assert ended(played, "idle")
    assert played.viewer.event("end").detail == {"why": "idle"}


def test_one_that_speaks_is_not_idle(play: Play) -> None:
    registry, played = SessionRegistry(4, grace_s=30, idle_s=900), play()
    registry.add(played.session)
    played.say("one two", "u", more=True)
    played.clock.pass_by(1000)
    registry.expire()
    assert not played.session.closed


def test_the_next_is_refused_and_an_end_makes_room(play: Play) -> None:
    registry = SessionRegistry(2, grace_s=30, idle_s=900)
    sessions = [play().session for _ in range(3)]
    registry.add(sessions[0])
    registry.add(sessions[1])
    with pytest.raises(Busy) as full:
        registry.add(sessions[2])
    assert full.value.retry_after_s > 0
    registry.forget(sessions[0])
    registry.add(sessions[2])
    assert registry.get(sessions[2].id) is sessions[2]
    with pytest.raises(NotFound):
        registry.get(sessions[0].id)
    registry.close()
    assert [s.closed for s in sessions] == [False, True, True]


def test_one_that_is_stuck_holds_nobody_up(play: Play) -> None:
    registry, stuck, other = SessionRegistry(4, grace_s=30, idle_s=900), play(), play()
    going = threading.Event()
    stuck.session._queue.take = lambda frame: going.wait(20) and None  # type: ignore[method-assign]
    stuck.clock.let_go()
    for played in (stuck, other):
        registry.add(played.session)
        played.session.detach(played.viewer.line)
        played.clock.pass_by(31)
    registry.expire()
    assert until(lambda: other.session.why_ended == "grace", 5)
    going.set()
    assert until(lambda: not stuck.session._loop._thread.is_alive(), 10)


def test_the_grace_begins_when_the_last_viewer_goes_however_it_goes(play: Play) -> None:
    registry, played = SessionRegistry(4, grace_s=30, idle_s=900), play()
    registry.add(played.session)
    played.run(2)
    played.clock.pass_by(3600)
    played.session.touch()
    played.run(2)

    def broken(frame: object) -> object:
        raise RuntimeError("no sound")

    played.session._fanout._encoders["pcm"].encode = broken  # type: ignore[method-assign, assignment]
    played.run(2)
    assert played.session._fanout.lines == ()
    assert played.session.unwatched_s < 1
    registry.expire()
    assert not played.session.closed


def test_one_whose_thread_has_ended_is_not_kept(play: Play) -> None:
    forgotten: list[object] = []
    played = play(ended=forgotten.append)

    def broken(*_: object) -> object:
        raise OSError("gone")

    played.session._loop.scene.close = broken  # type: ignore[method-assign]
    played.session._queue.take = broken  # type: ignore[method-assign, assignment]
    played.clock.let_go()
    assert until(lambda: bool(forgotten), 10)
    assert played.session.why_ended == "failed"
    assert until(lambda: bool(played.viewer.told("end")), 10)
