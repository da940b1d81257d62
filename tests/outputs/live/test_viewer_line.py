from __future__ import annotations

import threading

import pytest

from app_core.channel import ChannelClosed
from app_core.errors import Cancelled, FfmpegFailed
from app_core.outputs.live.packet import Kind, Packet
from app_core.outputs.live.viewer_line import MOST_EVENTS, ViewerLine
from app_core.types import Event
from tests.conftest import until

FPS = 25


def packet(kind: Kind, frame: int, *, key: bool = True, payload: bytes = b"") -> Packet:
    return Packet(kind, key, False, 0, frame, frame * 40_000, payload)


def start() -> Packet:
    return packet(Kind.MP4_START, 0)


def fragment(frame: int, *, key: bool = False) -> Packet:
    return packet(Kind.MP4, frame, key=key)


def sound(frame: int) -> Packet:
    return packet(Kind.PCM, frame, payload=bytes(2 * 1920))


def event(number: int) -> Event:
    return Event("word", f"u{number}", number / FPS, {})


def taken(line: ViewerLine) -> list[Packet | Event]:
    return [line.get(0.0) for _ in range(line.waiting)]


def frames(line: ViewerLine) -> list[int]:
    return [item.frame for item in taken(line) if isinstance(item, Packet)]


class Asked:
    """Counts requests for a key frame."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


def test_only_the_kinds_that_were_asked_for_are_kept() -> None:
    line = ViewerLine("jpeg", "opus", FPS)
    for kind in Kind:
        line.put(packet(kind, 1))
    assert [item.kind for item in taken(line) if isinstance(item, Packet)] == [Kind.JPEG, Kind.OPUS]
    nothing = ViewerLine("none", "none", FPS)
    for kind in Kind:
        nothing.put(packet(kind, 1))
    nothing.tell(event(1))
    assert taken(nothing) == [event(1)]


def test_sound_that_was_interrupted_goes_but_for_what_comes_with_the_next() -> None:
    line = ViewerLine("none", "pcm", FPS)
    line.put(sound(0))
    line.put(sound(1))
    later = [sound(2), sound(3)._replace(generation=1)]
    line.put(*(Packet(*each) for each in later))
    assert frames(line) == [2, 3]


def test_what_waits_is_taken_together() -> None:
    line = ViewerLine("jpeg", "pcm", FPS)
    line.put(packet(Kind.JPEG, 0, payload=bytes(1000)), sound(0))
    line.tell(event(1))
    line.put(packet(Kind.JPEG, 1, payload=bytes(1000)))
    assert len(line.take(0.0, 4000)) == 2
    assert len(line.take(0.0, 4000)) == 2
    with pytest.raises(TimeoutError):
        line.take(0.0, 4000)


def test_of_jpegs_the_newest_two_stay_in_their_places() -> None:
    line = ViewerLine("jpeg", "pcm", FPS)
    for frame in range(5):
        line.put(packet(Kind.JPEG, frame))
        line.put(sound(frame))
    found = [(item.kind, item.frame) for item in taken(line) if isinstance(item, Packet)]
    jpegs = [(Kind.JPEG, 3), (Kind.PCM, 3), (Kind.JPEG, 4), (Kind.PCM, 4)]
    assert found == [(Kind.PCM, 0), (Kind.PCM, 1), (Kind.PCM, 2), *jpegs]
    assert (line.dropped, line.sounds_dropped, line.waiting) == (3, 0, 0)


def test_a_picture_that_was_taken_makes_room_for_another() -> None:
    line = ViewerLine("jpeg", "none", FPS)
    for frame in range(10):
        line.put(packet(Kind.JPEG, frame))
        line.get(0.0)
    assert line.dropped == 0


def test_of_sound_the_newest_second_stays() -> None:
    line = ViewerLine("none", "pcm", FPS)
    for frame in range(FPS + 3):
        line.put(sound(frame))
    assert frames(line) == list(range(3, FPS + 3))
    assert (line.sounds_dropped, line.dropped) == (3, 0)


def test_of_opus_the_newest_second_stays() -> None:
    line = ViewerLine("none", "opus", FPS)
    for number in range(57):
        line.put(packet(Kind.OPUS, number, payload=b"opus"))
    assert frames(line) == list(range(7, 57))
    assert line.sounds_dropped == 7


def test_a_film_begins_with_its_opening_and_a_key_frame_that_is_asked_for() -> None:
    asked = Asked()
    line = ViewerLine("mp4", "none", FPS, asked)
    line.put(fragment(0, key=True))
    line.put(fragment(1))
    assert (line.waiting, asked.times) == (0, 0)
    line.put(start())
    for frame in (2, 3):
        line.put(fragment(frame))
    assert asked.times == 2
    line.put(fragment(4, key=True))
    line.put(fragment(5))
    assert asked.times == 2
    kinds = [item.kind for item in taken(line) if isinstance(item, Packet)]
    assert kinds == [Kind.MP4_START, Kind.MP4, Kind.MP4]
    assert line.dropped == 0


def test_a_film_a_second_behind_goes_on_at_its_next_key_frame() -> None:
    asked = Asked()
    line = ViewerLine("mp4", "pcm", FPS, asked)
    line.put(start())
    line.put(fragment(0, key=True))
    line.get(0.0), line.get(0.0)
    for frame in range(1, FPS + 1):
        line.put(fragment(frame))
    line.put(sound(FPS))
    assert (line.waiting, line.dropped, asked.times) == (FPS + 1, 0, 0)
    line.put(fragment(FPS + 1))
    assert (line.waiting, line.dropped, asked.times) == (1, FPS + 1, 1)
    line.put(fragment(FPS + 2))
    assert asked.times == 2
    line.put(fragment(FPS + 3, key=True))
    line.put(fragment(FPS + 4))
    assert asked.times == 2
    assert frames(line) == [FPS, FPS + 3, FPS + 4]
    assert line.dropped == FPS + 2


def test_a_key_frame_that_waits_outlives_the_others_until_a_newer_one_comes() -> None:
    asked = Asked()
    line = ViewerLine("mp4", "none", FPS, asked)
    line.put(start())
    line.put(fragment(0, key=True))
    for frame in range(1, 3 * FPS):
        line.put(fragment(frame))
    assert [getattr(item, "kind", None) for item in line._items] == [Kind.MP4_START, Kind.MP4]
    assert asked.times == 0, "one who is stuck costs the others no key frames"
    line.put(fragment(3 * FPS, key=True))
    assert line.waiting == 2
    line.put(fragment(3 * FPS + 1))
    assert frames(line) == [0, 3 * FPS, 3 * FPS + 1]
    assert line.dropped == 3 * FPS


def test_one_who_was_stuck_and_takes_again_asks() -> None:
    asked = Asked()
    line = ViewerLine("mp4", "none", FPS, asked)
    line.put(start())
    line.put(fragment(0, key=True))
    for frame in range(1, 2 * FPS):
        line.put(fragment(frame))
    assert frames(line) == [0, 0]
    line.put(fragment(2 * FPS))
    assert asked.times == 1


def test_a_line_stays_bounded_however_long_nobody_takes() -> None:
    line = ViewerLine("mp4", "pcm", FPS)
    line.put(start())
    most = 0
    for frame in range(60 * FPS):
        line.put(fragment(frame, key=frame % 10 == 0))
        line.put(sound(frame))
        most = max(most, line.waiting)
    assert most <= 1 + 2 * FPS
    found = taken(line)
    assert found[0] == start()
    shown = [item for item in found if isinstance(item, Packet) and item.kind is Kind.MP4]
    assert shown[0].key
    assert line.dropped + len(shown) == 60 * FPS


def test_events_keep_their_places_among_the_packets() -> None:
    line = ViewerLine("jpeg", "pcm", FPS)
    put: list[Packet | Event] = [packet(Kind.JPEG, 0), event(0), sound(0), event(1), sound(1)]
    for item in put:
        line.tell(item) if isinstance(item, Event) else line.put(item)
    assert taken(line) == put


def test_too_many_events_that_nobody_takes_close_the_line() -> None:
    line = ViewerLine("none", "none", FPS)
    for number in range(MOST_EVENTS):
        line.tell(event(number))
    assert not line.closed
    line.tell(event(MOST_EVENTS))
    assert (line.closed, line.waiting) == (True, 0)
    with pytest.raises(Cancelled):
        line.get(0.0)


def test_events_that_are_taken_are_not_too_many() -> None:
    line = ViewerLine("none", "none", FPS)
    for number in range(3 * MOST_EVENTS):
        line.tell(event(number))
        assert line.get(0.0) == event(number)
    assert not line.closed


def test_what_waits_is_taken_before_the_end() -> None:
    line = ViewerLine("jpeg", "none", FPS)
    line.put(packet(Kind.JPEG, 0))
    line.tell(event(0))
    line.close()
    line.put(packet(Kind.JPEG, 1))
    line.tell(event(1))
    assert taken(line) == [packet(Kind.JPEG, 0), event(0)]
    with pytest.raises(ChannelClosed):
        line.get(0.0)


def test_the_first_close_wins() -> None:
    line = ViewerLine("jpeg", "none", FPS)
    line.close(FfmpegFailed("libx264 failed"))
    line.close()
    for _ in range(2):
        with pytest.raises(FfmpegFailed, match="libx264 failed"):
            line.get(0.0)


def test_an_empty_line_has_a_timeout() -> None:
    with pytest.raises(TimeoutError):
        ViewerLine("jpeg", "none", FPS).get(0.01)


@pytest.mark.parametrize("wake", ["put", "tell", "close"])
def test_who_waits_wakes_at_once(wake: str) -> None:
    line = ViewerLine("jpeg", "none", FPS)
    found: list[object] = []

    def read() -> None:
        try:
            found.append(line.get(60.0))
        except ChannelClosed as error:
            found.append(type(error))

    reader = threading.Thread(target=read)
    reader.start()
    assert until(lambda: line._changed._waiters)
    expected: dict[str, object] = {
        "put": packet(Kind.JPEG, 3),
        "tell": event(3),
        "close": ChannelClosed,
    }
    if wake == "put":
        line.put(packet(Kind.JPEG, 3))
    elif wake == "tell":
        line.tell(event(3))
    else:
        line.close()
    reader.join(5.0)
    assert found == [expected[wake]]


def test_between_two_threads_nothing_is_lost_or_turned_round() -> None:
    line = ViewerLine("none", "pcm", FPS)
    found: list[int] = []

    def read() -> None:
        while True:
            try:
                item = line.get(5.0)
            except ChannelClosed:
                return
            assert isinstance(item, Packet)
            found.append(item.frame)

    reader = threading.Thread(target=read)
    reader.start()
    for frame in range(5000):
        line.put(packet(Kind.PCM, frame, payload=bytes(200)))
    line.close()
    reader.join(10.0)
    assert found == sorted(set(found))
    assert len(found) + line.sounds_dropped == 5000


def test_the_bitrate_is_that_of_the_last_second() -> None:
    now = 100.0
    line = ViewerLine("jpeg", "none", FPS, clock=lambda: now)
    line.put(packet(Kind.JPEG, 0, payload=bytes(976)))
    line.put(packet(Kind.JPEG, 1, payload=bytes(476)))
    assert (line.bytes_sent, line.bitrate) == (0, 0)
    line.get(0.0)
    now = 100.5
    line.get(0.0)
    assert (line.bytes_sent, line.bitrate) == (1500, 12_000)
    now = 101.1
    assert line.bitrate == 4000
    now = 102.0
    assert (line.bytes_sent, line.bitrate) == (1500, 0)


def test_an_event_says_what_it_has_more() -> None:
    told = Event("word", "u1", 1.23456, {"text": "сәлем"}).payload()
    expected = {"type": "word", "utterance_id": "u1", "session_s": 1.235, "text": "сәлем"}
    assert told == expected
