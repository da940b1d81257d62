from __future__ import annotations

import io
import re

import av
import numpy as np
import pytest

from app_core.errors import FfmpegFailed
from app_core.outputs.live.encoders import open_encoder
from app_core.outputs.live.live_frame import LiveFrame
from app_core.outputs.live.mp4_encoder import Mp4Encoder, mime
from app_core.outputs.live.packet import Kind, Packet
from app_core.types import Picture

FPS = 25
SILENCE = np.zeros(0, np.float32)


def picture(number: int, width: int = 64, height: int = 48) -> Picture:
    """A ramp that moves, under one colour."""
    y = (np.arange(width)[np.newaxis] + 3 * number + np.zeros((height, 1))) % 96 + 64
    half = (height // 2, width // 2)
    return Picture(y.astype(np.uint8), np.full(half, 90, np.uint8), np.full(half, 160, np.uint8))


def noise(seed: int, width: int, height: int) -> Picture:
    random = np.random.default_rng(seed)
    half = (height // 2, width // 2)
    y, u, v = (random.integers(16, 236, s).astype(np.uint8) for s in ((height, width), half, half))
    return Picture(y, u, v)


def frame(index: int, shown: Picture | None, fps: int = FPS) -> LiveFrame:
    return LiveFrame(index, fps, index // 10, index % 2 == 1, shown, SILENCE)


def coded(encoder: Mp4Encoder, indices: range, left_out: set[int] | None = None) -> list[Packet]:
    packets = []
    for index in indices:
        shown = None if index in (left_out or set()) else picture(index)
        packets += encoder.encode(frame(index, shown))
    return packets


def decoded(opening: Packet, packets: list[Packet]) -> list[av.VideoFrame]:
    film = io.BytesIO(opening.payload + b"".join(packet.payload for packet in packets))
    with av.open(film, "r", format="mp4") as container:
        return list(container.decode(video=0))


def keys(packets: list[Packet]) -> list[int]:
    return [packet.frame for packet in packets if packet.key]


def test_every_picture_is_one_fragment_at_once_with_its_time_on_the_sessions_clock() -> None:
    encoder = Mp4Encoder(64, 48, FPS)
    packets = []
    for index in range(5000, 5030):
        (packet,) = encoder.encode(frame(index, picture(index)))
        assert packet[:6] == (
            *(Kind.MP4, index == 5000, index % 2 == 1),
            *(index // 10, index, index * 40_000),
        )
        packets.append(packet)
    assert encoder.opening[:3] == (Kind.MP4_START, True, True)
    shown = decoded(encoder.opening, packets)
    assert [round(each.time * FPS, 6) for each in shown] == list(range(5000, 5030))
    for number, each in enumerate(shown, 5000):
        assert np.abs(luma(each).astype(int) - picture(number).y).mean() < 2


def luma(shown: av.VideoFrame) -> np.ndarray:
    return shown.to_ndarray()[: shown.height]


@pytest.mark.parametrize(("width", "height"), [(50, 38), (128, 128), (170, 334)])
def test_colours_and_sizes_are_those_of_the_pictures(width: int, height: int) -> None:
    encoder = Mp4Encoder(width, height, FPS)
    given = picture(7, width, height)
    (shown,) = decoded(encoder.opening, encoder.encode(frame(0, given)))
    assert (shown.width, shown.height) == (width, height)
    assert np.abs(luma(shown).astype(int) - given.y).mean() < 2
    planes = shown.to_ndarray()[height:].reshape(2, -1)
    assert np.abs(planes.astype(int) - [[90], [160]]).max() <= 3
    bt601 = (1, 5, 6, 6)  # tv range, and the rest as FFmpeg numbers BT.601's
    tags = (shown.color_range, shown.colorspace, shown.color_primaries, shown.color_trc)
    assert tags in (bt601, (1, 6, 6, 6))


def test_the_film_says_its_colours_itself() -> None:
    """Players that do not read them from H.264 read the box."""
    start = Mp4Encoder(64, 48, FPS).opening.payload
    assert bytes.fromhex("636f6c72 6e636c78 0006 0006 0006 00") in start


@pytest.mark.parametrize(
    ("width", "height", "fps", "codec"),
    [
        (512, 512, 25, "avc1.42c01f"),
        (1280, 720, 30, "avc1.42c01f"),
        (1080, 1920, 25, "avc1.42c028"),
        (1920, 1080, 60, "avc1.42c02a"),
    ],
)
def test_the_type_is_what_the_film_is(width: int, height: int, fps: int, codec: str) -> None:
    assert mime(width, height, fps) == f'video/mp4; codecs="{codec}"'
    start = Mp4Encoder(width, height, fps).opening.payload
    configuration = start[start.index(b"avcC") + 4 :]
    assert f"avc1.{configuration[1:4].hex()}" == codec
    sps = configuration[8 : 8 + int.from_bytes(configuration[6:8], "big")]
    assert sps[1:4] == configuration[1:4]


def test_where_pictures_are_left_out_the_one_before_lasts_longer() -> None:
    encoder = Mp4Encoder(64, 48, FPS)
    packets = coded(encoder, range(10), left_out={3, 6, 7, 8})
    assert [packet.frame for packet in packets] == [0, 1, 2, 3, 4, 5, 6, 9]
    assert [packet.micros for packet in packets[-2:]] == [240_000, 360_000]
    assert keys(packets) == [0]
    film = io.BytesIO(encoder.opening.payload + b"".join(p.payload for p in packets))
    with av.open(film, "r", format="mp4") as container:
        times = [
            (p.pts * FPS / 90_000, p.duration * FPS / 90_000)
            for p in container.demux(video=0)
            if p.pts is not None
        ]
    assert times == [(0, 1), (1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 3), (9, 1)]
    shown = decoded(encoder.opening, packets)
    for number, each in zip((0, 1, 2, 2, 4, 5, 5, 9), shown, strict=True):
        assert np.abs(luma(each).astype(int) - picture(number).y).mean() < 2


def test_a_session_that_begins_without_pictures_has_no_fragments_before_the_first() -> None:
    packets = coded(Mp4Encoder(64, 48, FPS), range(5), left_out={0, 1})
    assert [packet.frame for packet in packets] == [2, 3, 4]
    assert keys(packets) == [2]


def test_at_a_rate_that_does_not_divide_the_timescale_fragments_touch() -> None:
    encoder = Mp4Encoder(64, 48, 29)
    packets = [p for i in range(58) for p in encoder.encode(frame(i, picture(i), 29))]
    film = io.BytesIO(encoder.opening.payload + b"".join(p.payload for p in packets))
    with av.open(film, "r", format="mp4") as container:
        found = [(p.pts, p.duration) for p in container.demux(video=0) if p.pts is not None]
    assert [at + lasts for at, lasts in found[:-1]] == [at for at, _ in found[1:]]
    assert found[29][0] == 90_000


def test_key_frames_come_when_asked_for_but_not_more_often_than_the_pause() -> None:
    encoder = Mp4Encoder(64, 48, FPS)
    packets = coded(encoder, range(20))
    encoder.ask_key()
    encoder.ask_key()
    packets += coded(encoder, range(20, 22))
    encoder.ask_key()
    packets += coded(encoder, range(22, 50))
    assert keys(packets) == [0, 20, 30]


def test_a_viewer_who_asks_at_every_picture_gets_a_key_frame_every_pause() -> None:
    encoder = Mp4Encoder(64, 48, FPS)
    packets = []
    for index in range(41):
        encoder.ask_key()
        packets += coded(encoder, range(index, index + 1))
    assert keys(packets) == [0, 10, 20, 30, 40]


def test_a_key_frame_comes_every_ten_seconds_by_itself_and_at_no_cut() -> None:
    encoder = Mp4Encoder(64, 48, 10)
    flat = [Picture(*(np.full_like(p, level) for p in picture_planes())) for level in (20, 230)]
    packets = [p for i in range(201) for p in encoder.encode(frame(i, flat[i // 7 % 2], 10))]
    assert keys(packets) == [0, 100, 200]


def picture_planes() -> tuple[np.ndarray, ...]:
    shown = picture(0)
    return shown.y, shown.u, shown.v


def test_a_later_viewer_begins_at_a_key_frame() -> None:
    encoder = Mp4Encoder(64, 48, FPS)
    coded(encoder, range(30))
    encoder.ask_key()
    packets = coded(encoder, range(30, 40))
    shown = decoded(encoder.opening, packets)
    assert [round(each.time * FPS, 6) for each in shown] == list(range(30, 40))
    assert np.abs(luma(shown[-1]).astype(int) - picture(39).y).mean() < 2


def test_what_cannot_be_pressed_stays_within_the_bit_rate() -> None:
    encoder = Mp4Encoder(256, 256, FPS)
    packets = [p for i in range(75) for p in encoder.encode(frame(i, noise(i, 256, 256)))]
    bits = 8 * sum(len(packet.payload) for packet in packets)
    assert bits / 3 < 1.4 * 0.3 * 256 * 256 * FPS


def test_errors_name_the_encoder() -> None:
    with pytest.raises(FfmpegFailed, match=r"libx264.*Invalid argument"):
        open_encoder("mp4", 0, 0, FPS, 85)
    encoder = Mp4Encoder(64, 48, FPS)
    with pytest.raises(FfmpegFailed, match=re.escape("libx264 takes no (48, 64)")):
        encoder.encode(frame(0, picture(0, 48, 64)))
    encoder.close()
    encoder.close()
    with pytest.raises(FfmpegFailed, match="libx264 is closed"):
        encoder.encode(frame(0, picture(0)))
