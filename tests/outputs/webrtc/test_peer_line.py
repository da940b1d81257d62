"""What leaves when, and what is left out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from app_core.outputs.live.packet import Kind, Packet
from app_core.outputs.webrtc.peer_line import DELAY_S, MOST_UNTAKEN, PeerLine
from app_core.types import Event


class ManualLoop:
    """What a line asks of a loop, whose time a test moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.stuck = False
        self._soon: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self._later: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []

    def time(self) -> float:
        return self.now

    def call_soon_threadsafe(self, call: Callable[..., None], *args: Any) -> None:
        self._soon.append((call, args))

    def call_at(self, when: float, call: Callable[..., None], *args: Any) -> None:
        self._later.append((when, len(self._later), call, args))

    def call_later(self, delay: float, call: Callable[..., None], *args: Any) -> None:
        self.call_at(self.now + delay, call, *args)

    def run(self, until_s: float) -> None:
        """All that is due until then, in its order."""
        while self._soon and not self.stuck:
            call, args = self._soon.pop(0)
            call(*args)
        for due in sorted(each for each in self._later if each[0] <= until_s):
            self._later.remove(due)
            self.now = max(self.now, due[0])
            due[2](*due[3])
        self.now = max(self.now, until_s)


class Sent:
    def __init__(self, video: str = "h264", *, audio: bool = True) -> None:
        self.loop = ManualLoop()
        self.asked = 0
        self.line = PeerLine(self.loop, video, 100.0, self.ask, audio=audio)  # type: ignore[arg-type]
        self.left: list[tuple[float, str]] = []
        self.line.send_video = lambda data, _: self.left.append((self.loop.now, data.decode()))
        self.line.send_audio = lambda data, _: self.left.append((self.loop.now, data.decode()))
        self.line.told = lambda event: self.left.append((self.loop.now, event.type))
        self.line.ended = lambda error: self.left.append((self.loop.now, f"end {error}"))

    def ask(self) -> None:
        self.asked += 1

    def names(self, until_s: float = 200.0) -> list[str]:
        self.loop.run(until_s)
        return [name for _, name in self.left]


def packet(kind: Kind, frame: int, name: str, *, key: bool = False, micros: int = -1) -> Packet:
    at = frame * 40_000 if micros < 0 else micros
    return Packet(kind, key, False, 0, frame, at, name.encode())


def test_what_is_of_one_time_leaves_at_one_time() -> None:
    sent = Sent()
    sound = [packet(Kind.OPUS, 1, "s", micros=33_500), packet(Kind.OPUS, 1, "t", micros=53_500)]
    sent.line.put(packet(Kind.H264, 1, "p", key=True), *sound)
    sent.line.tell(Event("word", "u", 0.04, {}))
    assert [name for _, name in sent.left] == []
    sent.loop.run(200)
    times = [round(when - 100 - DELAY_S, 6) for when, _ in sent.left]
    assert [name for _, name in sent.left] == ["s", "p", "word", "t"]
    assert times == [0.0335, 0.04, 0.04, 0.0535]


def test_a_packet_that_comes_late_leaves_at_once_and_in_its_order() -> None:
    sent = Sent()
    sent.loop.run(101.0)
    sent.line.put(packet(Kind.H264, 0, "a", key=True))
    sent.line.put(packet(Kind.H264, 1, "b"))
    assert sent.names(101.0) == ["a", "b"]


@pytest.mark.parametrize(("video", "kind"), [("h264", Kind.H264), ("vp8", Kind.VP8)])
def test_only_its_own_codecs(video: str, kind: Kind) -> None:
    sent = Sent(video, audio=False)
    for each in Kind:
        sent.line.put(packet(each, 0, each.name, key=True))
    assert sent.names() == [kind.name]
    assert (sent.line.video, sent.line.audio) == (video, "none")


def test_pictures_begin_with_a_key_frame() -> None:
    sent = Sent()
    sent.line.put(packet(Kind.H264, 0, "a"))
    sent.line.put(packet(Kind.H264, 1, "b", key=True))
    sent.line.put(packet(Kind.H264, 2, "c"))
    assert sent.names() == ["b", "c"]
    assert (sent.asked, sent.line.dropped) == (1, 1)
    sent.line.lose_step()
    sent.line.put(packet(Kind.H264, 3, "d"))
    sent.line.put(packet(Kind.H264, 4, "e", key=True))
    assert sent.names() == ["b", "c", "e"]
    assert sent.asked == 2


def test_a_loop_that_is_stuck_holds_a_bounded_number() -> None:
    sent = Sent()
    sent.loop.stuck = True
    for frame in range(MOST_UNTAKEN + 30):
        sent.line.put(packet(Kind.H264, frame, "p", key=frame == 0))
    assert len(sent.loop._soon) == MOST_UNTAKEN
    assert sent.line.dropped == 30
    assert sent.asked == 0, "no key frame is made for one that takes nothing"
    sent.loop.stuck = False
    sent.loop.run(200)
    sent.line.put(packet(Kind.H264, 100, "late"))
    assert sent.asked == 1


def test_answers_do_not_wait() -> None:
    sent = Sent()
    sent.line.tell(Event("pong", None, 50.0, {}))
    sent.line.tell(Event("error", None, 50.0, {}))
    assert sent.names(100.0) == ["pong", "error"]


def test_the_end_comes_after_what_waits() -> None:
    sent = Sent()
    sent.line.put(packet(Kind.H264, 0, "p", key=True))
    sent.line.close()
    sent.line.close(ValueError("again"))
    sent.line.put(packet(Kind.H264, 1, "q"))
    sent.line.tell(Event("word", None, 0.0, {}))
    assert sent.names() == ["p", "end None"]


def test_events_of_one_frame_keep_their_order() -> None:
    """The timers of asyncio do not, where they are due at the same time."""
    kinds = [f"event {index}" for index in range(12)]
    told: list[str] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        line = PeerLine(loop, "h264", loop.time(), lambda: None)
        line.told = lambda event: told.append(event.type)
        for kind in kinds:
            line.tell(Event(kind, "u", 0.0, {}))
        await asyncio.sleep(2 * DELAY_S)

    asyncio.run(run())
    assert told == kinds


def test_nothing_follows_on_a_picture_that_did_not_leave() -> None:
    sent = Sent()
    for frame in range(4):
        sent.line.put(packet(Kind.H264, frame, f"p{frame}", key=frame == 0))
    assert sent.names(100.0 + DELAY_S) == ["p0"]
    sent.line.lose_step()  # of p0; the others are on their way
    assert sent.names(101.0) == ["p0"]
    sent.line.put(packet(Kind.H264, 26, "k", key=True))
    sent.line.put(packet(Kind.H264, 27, "l"))
    assert sent.names() == ["p0", "k", "l"]
    assert sent.line.dropped == 4
