from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app_core.errors import BadInput, TooLarge, UnsupportedMedia
from app_core.media.ffmpeg import find_ffmpeg
from app_core.media.sound_file import SoundFile
from app_core.media.wav import header, pcm16

SECONDS = 2.5


def tone(rate: int = 44100, seconds: float = SECONDS) -> np.ndarray:
    """Half of full scale, rising from 200 Hz, so that no moment is like another."""
    clock = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * (200 + 100 * clock) * clock)).astype(np.float32)


def sound(path: Path, **how: object) -> SoundFile:
    return SoundFile(path, find_ffmpeg, **how)  # type: ignore[arg-type]


def read(path: Path, block: int = 10_000) -> tuple[np.ndarray, int, float | None]:
    with sound(path) as file:
        blocks = list(file.blocks(block))
        assert all(len(b) == block for b in blocks[:-1])
        assert all(b.dtype == np.float32 for b in blocks)
        return np.concatenate(blocks), file.sample_rate, file.seconds


def coded(path: Path, *how: str, rate: int = 44100, pcm: np.ndarray | None = None) -> Path:
    """What ffmpeg makes of a sound, in a file whose name says nothing."""
    given = tone(rate) if pcm is None else pcm
    channels = 1 if given.ndim == 1 else given.shape[1]
    raw = ["-f", "f32le", "-ar", f"{rate}", "-ac", f"{channels}", "-i", "pipe:0"]
    find_ffmpeg().run([*raw, *how, "-y", f"file:{path}"], data=given.astype("<f4").tobytes())
    return path


def similar(got: np.ndarray, rate: int, within: float = 0.08) -> None:
    """The same sound, but for what a lossy codec adds and leaves at its ends."""
    wanted = tone(rate)
    assert abs(len(got) - len(wanted)) <= 0.08 * rate
    middle = slice(rate // 2, rate)
    shifts = range(-2500, 2500)
    part = got[middle]
    start = rate // 2
    errors = [np.abs(wanted[start + s : start + s + len(part)] - part).mean() for s in shifts[::5]]
    assert min(errors) < within


@pytest.mark.parametrize(
    ("form", "subtype", "error"),
    [
        ("WAV", "PCM_16", 1e-4),
        ("WAV", "PCM_24", 1e-6),
        ("WAV", "PCM_U8", 0.01),
        ("WAV", "FLOAT", 1e-7),
        ("WAV", "DOUBLE", 1e-7),
        ("WAV", "ULAW", 0.02),
        ("RF64", "PCM_16", 1e-4),
        ("FLAC", "PCM_16", 1e-4),
        ("AIFF", "PCM_16", 1e-4),
        ("CAF", "PCM_16", 1e-4),
    ],
)
def test_what_keeps_its_samples_is_read_to_the_sample(
    tmp_path: Path, form: str, subtype: str, error: float
) -> None:
    path = tmp_path / "no-name"
    soundfile.write(path, tone(), 44100, subtype, format=form)
    got, rate, seconds = read(path)
    assert (rate, seconds) == (44100, SECONDS)
    assert len(got) == len(tone())
    assert np.abs(got - tone()).max() <= error


@pytest.mark.parametrize(
    ("how", "rate"),
    [
        (["-c:a", "libvorbis", "-f", "ogg"], 44100),
        (["-c:a", "libopus", "-f", "ogg"], 48000),
        (["-c:a", "libmp3lame", "-f", "mp3"], 44100),
        (["-c:a", "aac", "-f", "ipod"], 44100),
        (["-c:a", "aac", "-f", "adts"], 44100),
        (["-c:a", "libopus", "-f", "webm"], 48000),
        (["-c:a", "libopus", "-f", "webm", "-live", "1"], 48000),
        (["-c:a", "libmp3lame", "-f", "wav"], 44100),
    ],
    ids=["vorbis", "opus", "mp3", "m4a", "adts", "webm", "live webm", "mp3 in wav"],
)
def test_every_documented_codec_is_read(tmp_path: Path, how: list[str], rate: int) -> None:
    got, found, _ = read(coded(tmp_path / "sound.txt", *how))
    assert found == rate
    similar(got, rate)


def test_an_mp3_without_an_index_is_read_to_its_end(tmp_path: Path) -> None:
    """Its first frames are large, so its size over their bit rate is a fraction of its length."""
    noise = np.random.default_rng(1).normal(size=44100).clip(-1, 1) * 0.9
    pcm = np.concatenate([noise, np.zeros(20 * 44100)])
    path = coded(tmp_path / "a.mp3", "-q:a", "0", "-write_xing", "0", pcm=pcm)
    got, rate, _ = read(path)
    assert len(got) / rate == pytest.approx(21, abs=0.1)


def test_channels_are_mixed(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.stack([tone(), 0.5 * tone()], 1), 44100)
    assert np.allclose(read(path)[0], 0.75 * tone(), atol=1e-4)


def test_the_centre_of_five_and_one_is_heard_and_nothing_clips(tmp_path: Path) -> None:
    silent, centre = np.zeros(44100), tone(44100, 1.0)
    pcm = np.stack([silent, silent, centre, silent, silent, silent], 1)
    quiet = read(coded(tmp_path / "a.wav", "-f", "wav", pcm=pcm))[0]
    assert 0.1 < np.abs(quiet).max() < 0.5
    loud = read(coded(tmp_path / "b.wav", "-f", "wav", pcm=np.repeat(pcm[:, 2:3] * 2, 6, 1)))[0]
    assert np.abs(loud).max() == pytest.approx(1, abs=0.05)
    assert np.mean(np.abs(loud) > 0.999) < 0.05


@pytest.mark.parametrize(
    ("given", "wanted"), [(192_000, 48_000), (96_000, 48_000), (8000, 8000), (4000, 8000)]
)
def test_rates_are_brought_between_8_and_48_khz(tmp_path: Path, given: int, wanted: int) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(given), given)
    got, rate, seconds = read(path)
    assert rate == wanted
    assert seconds == pytest.approx(SECONDS, abs=0.02)
    assert len(got) == pytest.approx(SECONDS * wanted, abs=wanted * 0.02)
    similar(got, wanted, 0.02)


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF, 0])
def test_a_streamed_wav_is_read_to_its_end_whatever_its_header_says(
    tmp_path: Path, size: int
) -> None:
    head = bytearray(header(16000, None))
    head[4:8] = head[40:44] = struct.pack("<I", size)
    path = tmp_path / "a.wav"
    path.write_bytes(bytes(head) + pcm16(tone(16000)))
    got, rate, _ = read(path)
    assert len(got) == SECONDS * rate
    assert np.abs(got - tone(16000)).max() < 1e-4


