"""libopus called by itself makes what PyAV makes with it."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.codeccontext import AudioCodecContext

from app_core.audio import int16
from app_core.config import ROOT
from app_core.errors import FfmpegFailed
from app_core.media import opus
from app_core.media.opus import LOOKAHEAD, SAMPLE_RATE, SAMPLES, OpusCoder
from app_core.types import Float32

BITS_S = 48_000


def sound(seconds: int) -> Float32:
    """A voice-like tone with noise, of whole 16-bit steps."""
    at = np.arange(SAMPLE_RATE * seconds) / SAMPLE_RATE
    noise = np.random.default_rng(1).standard_normal(len(at))
    pcm = 0.3 * np.sin(2 * np.pi * 220 * at) * (1 + np.sin(2 * np.pi * 3 * at)) + 0.02 * noise
    return int16(pcm.astype(np.float32)).astype(np.float32) / np.float32(32768)


def by_pyav(pcm: Float32) -> list[bytes]:
    codec = av.CodecContext.create("libopus", "w")
    assert isinstance(codec, AudioCodecContext)
    codec.sample_rate, codec.layout, codec.format = SAMPLE_RATE, "mono", "s16"
    codec.time_base, codec.bit_rate = Fraction(1, SAMPLE_RATE), BITS_S
    codec.options = {"application": "audio", "compression_level": "5", "frame_duration": "20"}
    packets: list[bytes] = []
    for start in range(0, len(pcm), SAMPLES):
        part = int16(pcm[start : start + SAMPLES])[np.newaxis]
        frame = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE, start
        packets += [bytes(packet) for packet in codec.encode(frame)]
    assert codec.extradata is not None
    assert int.from_bytes(codec.extradata[10:12], "little") == LOOKAHEAD
    return packets


def test_packets_are_those_of_pyav() -> None:
    pcm = sound(3)
    coder = OpusCoder(BITS_S)
    found = [coder.encode(pcm[at : at + SAMPLES]) for at in range(0, len(pcm), SAMPLES)]
    assert found == by_pyav(pcm)


def test_the_lookahead_is_what_the_encoder_says() -> None:
    assert OpusCoder(BITS_S).lookahead == LOOKAHEAD


def test_samples_may_lie_apart() -> None:
    pcm = sound(1)[:SAMPLES]
    apart = np.stack([pcm, pcm], 1)[:, 0]
    assert OpusCoder(BITS_S).encode(apart) == OpusCoder(BITS_S).encode(pcm)


def test_a_program_may_end_while_it_is_used() -> None:
    """Freed under a thread that encodes, it took the heap with it."""
    program = (
        "import threading, time\n"
        "import numpy as np\n"
        "from app_core.media.opus import OpusCoder\n"
        "coder, silence = OpusCoder(48_000), np.zeros(960, np.float32)\n"
        "def encode():\n"
        "    while True:\n"
        "        coder.encode(silence)\n"
        "threading.Thread(target=encode, daemon=True).start()\n"
        "time.sleep(0.2)\n"
    )
    for _ in range(3):
        ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=60)
        assert ended.returncode == 0


def test_errors_name_the_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(FfmpegFailed, match="libopus failed: invalid argument"):
        OpusCoder(-7)
    coder = OpusCoder(BITS_S)
    with pytest.raises(ValueError, match="960"):
        coder.encode(np.zeros(SAMPLES - 1, np.float32))
    coder.close()
    coder.close()
    with pytest.raises(FfmpegFailed, match="libopus failed: it is closed"):
        coder.encode(np.zeros(SAMPLES, np.float32))
    monkeypatch.setattr(opus.av, "__file__", str(tmp_path / "av" / "__init__.py"))
    monkeypatch.setattr(opus.ctypes.util, "find_library", lambda _: None)
    with pytest.raises(FfmpegFailed, match="libopus failed: there is none here"):
        opus.library.__wrapped__()
