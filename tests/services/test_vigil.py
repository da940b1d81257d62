"""What becomes of threads that die or do not move: health says so, their clients are told, and they
are replaced, or the process is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app_core.avatars.importing.import_queue import STUCK_S as IMPORT_S
from app_core.avatars.importing.import_queue import Import, Imports
from app_core.channel import ChannelClosed
from app_core.engine.engine import LONGEST_S
from app_core.engine.engine import STUCK_S as ENGINE_S
from app_core.errors import Busy, ModelFailed, NotReady, SessionFailed, SoyleError
from app_core.job import JobStatus
from app_core.outputs.live.packet import Packet
from app_core.outputs.live.viewer_line import ViewerLine
from app_core.outputs.webrtc.event_loop import STUCK_S as PEERS_S
from app_core.request import GenerateRequest, MjpegRequest, SessionRequest
from app_core.services.lipsync_service import LipsyncService
from app_core.services.vigil import MOST_STUCK, Vigil
from app_core.sessions.frame_loop import STUCK_S as FRAME_S
from app_core.sessions.session import Session
from app_core.speech.standing import STUCK_S as VOICE_S
from app_core.threads import Pulse
from app_core.types import Event
from tests.conftest import until
from tests.fakes import EchoModel, ToneVoice, ToneVoices

Make = Callable[..., LipsyncService]


class Watched:
    """A service whose threads are looked at by a vigil of the test's own, on its own clock."""

    def __init__(self, service: LipsyncService) -> None:
        self.service, self.now = service, 0.0
        service._watchdog.close()
        self.vigil = service.vigil = Vigil(
            service.backend,
            service._renders,
            service.sessions,
            service.avatars.imports,
            service.voices.standing,
            (service._watchdog.pulse, service._disk_watch.pulse),
            lambda: self.now,
        )

    def pass_by(self, seconds: float, *still: Pulse) -> None:
        """A look each second, in which all have moved but those that stand ``still``."""
        service = self.service
        for _ in range(int(seconds)):
            moving = [session.pulse for session in service.sessions.all()]
            moving += [loaded.engine.pulse for loaded in service.backend.models]
            moving += [*service.voices.standing.asked, service.peers.pulse]
            for pulse in set(moving).difference(still):
                pulse.beat()
            self.now += 1.0
            self.vigil.look()

    @property
    def health(self) -> tuple[str, str]:
        report = self.service.health()
        return report["status"], report["reason"] or ""

    def open(self) -> Session:
        return self.service.sessions.open(SessionRequest.parse({"language": "en"}))


@pytest.fixture
def watch(make_service: Make) -> Make:
    return lambda **parts: Watched(make_service(**parts))  # type: ignore[return-value]


@pytest.fixture
def go_on() -> Iterator[threading.Event]:
    """What stands still in a test goes on with this, at its end at the latest."""
    event = threading.Event()
    yield event
    event.set()


def told(line: ViewerLine) -> tuple[list[Event], Exception]:
    """All events until the line ends, and what it ended with."""
    events = []
    try:
        while True:
            item = line.get(10.0)
            if not isinstance(item, Packet):
                events.append(item)
    except (ChannelClosed, SoyleError) as end:
        return events, end


def test_nothing_is_said_of_threads_that_wait(watch: Any) -> None:
    watched = watch()
    watched.open()
    watched.pass_by(3)
    assert watched.health == ("ready", "")
    assert not watched.service.vigil.verdict()


