from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from app_core.errors import Busy
from app_core.outputs.live.cost import weight
from app_core.outputs.live.live_frame import LiveFrame
from app_core.outputs.live.packet import Kind, Packet
from app_core.outputs.live.video_rates import VideoRates
from app_core.sessions import fanout as module
from app_core.sessions.fanout import Fanout
from app_core.types import Event, Picture

if TYPE_CHECKING:
    from collections.abc import Sequence

FPS = 25
RATES = VideoRates.for_size(64, 48, FPS)
READY = Event("ready", None, 0.0, {})


class Looker:
    """A ``LiveViewer`` that keeps what it is given."""

    def __init__(self, video: str, audio: str, limit: int | None) -> None:
        self.video, self.audio, self.limit = video, audio, limit
        self.closed = False
        self.packets: list[Packet] = []

    def put(self, *packets: Packet) -> None:
        self.packets += packets

    def tell(self, event: Event) -> None:
        """It listens to nothing."""

    def close(self, error: Exception | None = None, *, now: bool = False) -> None:
        self.closed = True


class LimitedEncoder:
    """Its packet says the limit that holds."""

    opening: Packet | None = None

    def __init__(self, codec: str) -> None:
        self._kind = Kind.H264 if codec == "h264" else Kind.PCM
        self._limit: int | None = -1

    def limit(self, bits_s: int | None) -> None:
        self._limit = bits_s

    def encode(self, frame: LiveFrame) -> list[Packet]:
        said = f"{self._limit}".encode()
        return [Packet(self._kind, True, frame.idle, 0, frame.index, frame.micros, said)]

    def ask_key(self) -> None:
        """Each is one."""

    def close(self) -> None:
        """It holds nothing."""


def frame(index: int) -> LiveFrame:
    grey = [np.full(side, 128, np.uint8) for side in ((48, 64), (24, 32), (24, 32))]
    return LiveFrame(index, FPS, 0, True, Picture(*grey), np.zeros(1920, np.float32))


@pytest.fixture
def fanout(monkeypatch: pytest.MonkeyPatch) -> Fanout:
    monkeypatch.setattr(module, "open_encoder", lambda codec, *_: LimitedEncoder(codec))
    return Fanout((64, 48, FPS, 85, RATES), lambda: 0.0, lambda weight: True)


def limits(looker: Looker, kind: Kind) -> Sequence[str]:
    return [packet.payload.decode() for packet in looker.packets if packet.kind is kind]


def test_an_encoder_is_told_the_limit_of_the_slowest_of_those_who_look_at_it(
    fanout: Fanout,
) -> None:
    silent, fast = Looker("h264", "pcm", None), Looker("h264", "none", 900_000)
    slow, other = Looker("h264", "none", 200_000), Looker("none", "pcm", 1)
    for number, looker in enumerate((silent, fast, slow, other)):
        fanout.attach(looker, READY)
        fanout.write(frame(number))
    slow.limit = 300_000
    fanout.write(frame(4))
    fanout.detach(slow)
    fanout.write(frame(5))
    fanout.detach(fast)
    fanout.write(frame(6))
    told = ["None", "900000", "200000", "200000", "300000", "900000", "None"]
    assert limits(silent, Kind.H264) == told


def test_one_viewer_does_not_make_the_pictures_of_others_smaller(fanout: Fanout) -> None:
    floor = RATES.floor
    good, bad = Looker("h264", "none", 4 * floor), Looker("h264", "none", floor // 4)
    fanout.attach(good, READY)
    fanout.attach(bad, READY)
    fanout.write(frame(0))
    good.limit = floor // 2
    fanout.write(frame(1))
    good.limit = 4 * floor
    bad.closed = True  # it is still to be detached
    fanout.write(frame(2))
    bad.closed = False
    fanout.detach(good)
    fanout.write(frame(3))
    told = [floor, floor // 2, 4 * floor]
    assert limits(good, Kind.H264) == [str(each) for each in told]
    assert limits(bad, Kind.H264)[-1] == str(floor // 4), "alone it gets what it can take"


@pytest.mark.parametrize(("codec", "kind"), [("h264", Kind.H264), ("vp8", Kind.VP8)])
def test_viewers_of_calls_get_their_codec(codec: str, kind: Kind) -> None:
    fanout = Fanout((64, 48, FPS, 85, RATES), lambda: 0.0, lambda weight: True)
    looker, later = Looker(codec, "pcm", 500_000), Looker(codec, "none", None)
    fanout.attach(looker, READY)
    for index in range(15):
        fanout.write(frame(index))
    fanout.attach(later, READY)
    fanout.write(frame(15))
    pictures = [packet for packet in looker.packets if packet.kind is kind]
    assert [packet.frame for packet in pictures] == list(range(16))
    assert [packet.frame for packet in pictures if packet.key] == [0, 15]
    assert [packet.frame for packet in later.packets if packet.kind is kind] == [15]
    fanout.close(Event("end", None, 0.0, {}))
    assert looker.closed


def test_who_looks_is_weighed_and_refused_where_there_is_no_room() -> None:
    asked: list[float] = []

    def room(weight: float) -> bool:
        asked.append(weight)
        return weight < 1.5

    fanout = Fanout((64, 48, FPS, 85, RATES), lambda: 0.0, room)
    assert fanout.weight == 1.0
    socket = Looker("jpeg", "pcm", None)
    fanout.attach(socket, READY)
    assert asked == [pytest.approx(1.0)]
    with pytest.raises(Busy) as full:
        fanout.check_room("h264", "opus")
    assert full.value.retry_after_s > 0
    with pytest.raises(Busy):
        fanout.attach(Looker("h264", "opus", None), READY)
    assert fanout.lines == (socket,)
    assert fanout.weight == pytest.approx(1.0)
    fanout.attach(Looker("none", "opus", None), READY)
    assert fanout.weight == pytest.approx(1.14)


def test_a_session_over_webrtc_weighs_as_was_measured() -> None:
    assert weight([]) == 1.0
    assert weight([("h264", "opus")]) == pytest.approx(1.7)
    assert weight([("h264", "opus"), ("h264", "opus")]) == pytest.approx(2.0)
    assert weight([("mp4", "opus")]) == pytest.approx(1.94)


def test_nothing_is_kept_for_a_viewer_who_never_comes() -> None:
    asked: list[float] = []
    fanout = Fanout((64, 48, FPS, 85, RATES), lambda: 0.0, lambda weight: not asked.append(weight))
    fanout.check_room("h264", "opus")
    assert asked == [pytest.approx(1.7), 1.0]
    assert fanout.weight == 1.0
