from __future__ import annotations

import cv2
import numpy as np
import pytest

from app_core.outputs.live.encoders import open_encoder
from app_core.outputs.live.live_frame import SAMPLE_RATE, LiveFrame
from app_core.outputs.live.packet import Kind
from app_core.picture import from_bgr
from app_core.types import first_sample


def frame(index: int, fps: int = 25, level: int | None = None) -> LiveFrame:
    samples = first_sample(index + 1, SAMPLE_RATE, fps) - first_sample(index, SAMPLE_RATE, fps)
    picture = None if level is None else from_bgr(np.full((64, 48, 3), level, np.uint8))
    pcm = np.linspace(-1, 1, samples, dtype=np.float32)
    return LiveFrame(index, fps, 2, index % 2 == 0, picture, pcm)


def test_a_jpeg_is_its_picture() -> None:
    encoder = open_encoder("jpeg", 48, 64, 25, 90)
    (packet,) = encoder.encode(frame(3, level=200))
    assert packet[:6] == (Kind.JPEG, True, False, 2, 3, 120_000)
    shown = cv2.imdecode(np.frombuffer(packet.payload, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert shown.shape == (64, 48, 3)
    assert np.abs(shown.astype(int) - 200).max() <= 2
    assert encoder.opening is None


def test_the_quality_of_a_jpeg_is_the_asked_one() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 48, 3)).astype(np.uint8)
    shown = LiveFrame(0, 25, 0, True, from_bgr(noise), np.zeros(1920, np.float32))
    sizes = [len(open_encoder("jpeg", 48, 64, 25, q).encode(shown)[0].payload) for q in (30, 90)]
    assert sizes[0] * 2 < sizes[1]


def test_a_frame_without_a_picture_has_no_jpeg_but_its_sound() -> None:
    assert open_encoder("jpeg", 48, 64, 25, 90).encode(frame(4)) == []
    (packet,) = open_encoder("pcm", 48, 64, 25, 90).encode(frame(4))
    assert packet[:6] == (Kind.PCM, True, True, 2, 4, 160_000)


@pytest.mark.parametrize("fps", [25, 29, 60])
def test_pcm_is_every_sample_of_the_sound(fps: int) -> None:
    encoder = open_encoder("pcm", 48, 64, fps, 90)
    packets = [packet for i in range(fps) for packet in encoder.encode(frame(i, fps))]
    assert len(packets) == fps
    assert sum(len(packet.payload) for packet in packets) == 2 * SAMPLE_RATE
    heard = np.frombuffer(packets[1].payload, "<i2")
    assert (heard[0], heard[-1]) == (-32768, 32767)
    assert np.abs(heard / 32768 - frame(1, fps).pcm).max() <= 1 / 32768


def test_an_unknown_codec_is_refused() -> None:
    with pytest.raises(ValueError, match="theora"):
        open_encoder("theora", 48, 64, 25, 90)
