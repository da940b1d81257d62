from __future__ import annotations

import cv2
import numpy as np
import pytest

from app_core.media.jpeg import encode, full_range
from app_core.types import Picture


def solid(y: int, u: int, v: int, width: int = 64, height: int = 48) -> Picture:
    half = (height // 2, width // 2)
    return Picture(
        np.full((height, width), y, np.uint8),
        np.full(half, u, np.uint8),
        np.full(half, v, np.uint8),
    )


def bt601(y: int, u: int, v: int) -> np.ndarray:
    """B, G, R of one tv-range sample by ITU-R BT.601."""
    luma, blue, red = (y - 16) / 219, (u - 128) / 224, (v - 128) / 224
    r, b = luma + 1.402 * red, luma + 1.772 * blue
    g = (luma - 0.299 * r - 0.114 * b) / 0.587
    return np.clip(np.array([b, g, r]) * 255, 0, 255)


def decode(data: bytes) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture


@pytest.mark.parametrize(
    "yuv",
    [(16, 128, 128), (235, 128, 128), (126, 128, 128), (81, 90, 240), (145, 54, 34), (90, 180, 90)],
)
def test_colours_are_right_and_full_range(yuv: tuple[int, int, int]) -> None:
    pixels = decode(encode(solid(*yuv)))
    assert pixels.shape == (48, 64, 3)
    assert np.abs(pixels - bt601(*yuv)).max() <= 2


def test_every_level_is_stretched_to_the_nearest() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    half = levels[:8, :8].copy()
    wide = full_range(Picture(levels, half, half.copy()))
    luma = (levels.astype(float) - 16) * 255 / 219
    chroma = (half.astype(float) - 128) * 255 / 224 + 128
    assert np.array_equal(wide.y, np.clip(np.floor(luma + 0.5), 0, 255).astype(np.uint8))
    for plane in (wide.u, wide.v):
        assert np.array_equal(plane, np.clip(np.floor(chroma + 0.5), 0, 255).astype(np.uint8))


def test_it_is_420_and_its_size_is_the_pictures() -> None:
    data = encode(solid(100, 128, 128, width=512, height=512))
    assert data[:3] == b"\xff\xd8\xff"
    assert data[-2:] == b"\xff\xd9"
    frame_header = data.index(b"\xff\xc0")
    components = data[frame_header + 10 : frame_header + 19]
    assert [components[1], components[4], components[7]] == [0x22, 0x11, 0x11]


def test_more_quality_is_more_bytes_and_nearer() -> None:
    noise = np.random.default_rng(1).integers(60, 180, (64, 64)).astype(np.uint8)
    flat = np.full((32, 32), 128, np.uint8)
    picture = Picture(noise, flat, flat)
    low, high = encode(picture, quality=30), encode(picture, quality=95)
    wanted = (noise.astype(float) - 16) * 255 / 219
    errors = [np.abs(decode(data)[:, :, 1] - wanted).mean() for data in (low, high)]
    assert len(high) > len(low)
    assert errors[1] < errors[0]


def test_the_picture_is_not_changed() -> None:
    picture = solid(100, 90, 140)
    encode(picture)
    assert {int(picture.y[0, 0]), int(picture.u[0, 0]), int(picture.v[0, 0])} == {100, 90, 140}
