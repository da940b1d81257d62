from __future__ import annotations

import struct

import numpy as np
import pytest

from app_core.outputs.live.live_frame import LiveFrame
from app_core.outputs.live.packet import Kind, Packet


def test_the_header_is_24_bytes_little_endian() -> None:
    packet = Packet(Kind.MP4, True, False, 3, 1 << 33, 5_000_000_123, b"abc")
    expected = bytes([3, 1, 0, 0]) + struct.pack("<I", 3) + struct.pack("<QQ", 1 << 33, 5000000123)
    assert packet.header() == expected
    assert len(expected) == 24
    assert packet.message() == expected + b"abc"


@pytest.mark.parametrize(
    ("key", "idle", "flags"),
    [(False, False, 0), (True, False, 1), (False, True, 2), (True, True, 3)],
)
def test_the_flags_say_key_frame_and_idle(key: bool, idle: bool, flags: int) -> None:
    assert Packet(Kind.OPUS, key, idle, 0, 0, 0, b"").header() == bytes([5, flags]) + bytes(22)


def test_the_kinds_have_the_numbers_of_the_contract() -> None:
    names = ["JPEG", "MP4_START", "MP4", "PCM", "OPUS", "H264", "VP8"]
    assert [(kind.name, int(kind)) for kind in Kind] == list(zip(names, range(1, 8), strict=True))


def test_a_message_is_made_once_for_all_viewers() -> None:
    packet = Packet(Kind.PCM, True, True, 0, 1, 40_000, bytes(1920))
    assert packet.message() is packet.message()
    assert packet == Packet(Kind.PCM, True, True, 0, 1, 40_000, bytes(1920))


def test_a_frame_knows_its_time_on_the_sessions_clock() -> None:
    frame = LiveFrame(7, 30, 0, True, None, np.zeros(1600, np.float32))
    assert frame.seconds == pytest.approx(7 / 30)
    assert frame.micros == 233_333