def test_what_is_no_number_is_silence_and_too_loud_is_full_scale(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    pcm = np.array([np.nan, np.inf, -np.inf, 3.0, -3.0, 0.25] * 100, np.float32)
    soundfile.write(path, pcm, 8000, "FLOAT")
    assert read(path)[0][:6].tolist() == [0, 1, -1, 1, -1, 0.25]


def test_silence_is_a_sound(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(16000), 16000)
    got, _, _ = read(path)
    assert len(got) == 16000
    assert not got.any()


@pytest.mark.parametrize(
    "how", [["-c:a", "libmp3lame", "-f", "mp3"], ["-c:a", "flac", "-f", "flac"]]
)
def test_of_a_file_that_breaks_off_the_first_part_is_read(tmp_path: Path, how: list[str]) -> None:
    noise = np.random.default_rng(1).normal(size=5 * 44100).astype(np.float32) * 0.1
    path = coded(tmp_path / "a", *how, pcm=noise)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    got, rate, _ = read(path)
    assert 2.0 < len(got) / rate < 3.0


def test_the_sound_of_a_video_and_of_a_song_with_a_cover_is_taken(tmp_path: Path) -> None:
    for seconds, how in ((2.5, []), (0.04, ["-disposition:v", "attached_pic"])):
        video = ["-f", "lavfi", "-i", f"color=red:s=64x64:d={seconds}"]
        codecs = ["-c:v", "mjpeg", "-c:a", "aac", "-map", "0:a", "-map", "1:v"]
        path = coded(tmp_path / "a.mp3", *video, *codecs, *how, "-f", "mp4")
        similar(read(path)[0], 44100)


@pytest.mark.parametrize(
    "content",
    [
        b"not a sound at all " * 100,
        b"#EXTM3U\n#EXTINF:1,\nsecret.wav\n",
        b"ffconcat version 1.0\nfile 'secret.wav'\n",
        b"\xff\xd8\xff\xe0" + bytes(5000),
        header(16000, 0),
        header(16000, 1000),
        b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0" + b"\xff" * 16 + b"data",
    ],
    ids=["text", "hls", "concat", "jpeg", "no samples", "a header", "odd"],
)
def test_what_is_no_sound_is_refused_by_its_name(tmp_path: Path, content: bytes) -> None:
    soundfile.write(tmp_path / "secret.wav", tone(), 44100)
    path = tmp_path / "letter.wav"
    path.write_bytes(content)
    with pytest.raises(UnsupportedMedia, match=r"letter\.wav holds no sound") as refused:
        sound(path, called="letter.wav")
    assert refused.value.field == "audio"


@pytest.mark.parametrize("make", [lambda path: None, Path.mkdir])
def test_what_is_no_file_is_refused_by_its_name(
    tmp_path: Path, make: Callable[[Path], object]
) -> None:
    make(tmp_path / "gone.wav")
    with pytest.raises(BadInput, match=r"gone\.wav") as refused:
        sound(tmp_path / "gone.wav", called="gone.wav")
    assert refused.value.status == 400


def test_too_long_is_known_from_the_header(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, tone(), 44100)
    with pytest.raises(TooLarge, match=r"longer than 2 s"):
        sound(path, limit_s=2)
    sound(path, limit_s=SECONDS).close()


def test_too_long_is_found_where_no_header_says_it(tmp_path: Path) -> None:
    path = coded(tmp_path / "a", "-c:a", "libopus", "-f", "webm", "-live", "1")
    with sound(path, limit_s=2) as file:
        assert file.seconds is None
        with pytest.raises(TooLarge, match=r"longer than 2 s"):
            list(file.blocks(1000))


@pytest.mark.parametrize("form", ["flac", "mp3"])
def test_an_open_file_can_be_removed(tmp_path: Path, form: str) -> None:
    path = coded(tmp_path / "a", "-f", form)
    with sound(path) as file:
        path.unlink()
        assert sum(map(len, file.blocks(777))) == pytest.approx(SECONDS * 44100, abs=4000)


def test_twelve_minutes_are_not_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, np.zeros(12 * 60 * 8000), 8000)
    with sound(path) as file:
        assert sum(map(len, file.blocks(80_000))) == 12 * 60 * 8000


