"""Whose turn it is at what does one thing at a time."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Mapping

import pytest

from app_core import turns as module
from app_core.cancel_scope import Stale, never
from app_core.config import Config
from app_core.errors import Busy, Cancelled, VoiceFailed
from app_core.request import GenerateRequest, MjpegRequest
from app_core.services.lipsync_service import LipsyncService
from app_core.speech.text.piece import Piece
from app_core.speech.text.reading import TextReader
from app_core.turns import FILE_WAITS_S, LONGEST_S, PATIENCE_S, Turns, begun, live
from app_core.types import PLAIN, Prosody
from tests.conftest import until
from tests.fakes import ToneVoice, ToneVoices

Who = tuple[str, bool, int, float]
"""Name, live, characters, when it comes."""


@pytest.fixture(autouse=True)
def no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is not woken when it is first does not find out by itself."""
    monkeypatch.setattr(module, "_LOOK_S", 60.0)


def order(*waiting: Who) -> list[str]:
    """Of those that come while the synthesizer is taken."""
    now = 0.0
    turns = Turns("The voice", VoiceFailed, lambda: now)
    heard: list[str] = []

    def speak(name: str, is_live: bool, characters: int) -> None:
        live.set(is_live)
        with turns.turn(characters):
            heard.append(name)

    threads = []
    with turns.turn(1):
        for name, is_live, characters, when in waiting:
            now = when
            before = len(turns)
            thread = threading.Thread(target=speak, args=(name, is_live, characters))
            thread.start()
            threads.append(thread)
            assert until(lambda before=before: len(turns) == before + 1)
        assert not heard
    for thread in threads:
        thread.join(5)
    return heard


def test_live_speech_comes_before_files() -> None:
    assert order(("film", False, 50, 0.0), ("other", False, 50, 0.1), ("live", True, 50, 0.2)) == [
        "live",
        "film",
        "other",
    ]


def test_a_flood_of_films_does_not_hold_back_live_speech() -> None:
    """Films that have waited for long are not all ahead of it: one has its turn."""
    late = FILE_WAITS_S + 0.1
    films = [(f"film {n}", False, 50, 0.0) for n in range(9)]
    assert order(*films, ("live", True, 50, late)) == [
        "film 0",
        "live",
        *(f"film {n}" for n in range(1, 9)),
    ]


def test_a_turn_is_not_spent_on_a_film_that_was_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_LOOK_S", 0.01)
    turns = Turns("The voice", VoiceFailed)
    dropped = threading.Event()
    spoken: list[str] = []

    def speak() -> None:
        with contextlib.suppress(Cancelled), turns.turn(1, dropped.is_set):
            spoken.append("dropped")

    with turns.turn(1):
        thread = threading.Thread(target=speak)
        thread.start()
        assert until(lambda: len(turns) == 1)
        dropped.set()
    thread.join(5)
    assert spoken == []


def test_short_texts_come_before_long_ones() -> None:
    assert order(("long", True, 200, 0.0), ("short", True, 10, 0.1)) == ["short", "long"]


def test_nobody_starves() -> None:
    late = FILE_WAITS_S + 0.1
    assert order(("film", False, 50, 0.0), ("live", True, 50, late)) == ["film", "live"]
    assert order(("long", True, 200, 0.0), ("short", True, 10, late)) == ["long", "short"]


def test_equals_speak_in_the_order_in_which_they_came() -> None:
    names = "abcdefgh"
    assert order(*((name, True, 10, 0.0) for name in names)) == list(names)


