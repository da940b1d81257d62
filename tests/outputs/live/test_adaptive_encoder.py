"""H.264 and VP8 for calls. Pictures are noise that moves, so that bits do not suffice."""

from __future__ import annotations

from collections.abc import Callable

import av
import cv2
import numpy as np
import pytest

from app_core.errors import FfmpegFailed
from app_core.media.fragment import nal_units
from app_core.outputs.live.adaptive_encoder import AdaptiveEncoder
from app_core.outputs.live.encoders import open_encoder
from app_core.outputs.live.h264_encoder import H264Encoder
from app_core.outputs.live.live_frame import LiveFrame
from app_core.outputs.live.packet import Kind, Packet
from app_core.outputs.live.video_rates import VideoRates
from app_core.outputs.live.vp8_encoder import Vp8Encoder
from app_core.types import Picture

WIDTH, HEIGHT, FPS = 128, 96, 25
FLOOR, CEILING = 50_000, 800_000
ROOM = 150_000
"""A floor below which every rung has its bits."""
SILENCE = np.zeros(0, np.float32)

Open = Callable[..., AdaptiveEncoder]
both = pytest.mark.parametrize("codec", [H264Encoder, Vp8Encoder])


def pictures() -> list[Picture]:
    """Coarse noise, another one each time."""
    random = np.random.default_rng(5)
    half = (HEIGHT // 2, WIDTH // 2)
    made = []
    for _ in range(40):
        coarse = random.integers(40, 216, (HEIGHT // 2, WIDTH // 2)).astype(np.uint8)
        y = np.asarray(cv2.resize(coarse, (WIDTH, HEIGHT)), np.uint8)
        made.append(Picture(y, np.full(half, 90, np.uint8), np.full(half, 160, np.uint8)))
    return made


PICTURES = pictures()


def frame(index: int, *, still: bool = False, left_out: bool = False) -> LiveFrame:
    picture = None if left_out else PICTURES[0 if still else index % len(PICTURES)]
    return LiveFrame(index, FPS, index // 10, index % 2 == 1, picture, SILENCE)


def opened(codec: Open, floor: int = FLOOR) -> AdaptiveEncoder:
    return codec(WIDTH, HEIGHT, FPS, VideoRates(floor, CEILING))


def coded(encoder: AdaptiveEncoder, start: int, end: int, *, still: bool = False) -> list[Packet]:
    return [p for i in range(start, end) for p in encoder.encode(frame(i, still=still))]


def bits_s(packets: list[Packet], seconds: float) -> float:
    return 8 * sum(len(packet.payload) for packet in packets) / seconds


def keys(packets: list[Packet]) -> list[int]:
    return [packet.frame for packet in packets if packet.key]


def decoded(packets: list[Packet]) -> list[np.ndarray]:
    """Luma."""
    name = "h264" if packets[0].kind is Kind.H264 else "vp8"
    codec = av.CodecContext.create(name, "r")
    assert isinstance(codec, av.VideoCodecContext)
    codec.thread_count = 1
    shown = [f for packet in packets for f in codec.decode(av.Packet(packet.payload))]
    shown += codec.decode(None)
    return [each.to_ndarray()[: each.height, : each.width] for each in shown]


@pytest.mark.parametrize(("name", "kind"), [("h264", Kind.H264), ("vp8", Kind.VP8)])
def test_every_picture_is_one_packet_at_once(name: str, kind: Kind) -> None:
    encoder = open_encoder(name, WIDTH, HEIGHT, FPS, 85)
    assert encoder.opening is None
    packets = []
    for index in range(700, 710):
        (packet,) = encoder.encode(frame(index, still=True))
        expected = (kind, index == 700, index % 2 == 1, index // 10, index, index * 40_000)
        assert packet[:6] == expected
        packets.append(packet)
    shown = decoded(packets)
    assert len(shown) == 10
    assert np.abs(shown[-1].astype(int) - PICTURES[0].y).mean() < 4
    encoder.close()
    encoder.close()


@both
def test_a_frame_without_a_picture_has_no_packet(codec: Open) -> None:
    encoder = opened(codec)
    assert encoder.encode(frame(0, left_out=True)) == []
    assert [len(encoder.encode(frame(i, left_out=i == 3))) for i in range(1, 6)] == [1, 1, 0, 1, 1]


def test_h264_is_baseline_in_annex_b_with_its_parameters_before_each_idr_picture() -> None:
    encoder = opened(H264Encoder)
    packets = coded(encoder, 0, 20)
    encoder.ask_key()
    packets += coded(encoder, 20, 40)
    assert keys(packets) == [0, 20]
    for packet in packets:
        units = nal_units(packet.payload)
        kinds = [unit[0] & 31 for unit in units if unit[0] & 31 != 6]  # SEI may stand anywhere
        assert kinds == ([7, 8, 5] if packet.key else [1])
        if packet.key:
            profile, constraints = units[kinds.index(7)][1:3]
            assert (profile, constraints & 0xC0) == (66, 0xC0)


@both
def test_key_frames_come_when_asked_for_but_not_more_often_than_the_pause(codec: Open) -> None:
    encoder = opened(codec)
    packets = []
    for index in range(31):
        encoder.ask_key()
        packets += coded(encoder, index, index + 1)
    assert keys(packets) == [0, 10, 20, 30]


@both
def test_a_key_frame_comes_every_ten_seconds_by_itself(codec: Open) -> None:
    packets = coded(opened(codec), 0, 510, still=True)
    assert keys(packets) == [0, 250, 500]


@both
def test_a_later_viewer_begins_at_a_key_frame(codec: Open) -> None:
    encoder = opened(codec)
    coded(encoder, 0, 30)
    encoder.ask_key()
    packets = coded(encoder, 30, 40)
    assert len(decoded(packets)) == 10


@both
def test_without_a_limit_it_stays_below_the_ceiling(codec: Open) -> None:
    encoder = opened(codec)
    encoder.limit(None)
    packets = coded(encoder, 0, 100)
    assert 0.5 * CEILING < bits_s(packets[25:], 3) < 1.15 * CEILING
    encoder = opened(codec)
    encoder.limit(100 * CEILING)
    assert bits_s(coded(encoder, 0, 100)[25:], 3) < 1.15 * CEILING


@both
def test_a_picture_that_rests_takes_next_to_nothing(codec: Open) -> None:
    assert bits_s(coded(opened(codec), 0, 75, still=True)[25:], 2) < 0.1 * CEILING


def test_h264_follows_the_limit_within_a_second_and_without_a_key_frame() -> None:
    encoder = opened(H264Encoder)
    coded(encoder, 0, 75)
    encoder.limit(200_000)
    packets = coded(encoder, 75, 175)
    assert keys(packets) == []
    assert bits_s(packets[25:], 3) < 1.15 * 200_000
    encoder.limit(600_000)
    packets = coded(encoder, 175, 240)
    assert keys(packets) == []
    assert bits_s(packets[25:], 1.6) > 2 * 200_000


def test_after_a_fall_key_frames_are_of_the_line_that_there_is() -> None:
    encoder = opened(H264Encoder)
    (first, *_) = coded(encoder, 0, 75, still=True)
    encoder.limit(FLOOR)
    coded(encoder, 75, 100, still=True)
    encoder.ask_key()
    (key, *_) = coded(encoder, 100, 125, still=True)
    assert key.key
    assert 8 * len(key.payload) < 0.45 * FLOOR < 0.75 * 8 * len(first.payload)


def test_h264_rises_far_at_the_next_key_frame() -> None:
    encoder = opened(H264Encoder)
    encoder.limit(100_000)
    coded(encoder, 0, 50)
    encoder.limit(None)
    held = coded(encoder, 50, 100)
    assert keys(held) == []
    assert bits_s(held, 2) < 1.3 * 2 * 100_000
    encoder.ask_key()
    assert bits_s(coded(encoder, 100, 175)[25:], 2) > 0.5 * CEILING


def test_vp8_follows_the_limit_by_a_key_frame_at_most_every_two_seconds() -> None:
    encoder = opened(Vp8Encoder)
    packets = coded(encoder, 0, 30)
    encoder.limit(200_000)
    packets += coded(encoder, 30, 60)
    encoder.limit(180_000)  # too little a change
    packets += coded(encoder, 60, 120)
    encoder.limit(400_000)
    packets += coded(encoder, 120, 150)
    assert keys(packets) == [0, 50, 120]
    assert bits_s(packets[75:120], 1.8) < 1.2 * 200_000
    assert bits_s(packets[130:150], 0.8) > 1.5 * 200_000


@both
def test_below_the_floor_pictures_become_smaller_then_fewer_and_whole_again(codec: Open) -> None:
    encoder = opened(codec, ROOM)
    coded(encoder, 0, 10)
    encoder.limit(ROOM * 4 // 5)
    packets = coded(encoder, 10, 60)
    assert keys(packets) == [35]
    assert {each.shape for each in decoded(packets[25:])} == {(72, 96)}
    encoder.limit(1)
    packets = coded(encoder, 60, 120)
    smaller = next(n for n, packet in enumerate(packets) if packet.key)
    assert {each.shape for each in decoded(packets[smaller:])} == {(48, 64)}
    indices = [packet.frame for packet in packets[smaller:]]
    assert indices == list(range(indices[0], 120, 2))
    encoder.limit(None)
    packets = coded(encoder, 120, 120 + 16 * FPS)
    at = max(n for n, packet in enumerate(packets) if packet.key and packet.frame < 520)
    shown = decoded(packets[at:])
    assert {each.shape for each in shown} == {(HEIGHT, WIDTH)}
    seen = {index: each for index, each in zip((p.frame for p in packets[at:]), shown, strict=True)}
    assert np.abs(seen[519].astype(int) - PICTURES[519 % 40].y).mean() < 8


@both
def test_smaller_pictures_show_the_same(codec: Open) -> None:
    encoder = opened(codec, ROOM)
    encoder.limit(ROOM // 2)
    packets = coded(encoder, 0, 60, still=True)
    shown = decoded(packets[keys(packets)[-1] :])[-1]
    assert shown.shape == (48, 64)
    half = cv2.resize(PICTURES[0].y, (64, 48), interpolation=cv2.INTER_AREA)
    assert np.abs(shown.astype(int) - half).mean() < 4


@pytest.mark.parametrize(("name", "codec"), [("libx264", "h264"), ("libvpx", "vp8")])
def test_errors_name_the_encoder(name: str, codec: str) -> None:
    with pytest.raises(FfmpegFailed, match=f"The encoder {name} takes no"):
        open_encoder(codec, 64, 48, FPS, 85).encode(frame(0))
