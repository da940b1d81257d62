"""Which sessions end by themselves, and when."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app_core.errors import Busy, NotFound
from app_core.sessions.registry import SessionRegistry
from tests.sessions.conftest import Played

Play = Callable[..., Played]


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
    assert session.closed
    assert session.why_ended == "grace"


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
    assert played.session.why_ended == "idle"
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