def test_a_turn_wakes_nobody_but_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty threads that all look whether it is their turn would take as long as one."""
    looks = 0

    class Counted(Turns):
        def _first(self):  # type: ignore[no-untyped-def]
            nonlocal looks
            looks += 1
            return super()._first()

    monkeypatch.setattr(sys.modules[__name__], "Turns", Counted)
    count = 20
    assert len(order(*((str(number), True, 10, 0.0) for number in range(count)))) == count
    assert looks < 5 * count


def test_a_book_waits_no_longer_than_a_page() -> None:
    """A request with a long dictionary came after every text for minutes."""
    late = LONGEST_S + 0.1
    assert order(("book", False, 60_000, 0.0), ("page", False, 1, late)) == ["book", "page"]


def test_who_only_asks_is_turned_away_where_many_wait() -> None:
    turns = Turns("The reader", most=2)
    ended: list[str] = []

    def wait(name: str, job: Stale | None, *, is_live: bool) -> None:
        begun.set(job)
        live.set(is_live)
        try:
            with turns.turn(1):
                ended.append(name)
        except Busy as error:
            ended.append(str(error))

    def start(name: str, job: Stale | None = None, *, is_live: bool = False) -> threading.Thread:
        thread = threading.Thread(target=wait, args=(name, job), kwargs={"is_live": is_live})
        thread.start()
        return thread

    with turns.turn(1):
        threads = []
        for count, name in enumerate(("one", "two"), 1):
            threads.append(start(name))
            assert until(lambda count=count: len(turns) == count)
        start("asks").join(5)
        assert ended == ["The reader is busy: 2 wait already; try again soon"]
        threads.append(start("film", never))
        assert until(lambda: len(turns) == 3), "what has begun waits"
        threads.append(start("live", is_live=True))
        assert until(lambda: len(turns) == 4), "live ones are counted by themselves"
    for thread in threads:
        thread.join(5)
    assert ended[1:] == ["live", "one", "two", "film"]


def test_a_failure_gives_the_turn_on() -> None:
    turns = Turns("The voice", VoiceFailed)
    with pytest.raises(ZeroDivisionError), turns.turn(1):
        raise ZeroDivisionError
    with turns.turn(1):
        assert len(turns) == 0


def test_a_wait_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_S", 0.01)
    now = 0.0
    turns = Turns("The voice", VoiceFailed, lambda: now)
    failed: list[VoiceFailed] = []

    def speak() -> None:
        try:
            with turns.turn(1):
                pass
        except VoiceFailed as error:
            failed.append(error)

    with turns.turn(1):
        thread = threading.Thread(target=speak)
        thread.start()
        assert until(lambda: len(turns) == 1)
        now = PATIENCE_S + 1
        thread.join(5)
        assert len(failed) == 1
        assert len(turns) == 0


@pytest.mark.parametrize("whole_job", [False, True])
def test_who_is_no_longer_wanted_gives_up_its_place(
    monkeypatch: pytest.MonkeyPatch, *, whole_job: bool
) -> None:
    """Whether the turn is told, or the job whose thread waits for it."""
    monkeypatch.setattr(module, "_LOOK_S", 0.01)
    turns = Turns("The voice", VoiceFailed)
    wanted = threading.Event()
    wanted.set()
    ended: list[BaseException] = []

    def stale() -> bool:
        return not wanted.is_set()

    def speak() -> None:
        begun.set(stale if whole_job else None)
        try:
            with turns.turn(1, never if whole_job else stale):
                pass
        except Cancelled as error:
            ended.append(error)

    with turns.turn(1):
        thread = threading.Thread(target=speak)
        thread.start()
        assert until(lambda: len(turns) == 1)
        wanted.clear()
        thread.join(5)
        assert len(ended) == 1 and len(turns) == 0
    with turns.turn(1):
        pass


def test_a_job_s_voice_knows_whether_somebody_waits(
    make_service: Callable[..., LipsyncService], config: Config
) -> None:
    seen: list[bool] = []

    class Asked(ToneVoice):
        def speak(self, piece: Piece, prosody: Prosody = PLAIN, stale: Stale = never):  # type: ignore[no-untyped-def]
            seen.append(live.get())
            yield from super().speak(piece, prosody, stale)

    service = make_service(voices=ToneVoices(Asked()))
    for asked in (MjpegRequest(text="one"), GenerateRequest(text="one")):
        with service.frames(service.submit(asked), lambda frame: frame) as frames:
            assert len(list(frames)) == 5
    assert seen == [True, False]


def test_a_request_s_dictionary_is_learnt_as_its_text_is_read(
    make_service: Callable[..., LipsyncService], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    know = TextReader.knowing

    def knowing(reader: TextReader, readings: Mapping[str, str]) -> TextReader:
        seen.append(live.get())
        return know(reader, readings)

    monkeypatch.setattr(TextReader, "knowing", knowing)
    service = make_service()
    for asked in (MjpegRequest, GenerateRequest):
        job = service.submit(asked(text="one", dictionary={"one": "two"}))
        with service.frames(job, lambda frame: frame) as frames:
            assert list(frames)
    assert seen == [True, False]


class QueuedVoice(ToneVoice):
    """A synthesizer that says one thing at a time; ``heard``: which words, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.turns, self.heard = Turns("The voice", VoiceFailed), list[str]()

    def speak(self, piece: Piece, prosody: Prosody = PLAIN, stale: Stale = never):  # type: ignore[no-untyped-def]
        with self.turns.turn(len(piece.said), stale):
            self.heard += piece.written.split()[:1]
        yield from super().speak(piece, prosody, stale)


def test_films_that_are_begun_and_dropped_do_not_hold_back_a_live_sentence(
    make_service: Callable[..., LipsyncService], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOOK_S", 0.01)
    voice = QueuedVoice()
    service = make_service(voices=ToneVoices(voice))
    with voice.turns.turn(1):
        films = [service.submit(GenerateRequest(text=f"film{n} one two")) for n in range(6)]
        assert until(lambda: len(voice.turns) == 6)
        for film in films[:4]:
            service.cancel(film)
        assert until(lambda: len(voice.turns) == 2), "they leave at once"
        spoken = service.submit(MjpegRequest(text="live one two"))
        assert until(lambda: len(voice.turns) == 3)
    with service.frames(spoken, lambda frame: frame) as frames:
        assert len(list(frames)) > 5
    assert until(lambda: len(voice.heard) == 3)
    assert (voice.heard[0], sorted(voice.heard[1:])) == ("live", ["film4", "film5"])
    for film in films[4:]:
        service.cancel(film)
