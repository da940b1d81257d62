from __future__ import annotations

import av
import numpy as np
import pytest

from app_core.errors import FfmpegFailed
from app_core.media.opus import LOOKAHEAD, SAMPLES
from app_core.outputs.live.live_frame import SAMPLE_RATE, LiveFrame
from app_core.outputs.live.opus_encoder import OpusEncoder
from app_core.outputs.live.packet import Kind, Packet
from app_core.types import Float32, first_sample

TONE_AT_S = 6.3


def sound(seconds: float) -> Float32:
    """Silence, and from TONE_AT_S on 0.2 s of 1 kHz."""
    pcm = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
    begin, length = round(TONE_AT_S * SAMPLE_RATE), SAMPLE_RATE // 5
    pcm[begin : begin + length] = np.sin(2 * np.pi * 1000 * np.arange(length) / SAMPLE_RATE) / 2
    return pcm


def coded(encoder: OpusEncoder, pcm: Float32, fps: int, begin: int = 0) -> list[Packet]:
    """``pcm`` as the frames from ``begin`` on; from frame 100 on an interrupt has been."""
    packets, index, at = [], begin, 0
    while at < len(pcm):
        end = at + first_sample(index + 1, SAMPLE_RATE, fps) - first_sample(index, SAMPLE_RATE, fps)
        frame = LiveFrame(index, fps, int(index >= 100), index < 50, None, pcm[at:end])
        packets += encoder.encode(frame)
        index, at = index + 1, end
    return packets


def heard(packets: list[Packet]) -> Float32:
    """Skips nothing, as a decoder that was told nothing."""
    decoder = av.CodecContext.create("libopus", "r")
    decoder.sample_rate, decoder.layout = SAMPLE_RATE, "mono"
    frames = [f for p in packets for f in decoder.decode(av.Packet(p.payload))]
    frames += decoder.decode(None)
    return np.concatenate([f.to_ndarray()[0] for f in frames]).astype(np.float32) / 32768


@pytest.mark.parametrize("fps", [10, 25, 29, 60])
@pytest.mark.parametrize("begin_s", [0, 2])
def test_ten_seconds_are_heard_whole_with_a_tone_in_its_place(fps: int, begin_s: int) -> None:
    given = sound(10)
    packets = coded(OpusEncoder(), given, fps, begin_s * fps)
    left_out = int(begin_s == 0)
    assert len(packets) == 500 - left_out
    found = heard(packets)
    assert len(found) == len(given) - left_out * SAMPLES
    clock_s = packets[0].micros / 1e6
    first_s = (left_out * SAMPLES - LOOKAHEAD) / SAMPLE_RATE
    assert clock_s == pytest.approx(begin_s + first_s)
    tone_s = TONE_AT_S + begin_s
    begin = round((tone_s - 0.05 - clock_s) * SAMPLE_RATE)
    tone = given[round(TONE_AT_S * SAMPLE_RATE) :][: SAMPLE_RATE // 5]
    around = found[begin : begin + SAMPLE_RATE // 10 + len(tone)]
    at = int(np.correlate(around, tone, "valid").argmax())
    assert abs((begin + at) / SAMPLE_RATE + clock_s - tone_s) < 0.001
    loud = np.flatnonzero(np.abs(found) > 0.1)
    assert abs(loud[0] / SAMPLE_RATE + clock_s - tone_s) < 0.001


@pytest.mark.parametrize("fps", [25, 29, 60])
def test_packets_follow_each_other_and_know_their_frame(fps: int) -> None:
    packets = coded(OpusEncoder(), sound(10), fps)
    assert {packet.kind for packet in packets} == {Kind.OPUS}
    assert [p.micros for p in packets] == [20_000 * n - 6_500 for n in range(1, 500)]
    for packet in packets:
        assert packet.frame * 1e6 / fps <= packet.micros + 21
        assert packet.micros < (packet.frame + 1) * 1e6 / fps
        assert packet.idle == (packet.frame < 50)
        assert packet.generation == int(packet.frame >= 100)


def test_no_packet_waits_for_more_than_its_own_sound() -> None:
    encoder = OpusEncoder()
    for index in range(25, 35):
        frame = LiveFrame(index, 25, 0, True, None, np.zeros(1920, np.float32))
        assert len(encoder.encode(frame)) == 2


def test_speech_takes_about_the_asked_bit_rate() -> None:
    random = np.random.default_rng(3)
    pcm = (0.1 * random.standard_normal(SAMPLE_RATE * 4)).astype(np.float32)
    packets = coded(OpusEncoder(), pcm, 25)
    assert 30_000 < 8 * sum(len(p.payload) for p in packets) / 4 < 70_000


def test_after_frames_that_were_never_given_the_clock_is_right() -> None:
    encoder = OpusEncoder()
    pcm = np.zeros(SAMPLE_RATE // 2, np.float32)
    coded(encoder, pcm, 29, 0)
    packets = coded(encoder, pcm, 29, 290)
    assert [p.micros for p in packets[:3]] == [9_993_500, 10_013_500, 10_033_500]
    assert packets[0].frame == 289


def test_errors_name_the_encoder() -> None:
    encoder = OpusEncoder()
    encoder.close()
    encoder.close()
    with pytest.raises(FfmpegFailed, match="libopus failed: it is closed"):
        coded(encoder, np.zeros(1920, np.float32), 25)