def test_a_model_that_hangs(watch: Any) -> None:
    model = EchoModel()
    watched = watch(model=model)
    service: LipsyncService = watched.service
    line, session = ViewerLine("jpeg", "none", 25), watched.open()
    session.attach(line)
    model.gate.clear()
    try:
        job_id = service.submit(MjpegRequest(text="one two", size="128x128"))
        engine = service.backend.engine
        assert engine is not None
        assert until(lambda: engine.pulse.doing.startswith("a batch"))
        watched.pass_by(ENGINE_S - 1, engine.pulse)
        assert watched.health[0] == "ready"
        watched.pass_by(2, engine.pulse)
        status, reason = watched.health
        assert status == "offline"
        assert "the thread 'engine-echo' has not moved for 31 s (a batch of" in reason
        assert "engine-echo" in service.vigil.verdict()
        job = service.jobs.get(job_id)
        assert until(lambda: job.status is JobStatus.FAILED)
        assert isinstance(job.error, ModelFailed)
        events, end = told(line)
        assert [event.type for event in events] == ["ready", "error", "end"]
        assert events[1].detail["code"] == "model_failed"
        assert isinstance(end, SessionFailed)
        with pytest.raises(NotReady, match="engine-echo"):
            watched.open()
    finally:
        model.gate.set()


def test_a_model_that_is_slow_by_its_own_measure_is_not_stuck(watch: Any) -> None:
    model = EchoModel()
    watched = watch(model=model)
    engine = watched.service.backend.engine
    engine._slowest_s = 60.0
    model.gate.clear()
    try:
        watched.service.submit(MjpegRequest(text="one two", size="128x128"))
        assert until(lambda: engine.pulse.doing.startswith("a batch"))
        watched.pass_by(10 * ENGINE_S, engine.pulse)
        assert watched.health == ("ready", "")
    finally:
        model.gate.set()


def test_the_first_batch_of_a_slow_model_has_its_time(watch: Any) -> None:
    class Slow(EchoModel):
        frames_per_s = 0.5

    model = Slow()
    watched = watch(model=model)
    engine = watched.service.backend.engine
    model.gate.clear()
    try:
        watched.service.submit(GenerateRequest(text="one " * 40, size="128x128"))
        assert until(lambda: engine.pulse.doing.startswith("a batch"))
        watched.pass_by(ENGINE_S + 10, engine.pulse)
        assert watched.health[0] == "ready"
    finally:
        model.gate.set()


def test_a_batch_in_which_the_machine_slept_hides_no_later_one(watch: Any) -> None:
    model = EchoModel()
    watched = watch(model=model)
    engine = watched.service.backend.engine
    engine._slowest_s = 36_000.0
    model.gate.clear()
    try:
        watched.service.submit(MjpegRequest(text="one two", size="128x128"))
        assert until(lambda: engine.pulse.doing.startswith("a batch"))
        watched.pass_by(LONGEST_S + 2, engine.pulse)
        assert "engine-echo" in watched.service.vigil.verdict()
    finally:
        model.gate.set()


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt(), MemoryError()])
def test_a_session_whose_thread_dies(watch: Any, error: BaseException) -> None:
    watched = watch()
    line, session = ViewerLine("none", "pcm", 25), watched.open()
    other = watched.open()
    session.attach(line)

    def dies(mouth: object) -> Any:
        raise error

    session._loop.scene.picture = dies  # type: ignore[method-assign, assignment]
    events, end = told(line)
    assert [event.type for event in events] == ["ready", "error", "end"]
    assert events[-1].detail["why"] == "failed"
    assert isinstance(end, SessionFailed)
    watched.pass_by(2)
    assert watched.service.sessions.all() == [other], "the others go on"
    assert not watched.service.vigil.verdict()


