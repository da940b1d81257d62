"""Sessions of a whole service: avatars and voices by name, capacity for a session's life."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from app_core.channel import ChannelClosed
from app_core.config import Config
from app_core.errors import BadInput, Busy, Conflict, NotFound
from app_core.outputs.live.packet import Packet
from app_core.outputs.live.viewer_line import ViewerLine
from app_core.request import MjpegRequest, SayRequest, SessionRequest
from app_core.services.lipsync_service import LipsyncService
from app_core.services.live import sessions as live
from app_core.sessions import registry
from app_core.sessions.session import Session
from app_core.types import Event
from tests.begun import begun
from tests.fakes import EchoModel, GreyLibrary, ToneVoices


@pytest.fixture
def service() -> Iterator[LipsyncService]:
    config = Config.from_env({"AVATAR": "grey", "MAX_SESSIONS": "3", "CPU_SHARE": "1"})
    found = LipsyncService(
        config,
        model=EchoModel(),
        voices=ToneVoices(),
        library=GreyLibrary(),  # type: ignore[arg-type]
    )
    found.start(20.0)
    yield found
    found.close()


def opened(service: LipsyncService, **fields: object) -> Session:
    return service.sessions.open(SessionRequest.parse({"language": "en", **fields}))


def said(service: LipsyncService, session: Session, **fields: object) -> str:
    return service.sessions.say(session, SayRequest.parse(fields)).utterance_id


def events_until(line: ViewerLine, kind: str) -> list[Event]:
    found: list[Event] = []
    while True:
        item = line.get(20.0)
        if isinstance(item, Packet):
            continue
        found.append(item)
        if item.type == kind:
            return found


def test_it_says_a_text_in_real_time(service: LipsyncService) -> None:
    session = opened(service)
    line = ViewerLine("jpeg", "pcm", session.fps)
    session.attach(line)
    uid = said(service, session, text="one two")
    found = events_until(line, "speech_finished")
    assert [e.type for e in found] == ["ready", "speech_started", "word", "word", "speech_finished"]
    assert {e.utterance_id for e in found[1:]} == {uid}
    described = session.describe()
    assert described["avatar"] == "grey"
    assert described["size"] == "512x512"
    assert session.token not in str(described)
    assert session.view_token not in str(described)


def test_what_there_is_not_is_refused(service: LipsyncService) -> None:
    with pytest.raises(NotFound) as refused:
        opened(service, avatar="nobody")
    assert refused.value.field == "avatar"
    with pytest.raises(NotFound):
        opened(service, voice="nobody")
    with pytest.raises(BadInput):
        opened(service, model="nobody")
    assert service.sessions.all() == []
    session = opened(service)
    with pytest.raises(BadInput):
        said(service, session, text="...")
    with pytest.raises(NotFound):
        said(service, session, text="one", voice="nobody")
    with pytest.raises(NotFound):
        service.sessions.switch_avatar(session, "nobody")
    with pytest.raises(NotFound):
        service.sessions.switch_voice(session, "nobody", "en")


def test_capacity_is_held_for_a_session_s_life(service: LipsyncService) -> None:
    before = service.capacity.snapshot().live
    sessions = [opened(service, size="128x128") for _ in range(3)]
    assert service.capacity.snapshot().live == before + 3
    with pytest.raises(Busy):
        opened(service, size="128x128")
    service.sessions.close(sessions[0])
    assert service.capacity.snapshot().live == before + 2
    opened(service, size="128x128")


def test_one_that_does_not_fit_is_refused_and_leaves_nothing(service: LipsyncService) -> None:
    service.capacity.cores = 0.01
    first = opened(service, size="1920x1920", fps=60)
    threads = threading.active_count()
    with pytest.raises(Busy) as full:
        opened(service, size="1920x1920", fps=60)
    assert full.value.retry_after_s > 0
    assert threading.active_count() == threads
    assert service.sessions.all() == [first]


@pytest.fixture
def old_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session need not be some seconds old to give way."""
    monkeypatch.setattr(registry, "SAFE_S", 0.0)
    monkeypatch.setattr(live, "SAFE_S", 0.0)
    monkeypatch.setattr(live, "NEW_S", 0.0)


@pytest.mark.usefixtures("old_at_once")
def test_one_that_was_only_made_gives_way_on_a_full_server(service: LipsyncService) -> None:
    looked_at, left, younger = (opened(service, size="128x128") for _ in range(3))
    looked_at.attach(ViewerLine("jpeg", "pcm", looked_at.fps))
    last = opened(service, size="128x128")
    assert (left.why_ended, looked_at.closed, younger.closed) == ("full", False, False)
    assert set(service.sessions.all()) == {looked_at, younger, last}
    for session in (younger, last):
        session.attach(ViewerLine("jpeg", "pcm", session.fps))
    with pytest.raises(Busy):
        opened(service, size="128x128")


@pytest.mark.usefixtures("old_at_once")
def test_one_that_was_only_made_holds_no_cores_that_a_stream_needs(
    service: LipsyncService,
) -> None:
    service.capacity.cores = 0.01
    left = opened(service, size="1920x1920", fps=60)
    job = begun(service, MjpegRequest(text="one", size="128x128"))
    assert left.why_ended == "full"
    job.scope.cancel()


def test_a_young_one_gives_way_to_nobody(service: LipsyncService) -> None:
    service.capacity.cores = 0.01
    left = opened(service, size="1920x1920", fps=60)
    with pytest.raises(Busy):
        begun(service, MjpegRequest(text="one", size="128x128"))
    with pytest.raises(Busy):
        opened(service, size="128x128")
    assert not left.closed


def test_the_avatar_and_the_voice_change_for_what_follows(service: LipsyncService) -> None:
    session = opened(service)
    service.sessions.switch_voice(session, "tone", "kk")
    assert session.describe()["language"] == "kk"
    assert session.describe()["voice"] == "tone"
    line = ViewerLine("none", "none", session.fps)
    session.attach(line)
    service.sessions.switch_avatar(session, "aigul")
    said(service, session, text="one")
    events_until(line, "speech_finished")
    said(service, session, text="two")
    events_until(line, "speech_finished")
    assert session.describe()["avatar"] == "aigul"


def test_the_end_of_the_service_is_the_end_of_its_sessions(service: LipsyncService) -> None:
    session = opened(service)
    line = ViewerLine("none", "pcm", session.fps)
    session.attach(line)
    said(service, session, text="one two three four five")
    events_until(line, "speech_started")
    service.close()
    endings = events_until(line, "end")
    assert [e.type for e in endings if e.type in ("interrupted", "end")] == ["interrupted", "end"]
    assert endings[-1].detail == {"why": "stopping"}
    with pytest.raises(ChannelClosed):
        line.get(1)
    with pytest.raises(Conflict):
        said(service, session, text="one")