def test_an_empty_file_is_said_to_be_empty(tmp_path: Path) -> None:
    (tmp_path / "letter.wav").touch()
    with pytest.raises(UnsupportedMedia, match=r"^letter\.wav is empty$") as refused:
        sound(tmp_path / "letter.wav", called="letter.wav")
    assert refused.value.field == "audio"


def test_an_m4a_without_its_end_is_said_to_be_cut_off(tmp_path: Path) -> None:
    path = coded(tmp_path / "a", "-c:a", "aac", "-f", "ipod")
    path.write_bytes(path.read_bytes()[:10_000])
    with pytest.raises(UnsupportedMedia, match=r"^a\.m4a is cut off: its index") as refused:
        sound(path, called="a.m4a")
    assert refused.value.field == "audio"


def test_a_failure_closes_no_descriptor_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """libsndfile may have closed its own; somebody else may have that number by then."""
    real, others = soundfile.SoundFile, []

    def opened(*of: object, **how: object) -> soundfile.SoundFile:
        try:
            return real(*of, **how)  # type: ignore[arg-type]
        except Exception:
            others.append(os.open(tmp_path, os.O_RDONLY))
            raise

    monkeypatch.setattr(soundfile, "SoundFile", opened)
    path = tmp_path / "sound"
    path.write_bytes(bytes(range(256)) * 100)
    with pytest.raises(UnsupportedMedia):
        sound(path)
    (other,) = others
    assert os.fstat(other)
    os.close(other)