def test_a_session_whose_thread_hangs_ends_alone(watch: Any, go_on: threading.Event) -> None:
    watched = watch()
    line, session = ViewerLine("none", "pcm", 25), watched.open()
    other = watched.open()
    session.attach(line)
    hangs = threading.Event()
    picture = session._loop.scene.picture

    def stands_still(mouth: Any) -> Any:
        hangs.set()
        assert go_on.wait(20)
        return picture(mouth)

    session._loop.scene.picture = stands_still  # type: ignore[method-assign]
    assert hangs.wait(10)
    watched.pass_by(FRAME_S + 1, session.pulse)
    events, end = told(line)
    assert [event.type for event in events] == ["ready", "error", "end"]
    assert f"session-{session.id[:8]}" in events[1].detail["error"]
    assert isinstance(end, SessionFailed)
    assert until(lambda: watched.service.sessions.all() == [other])
    watched.pass_by(1)
    status, reason = watched.health
    assert status == "degraded"
    assert f"session-{session.id[:8]}' has not moved" in reason, "though the session is gone"
    assert not watched.service.vigil.verdict()
    go_on.set()
    assert until(lambda: not session.pulse.lives)
    watched.pass_by(1)
    assert watched.health == ("ready", "")


def test_too_many_that_never_come_back(watch: Any, go_on: threading.Event) -> None:
    watched = watch()
    pulses = []
    for _ in range(MOST_STUCK + 1):
        session, hangs = watched.open(), threading.Event()
        pulses.append(session.pulse)
        session._loop.scene.picture = lambda mouth, hangs=hangs: (hangs.set(), go_on.wait(20))
        assert hangs.wait(10)
    watched.pass_by(FRAME_S + 1, *pulses)
    assert f"{MOST_STUCK + 1} threads do not move" in watched.service.vigil.verdict()
    go_on.set()


def test_a_voice_that_never_returns(watch: Any, go_on: threading.Event) -> None:
    class Silent(ToneVoice):
        def _wait(self, stale: Any) -> None:
            assert go_on.wait(20)

    watched = watch(voices=ToneVoices(Silent()))
    service: LipsyncService = watched.service
    job_id = service.submit(MjpegRequest(text="one", size="128x128"))
    assert until(lambda: len(service.voices.standing.asked) == 1)
    watched.pass_by(VOICE_S + 2, *service.voices.standing.asked)
    assert "the thread 'voice-tone' has not moved" in watched.health[1]
    assert "voice-tone" in service.vigil.verdict()
    assert until(lambda: service.jobs.get(job_id).status is JobStatus.FAILED)
    go_on.set()


def test_a_voice_that_waits_for_its_turn_is_not_stuck(watch: Any) -> None:
    waits, turn = threading.Event(), threading.Event()
    asked: list[bool] = []

    class Queued(ToneVoice):
        def _wait(self, stale: Any) -> None:
            while not turn.is_set():
                if waits.is_set():
                    waits.clear()
                    asked.append(stale())
                turn.wait(0.005)

    watched = watch(voices=ToneVoices(Queued()))
    service: LipsyncService = watched.service
    service.submit(MjpegRequest(text="one", size="128x128"))
    assert until(lambda: len(service.voices.standing.asked) == 1)
    watched.pass_by(VOICE_S - 10, *service.voices.standing.asked)
    waits.set()
    assert until(lambda: bool(asked))
    watched.pass_by(VOICE_S - 10, *service.voices.standing.asked)
    turn.set()
    assert not service.vigil.verdict()


def test_a_loop_of_peers_that_is_blocked(watch: Any, go_on: threading.Event) -> None:
    watched = watch()
    loop = watched.service.peers._loop
    beats = loop.pulse.beats
    blocked = threading.Event()
    loop.asyncio_loop.call_soon_threadsafe(lambda: (blocked.set(), go_on.wait(20)))
    assert blocked.wait(10)
    assert loop.pulse.beats > beats
    watched.pass_by(PEERS_S + 1, loop.pulse)
    status, reason = watched.health
    assert (status, "'webrtc' has not moved" in reason) == ("offline", True)
    go_on.set()


def test_a_loop_of_peers_that_has_died(watch: Any) -> None:
    watched = watch()
    loop = watched.service.peers._loop
    loop.asyncio_loop.call_soon_threadsafe(loop.asyncio_loop.stop)
    assert until(lambda: loop.pulse.dead)
    watched.vigil.look()
    assert "the thread 'webrtc' has ended by itself" in watched.service.vigil.verdict()


