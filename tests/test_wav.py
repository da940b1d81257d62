from __future__ import annotations

import struct
import wave
from pathlib import Path

import numpy as np
import pytest

from app_core.errors import BadInput
from app_core.media.wav import WavFile, header, pcm16, read_wav
from app_core.sound import Sound

RATE = 16000


def tone(seconds: float) -> np.ndarray:
    clock = np.arange(round(seconds * RATE)) / RATE
    return (0.5 * np.sin(2 * np.pi * 440 * clock)).astype(np.float32)


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


def test_read_wav_gives_the_samples_and_rate_back(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    path.write_bytes(header(RATE, RATE) + pcm16(tone(1.0)))
    sound, rate = read_wav(path)
    assert rate == RATE
    assert sound.dtype == np.float32
    assert np.abs(sound - tone(1.0)).max() <= 0.5 / 32768


def test_read_wav_mixes_stereo_and_cuts_at_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "stereo 48k.wav"
    both = np.stack([np.full(48000, 8000, "<i2"), np.full(48000, 4000, "<i2")], 1)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(48000)
        file.writeframes(both.tobytes())
    sound, rate = read_wav(path, max_seconds=0.25)
    assert (rate, len(sound)) == (48000, 12000)
    assert np.allclose(sound, 6000 / 32768, atol=1e-4)


def test_a_stream_of_unknown_length_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "stream.wav"
    path.write_bytes(header(RATE, None) + pcm16(tone(0.5)))
    assert len(read_wav(path)[0]) == RATE // 2


@pytest.mark.parametrize("content", [b"", b"not a sound at all" * 100])
def test_what_is_no_sound_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "letter.wav"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"letter\.wav"):
        read_wav(path)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"gone\.wav"):
        read_wav(tmp_path / "gone.wav")


def test_a_playlist_cannot_name_other_files(tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes(header(RATE, RATE) + pcm16(tone(1.0)))
    playlist = tmp_path / "list.wav"
    playlist.write_text(f"ffconcat version 1.0\nfile '{tmp_path}/secret.wav'\n")
    with pytest.raises(BadInput):
        read_wav(playlist)


def test_a_sound_reads_like_its_file() -> None:
    sound = Sound(8000)
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
