from __future__ import annotations

import struct
import wave
from pathlib import Path

import numpy as np

from app_core.audio import AudioBuffer
from app_core.media.wav import WavFile, header, pcm16

RATE = 16000


def test_a_file_with_the_header_is_what_the_wave_module_reads(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    path.write_bytes(header(RATE, 3) + pcm16(np.array([0.0, 0.5, -1.0], np.float32)))
    with wave.open(str(path), "rb") as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (RATE, 1, 2)
        assert sound.readframes(9) == struct.pack("<3h", 0, 16384, -32768)


def test_unknown_length_fills_both_sizes() -> None:
    head = header(RATE, None)
    assert len(head) == 44
    assert head[4:8] == head[40:44] == b"\xff\xff\xff\xff"


def test_pcm16_rounds_and_clips() -> None:
    levels = np.array([0.6, -0.6, 1.4, 32767, 40000, -32768, -70000], np.float32) / 32768
    assert struct.unpack("<7h", pcm16(levels)) == (1, -1, 1, 32767, 32767, -32768, -32768)


def test_a_sound_reads_like_its_file() -> None:
    sound = AudioBuffer(8000)
    sound.append(np.sin(np.arange(700) / 9).astype(np.float32))
    sound.close()
    file = WavFile(sound)
    whole = file.read()
    assert whole == header(8000, 700) + sound.read(0, 700, 0.0)
    assert len(whole) == file.size and file.read(9) == b""
    for start, size in ((0, 1), (40, 4), (41, 8), (44, 1), (45, 1), (45, 2), (47, 300), (1440, 99)):
        assert file.seek(start) == start
        assert file.read(size) == whole[start : start + size]
        assert file.tell() == min(start + size, file.size)
    assert file.seek(-4, 2) == file.size - 4
    sound.release()
    assert file.read() == b""