def test_an_import_that_hangs_is_given_up_and_the_next_one_goes_on(
    watch: Any, go_on: threading.Event, tmp_path: Path
) -> None:
    watched = watch()
    imports: Imports = watched.service.avatars.imports
    began: list[str] = []

    def work(item: Import) -> None:
        began.append(item.name)
        if item.name == "first":
            assert go_on.wait(20)
            item.check()
        done.append(item.name)

    done: list[str] = []
    items = [Import("", n, "", tmp_path / n, theirs=True, work=work) for n in ("first", "second")]
    for item in items:
        imports.start(item)
    assert until(lambda: began == ["first"])
    watched.pass_by(IMPORT_S + 2)
    assert items[1].ended.wait(10)
    assert items[0].error is not None
    assert "has not moved" in str(items[0].error)
    assert items[1].error is None
    status, reason = watched.health
    assert (status, "the thread 'import' has not moved" in reason) == ("degraded", True)
    assert not watched.service.vigil.verdict()
    go_on.set()
    assert until(lambda: sum(t.name == "import" for t in threading.enumerate()) == 1)
    assert done == ["second"], "what comes back finds that it is not wanted"


def test_a_place_of_an_import_that_was_given_up_is_given_back_once(
    watch: Any, go_on: threading.Event, tmp_path: Path
) -> None:
    imports = Imports(lambda item: (go_on.wait(20), item.check()), lambda path: None, 60.0)  # type: ignore[arg-type, return-value]
    told: list[str] = []
    imports.ended = lambda item, error: told.append(str(error))
    imports.reserve()
    item = Import("one", "one", "", tmp_path / "one")
    imports.start(item)
    assert until(lambda: imports.pulse.doing.startswith("the import of one"))
    imports.replace(SoyleError("it hangs"))
    found = imports.get("one")
    assert found is not None
    assert str(found.error) == "it hangs"
    go_on.set()
    assert until(lambda: not any(t.name == "import" for t in threading.enumerate()))
    assert imports._places._value == 4  # type: ignore[attr-defined]
    assert told == ["it hangs"], "its end is written down once"
    imports.close()


def test_an_import_that_is_given_up_fails_also_where_no_thread_is_left(
    go_on: threading.Event, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(item: Import) -> None:
        assert go_on.wait(20)
        item.check()

    imports = Imports(work, lambda path: None, 60.0)
    items = [Import(n, n, "", tmp_path / n, theirs=True) for n in ("one", "two")]
    for item in items:
        imports.start(item)
    assert until(lambda: imports.pulse.doing.startswith("the import of one"))

    def none_left(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", none_left)
        with pytest.raises(Busy):
            imports.replace(SoyleError("it hangs"))
    assert items[0].ended.is_set() and str(items[0].error) == "it hangs"
    go_on.set()
    imports.start(Import("three", "three", "", tmp_path / "three", theirs=True))
    assert items[1].ended.wait(10)
    imports.close()


def test_an_import_that_asks_whether_it_is_wanted_moves(tmp_path: Path) -> None:
    item, beats = Import("one", "one", "", tmp_path / "one"), list[int]()
    item.alive = lambda: beats.append(1)
    assert not item.unwanted()
    item.cancel()
    assert item.unwanted()
    assert len(beats) == 2
    assert item.cancelled() and len(beats) == 2, "others ask too"


def test_a_watchdog_that_hangs_or_dies_replaces_the_process(make_service: Make) -> None:
    service = make_service()
    assert not service.vigil.verdict()
    service._watchdog._closing.set()
    service._watchdog._thread.join(5)
    assert not service.vigil.verdict(), "it was stopped"
    service._watchdog.pulse.over = False
    assert "the thread 'watchdog' has ended by itself" in service.vigil.verdict()
    assert service.health()["status"] == "offline"
