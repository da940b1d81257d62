"""Uploads made for tests: clips whose pictures carry their number, and a finder of blue faces."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from app_core.face.detection import FaceDetection, Point, apart, by_size, middle
from app_core.media.ffmpeg import find_ffmpeg
from app_core.types import Picture, UInt8
from tests.faces import aigul

WIDTH, HEIGHT = 160, 96
_BITS = 10
TAGS = ["-color_range", "tv", "-colorspace", "smpte170m"]
TAGS += ["-color_primaries", "smpte170m", "-color_trc", "smpte170m"]
LOSSLESS = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "0"]
FINE = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "8"]


def mark(index: int, width: int = WIDTH, height: int = HEIGHT) -> UInt8:
    """Planar YUV (height * 3 / 2, width), grey; its number stands in bits along its top."""
    data = np.full((height * 3 // 2, width), 128, np.uint8)
    for bit in range(_BITS):
        left, right = bit * width // _BITS, (bit + 1) * width // _BITS
        data[: height // 4, left:right] = 220 if index >> bit & 1 else 30
    return data


def number(luma: UInt8) -> int:
    """What ``mark`` wrote into an upright picture of any size."""
    height, width = luma.shape
    row = luma[height // 8]
    cells = [int(row[int((bit + 0.5) * width / _BITS)]) for bit in range(_BITS)]
    assert all(cell < 90 or cell > 160 for cell in cells), f"no number is here: {cells}"
    return sum(1 << bit for bit, cell in enumerate(cells) if cell > 125)


def with_face(data: UInt8, left: int, top: int, side: int) -> UInt8:
    """A dark blue square on the planar picture, even edges."""
    width = data.shape[1]
    height = data.shape[0] * 2 // 3
    data[top : top + side, left : left + side] = 70
    blue = data[height : height * 5 // 4].reshape(height // 2, width // 2)
    blue[top // 2 : (top + side) // 2, left // 2 : (left + side) // 2] = 230
    return data


def clip(
    path: Path,
    pictures: Iterable[UInt8],
    *,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    fps: float = 25,
    form: str = "yuv420p",
    given: Sequence[str] = TAGS,
    coded: Sequence[str] = (*LOSSLESS, *TAGS),
) -> Path:
    """Raw pictures of ``form`` to a file; ``given`` describes them, ``coded`` the file."""
    raw = ["-f", "rawvideo", "-pixel_format", form, "-video_size", f"{size[0]}x{size[1]}"]
    data = b"".join(np.ascontiguousarray(picture).tobytes() for picture in pictures)
    source = ["-framerate", f"{fps}", *given, "-i", "pipe:0"]
    find_ffmpeg().run([*raw, *source, *coded, "-y", f"file:{path}"], data=data)
    return path


def marked(path: Path, pictures: int = 40, **how: object) -> Path:
    return clip(path, (mark(index) for index in range(pictures)), **how)  # type: ignore[arg-type]


def turned(path: Path, source: Path, degrees: int) -> Path:
    """The same MOV, to be shown turned anticlockwise: another matrix in its track's header."""
    data = bytearray(source.read_bytes())
    at = data.index(b"tkhd") + 44  # ISO/IEC 14496-12, 8.3.2: of version 0
    cos, sin = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    one = 1 << 16
    data[at : at + 20] = struct.pack(">5i", cos * one, -sin * one, 0, sin * one, cos * one)
    path.write_bytes(data)
    return path


def decoded(path: Path, size: tuple[int, int] = (WIDTH, HEIGHT)) -> list[UInt8]:
    """The luma of every picture of a file."""
    raw = ["-i", f"file:{path}", "-pix_fmt", "yuv420p", "-f", "rawvideo", "pipe:1"]
    data = np.frombuffer(find_ffmpeg().run(["-noautorotate", *raw]), np.uint8)
    return list(data.reshape(-1, size[1] * 3 // 2, size[0])[:, : size[1]])


class BlueFinder:
    """Finds blue squares; their points are those of the drawn avatar, put into the square."""

    sees_turned = True

    def __init__(self, name: str = "blue") -> None:
        self.name = name
        self.asked = self.followed = 0
        """Pictures looked at alone, and those of clips in order."""
        self.near: Point | None = None
        self.cut, self.disowned = False, 0
        track = aigul((256, 256)).track
        corner, far = track.boxes[0, :2], track.boxes[0, 2:]
        self._points = (track.landmarks[0] - corner) / (far - corner)

    def photo(self, rgb: UInt8) -> FaceDetection | None:
        return next(iter(self.faces(rgb)), None)

    def faces(self, rgb: UInt8) -> list[FaceDetection]:
        self.asked += 1
        deep = rgb.astype(int)
        blue = (deep[..., 2] > 180) & (deep[..., 0] < 110) & (deep[..., 1] < 190)
        return self._sightings(blue, 1)

    def tracker(self, near: Point | None = None) -> BlueFinder:
        self.near = near
        return self

    def next(self, picture: Picture) -> FaceDetection | None:
        self.followed += 1
        faces = self._sightings(picture.u > 180, 2)
        if self.near is not None:
            faces.sort(key=lambda face: apart(middle(face.box), self.near or (0, 0)))
        return next(iter(faces), None)

    def _sightings(self, blue: np.ndarray, step: int) -> list[FaceDetection]:
        """The largest first."""
        count, labels = cv2.connectedComponents(blue.astype(np.uint8))
        each = (self._sighting(labels == label, step) for label in range(1, count))
        return by_size(seen for seen in each if seen is not None)

    def _sighting(self, blue: np.ndarray, step: int) -> FaceDetection | None:
        rows, columns = np.flatnonzero(blue.any(1)), np.flatnonzero(blue.any(0))
        if len(rows) < 4 or len(columns) < 4:
            return None
        box = np.float32([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]) * step
        landmarks = box[:2] + self._points * (box[2:] - box[:2])
        return FaceDetection(landmarks.astype(np.float32), box, 0.0, 0.0, 1.0)
