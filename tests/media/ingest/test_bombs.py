"""Small files that ask for much, each in a process of its own: what it takes is bounded."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from app_core.config import ROOT
from app_core.errors import UnsupportedMedia
from app_core.media.ffmpeg import find_ffmpeg
from app_core.media.ingest.probe import sniff
from app_core.media.sound_file import SoundFile

_READ = """
import json, resource, sys
from pathlib import Path
from app_core.errors import SoyleError
from app_core.media.ingest.limits import IngestLimits
from app_core.media.ingest.photo import read_photo
from app_core.media.ingest.probe import sniff
from PIL import Image
Image.init()
found, before = {}, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for name in sys.argv[1:]:
    path = Path(name)
    try:
        said = list(read_photo(path, sniff(path).format, IngestLimits()).shape)
    except SoyleError as error:
        said = type(error).__name__
    found[path.name] = said
found["MiB"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
print(json.dumps(found))
"""


def chunk(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check


def png(*more: bytes) -> bytes:
    """256x256 grey pixels and other chunks before them."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 256, 256, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress((b"\0" + b"\x80" * 256) * 256))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + pixels + chunk(b"IEND", b"")


def test_text_profiles_and_frames_that_nobody_needs(tmp_path: Path) -> None:
    """Of 200 MiB that unpack from 200 kB, and of 400 pictures where one is taken."""
    packed = zlib.compress(bytes(200 << 20), 9)
    files = {
        "ztxt.png": png(chunk(b"zTXt", b"Comment\0\0" + packed)),
        "itxt.png": png(chunk(b"iTXt", b"Comment\0\1\0\0\0" + packed)),
        "iccp.png": png(chunk(b"iCCP", b"p\0\0" + packed)),
        "many.png": png(*[chunk(b"zTXt", b"C\0\0" + zlib.compress(bytes(1 << 20)))] * 200),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    first, *others = (Image.new("RGB", (256, 256), (n % 256, n, 7)) for n in range(400))
    for name in ("moving.webp", "moving.png"):
        first.save(tmp_path / name, save_all=True, append_images=others, duration=20)
    paths = sorted(map(str, tmp_path.iterdir()))
    done = subprocess.run(
        [sys.executable, "-c", _READ, *paths],
        capture_output=True,
        timeout=120,
        cwd=ROOT,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found.pop("MiB") < 160
    assert found == {
        **dict.fromkeys(files, "BadInput"),
        **dict.fromkeys(("moving.webp", "moving.png"), [256, 256, 3]),
    }


@pytest.mark.parametrize(
    "head", [b'<svg xmlns="http://www.w3.org/2000/svg"/>', b"GIF89a\1\0\1\0", b"\0\0\0 ftypavif"]
)
def test_pictures_that_no_decoder_gets(head: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(head + bytes(64))
    with pytest.raises(UnsupportedMedia):
        sniff(tmp_path / "a.png")


def header(channels: int, rate: int, size: int) -> bytes:
    """Of a WAV file that says that it has ``size`` bytes."""
    step = 2 * channels
    form = struct.pack("<IHHIIHH", 16, 1, channels, rate, rate * step, step, 16)
    told = struct.pack("<I", min(size, 0xFFFFFFF0))
    return b"RIFF" + told + b"WAVEfmt " + form + b"data" + told


def many_channels(path: Path) -> None:
    path.write_bytes(header(64, 16_000, 64 * 32_000) + bytes(64 * 32_000))


def many_samples(path: Path) -> None:
    path.write_bytes(header(2, 768_000, 4 * 768_000) + bytes(4 * 768_000))


def four_gibibytes(path: Path) -> None:
    path.write_bytes(header(1, 16_000, 1 << 32) + bytes(32_000))


def half_an_hour(path: Path) -> None:
    """In 20 kB."""
    soundfile.write(path, np.zeros(8000 * 1860, np.int16), 8000, format="FLAC")


def test_a_sound_of_too_many_channels_is_refused(tmp_path: Path) -> None:
    many_channels(tmp_path / "a.wav")
    with pytest.raises(UnsupportedMedia, match="no sound that can be read"):
        SoundFile(tmp_path / "a.wav", find_ffmpeg)


@pytest.mark.parametrize(
    ("make", "seconds"),
    [(many_samples, 1.0), (four_gibibytes, 1.0), (half_an_hour, 1860.0)],
)
def test_a_sound_is_read_a_block_at_a_time(
    make: Callable[[Path], None], seconds: float, tmp_path: Path
) -> None:
    make(tmp_path / "a.wav")
    longest = heard = 0
    with SoundFile(tmp_path / "a.wav", find_ffmpeg) as sound:
        for block in sound.blocks(8000):
            longest, heard = max(longest, len(block)), heard + len(block)
        assert sound.sample_rate <= 48_000
        assert heard / sound.sample_rate == pytest.approx(seconds, rel=0.02)
    assert longest == 8000
