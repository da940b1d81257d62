"""Small videos with known pictures, and the ffmpeg processes that read and write them."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from app_core.face.track import cycle_track, save_track
from app_core.media.ffmpeg import find_ffmpeg
from tests.below import children_of
from tests.faces import FOLDER, aigul

WIDTH, HEIGHT, PICTURES, FPS = 128, 96, 50, 25
TAGS = ["-color_range", "tv", "-colorspace", "smpte170m"]
TAGS += ["-color_primaries", "smpte170m", "-color_trc", "smpte170m"]


def luma(index: int) -> int:
    """Of the corner of a clip's picture: its number can be read from it."""
    return 40 + 3 * (index % PICTURES)


def pixels(index: int) -> np.ndarray:
    """(HEIGHT * 3 / 2, WIDTH) planar: the number as luma, with a texture in the middle."""
    picture = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
    picture[:HEIGHT] = luma(index)
    noise = np.random.default_rng(index).integers(100, 180, (HEIGHT // 2, WIDTH // 2))
    picture[HEIGHT // 4 : HEIGHT * 3 // 4, WIDTH // 4 : WIDTH * 3 // 4] = noise
    return picture


def make_clip(path: Path, pictures: int = PICTURES, fps: int = FPS) -> Path:
    """Coded without loss, with B-frames and a key frame each second."""
    path.write_bytes(_coded(pictures, fps))
    return path


@cache
def _coded(pictures: int, fps: int) -> bytes:
    raw = ["-f", "rawvideo", "-pixel_format", "yuv420p", "-video_size", f"{WIDTH}x{HEIGHT}"]
    coded = ["-c:v", "libx264", "-preset", "medium", "-qp", "0", "-g", "25", *TAGS]
    data = b"".join(pixels(index).tobytes() for index in range(pictures))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        given = ["-framerate", f"{fps}", *TAGS, "-i", "pipe:0"]
        find_ffmpeg().run([*raw, *given, *coded, f"file:{path}"], data=data)
        return path.read_bytes()


def make_track(
    path: Path, pictures: int = PICTURES, faceless: tuple[int, ...] = (), fps: float = FPS
) -> Path:
    still = aigul((WIDTH, HEIGHT)).track
    boxes, landmarks = still.boxes.repeat(pictures, 0), still.landmarks.repeat(pictures, 0)
    boxes[list(faceless)] = np.nan
    landmarks[list(faceless)] = np.nan
    save_track(path, cycle_track(boxes, landmarks, fps))
    return path


def make_avatar(folder: Path, faceless: tuple[int, ...] = (), fps: int = FPS) -> Path:
    """An avatar ``clip`` with a still and a clip, in a folder of avatars, which is returned."""
    home = folder / "clip"
    home.mkdir(parents=True)
    for name in ("avatar.toml", "still.png", "track.npz"):
        shutil.copy(FOLDER / "aigul" / name, home / name)
    make_clip(home / "loop.mp4", fps=fps)
    make_track(home / "loop.npz", faceless=faceless, fps=fps)
    return folder


def children(word: str = "ffmpeg") -> list[int]:
    """Processes of this one whose command line has ``word``."""
    found = []
    for pid in children_of("self"):
        with contextlib.suppress(OSError):
            if word in Path(f"/proc/{pid}/cmdline").read_text():
                found.append(pid)
    return found
