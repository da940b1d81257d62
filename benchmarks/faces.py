"""Faces in your own photos and clips: how many, how fast, how steady, how late.

python -m benchmarks.faces FILE... [--pictures 50] [--noise 5]

A photo is shown again and again with noise like a sensor's, and then panned; a clip is followed
from its first picture to its last. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from app_core.config import Config
from app_core.face.finder import find_finder
from app_core.face.tracking import follow
from app_core.landmarks import POINTS
from app_core.media.decoder import ClipDecoder, measure_clip
from app_core.media.ffmpeg import find_ffmpeg
from app_core.picture import from_bgr
from benchmarks.table import end, show

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app_core.face.finder import FaceFinder
    from app_core.media.ffmpeg import Ffmpeg
    from app_core.types import Float32, Picture, UInt8

FPS = 25.0
SPEEDS = (0.25, 1.0)
"""Of the pans, face widths a second."""
_SETTLE = 10
"""Pictures at each end that are left out."""
_MOUTH = slice(POINTS["lip_upper_outer"].start, POINTS["lip_lower_outer"].stop)


def noisy(bgr: UInt8, sigma: float, random: np.random.Generator) -> Picture:
    grains = random.normal(0, sigma, bgr.shape)
    return from_bgr(np.clip(bgr + grains, 0, 255).round().astype(np.uint8))


def panned(bgr: UInt8, right: float) -> UInt8:
    """Moved by a part of a pixel too."""
    by = np.array([[1, 0, right], [0, 1, 0]], np.float64)
    size = bgr.shape[1::-1]
    moved = cv2.warpAffine(bgr, by, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def raw_landmarks(finder: FaceFinder, pictures: Iterator[Picture]) -> Float32:
    """Before smoothing; NaN where there is no face."""
    tracker = finder.tracker()
    rows = []
    for picture in pictures:
        seen = tracker.next(picture)
        rows.append(np.full((_MOUTH.stop, 2), np.nan) if seen is None else seen.landmarks[_MOUTH])
    return np.stack(rows)[:, -(_MOUTH.stop - _MOUTH.start) :].astype(np.float32)


def spread(points: Float32) -> float:
    """RMS distance of each point from its own mean."""
    steady = points[_SETTLE:]
    return float(np.sqrt((np.linalg.norm(steady - steady.mean(0), axis=-1) ** 2).mean()))


def tremble(points: Float32) -> float:
    """RMS of what three pictures in a row do not share with a straight line."""
    bend = points[1:-1] - (points[:-2] + points[2:]) / 2
    return float(np.sqrt(np.nanmean(np.sum(bend**2, -1))))


def photo(finder: FaceFinder, path: Path, count: int, sigma: float) -> dict[str, Any]:
    pixels = cv2.imread(str(path))
    assert pixels is not None
    bgr = np.asarray(pixels[: pixels.shape[0] // 2 * 2, : pixels.shape[1] // 2 * 2], np.uint8)
    rgb = np.ascontiguousarray(bgr[..., ::-1])
    finder.photo(rgb)
    start = time.perf_counter()
    seen = finder.photo(rgb)
    spent = (time.perf_counter() - start) * 1e3
    found: dict[str, Any] = {"file": path.stem[:24], "seen": int(seen is not None), "of": 1}
    found["ms"] = spent
    if seen is None:
        return found
    wide = float(seen.box[2] - seen.box[0])
    random = np.random.default_rng(7)
    shown = [noisy(bgr, sigma, random) for _ in range(count)]
    track = follow(finder, iter(shown), FPS).track
    found["jitter_raw"] = 100 * spread(raw_landmarks(finder, iter(shown))) / wide
    found["jitter"] = 100 * spread(track.landmarks[:, _MOUTH]) / wide
    for speed in SPEEDS:
        step = speed * wide / FPS
        steps = int(min(count, 0.6 * wide / step))
        moved = [noisy(panned(bgr, step * i), sigma, random) for i in range(steps)]
        smooth = follow(finder, iter(moved), FPS).track.landmarks[:, _MOUTH]
        behind = (raw_landmarks(finder, iter(moved)) - smooth)[3:-3, :, 0].mean()
        found[f"lag_{speed}"] = float(behind) / step
    return found


def clip(finder: FaceFinder, path: Path, ffmpeg: Ffmpeg) -> dict[str, Any]:
    shape = measure_clip(ffmpeg, path)
    size = (shape.width // 2 * 2, shape.height // 2 * 2)

    def pictures() -> Iterator[Picture]:
        with ClipDecoder(ffmpeg, path, shape.whole, size) as decoder:
            for _ in range(shape.pictures):
                yield decoder.read()

    start = time.perf_counter()
    for _ in pictures():
        pass
    decoding = time.perf_counter() - start
    start = time.perf_counter()
    following = follow(finder, pictures(), shape.fps)
    spent = time.perf_counter() - start
    found: dict[str, Any] = {
        "file": path.stem[:24],
        "seen": following.seen,
        "of": following.pictures,
    }
    found["ms"] = spent * 1e3 / following.pictures
    found["decode_ms"] = decoding * 1e3 / following.pictures
    if following.seen:
        track = following.track
        wide = float(np.nanmedian(track.boxes[:, 2] - track.boxes[:, 0]))
        found["tremble_raw"] = 100 * tremble(raw_landmarks(finder, pictures())) / wide
        found["tremble"] = 100 * tremble(track.landmarks[:, _MOUTH]) / wide
        found["strength"] = float(track.strength.mean())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--pictures", type=int, default=50, help="of a photo, with noise")
    parser.add_argument("--noise", type=float, default=5.0, help="its sigma, of 255")
    args = parser.parse_args()
    config = Config.from_env()
    finder = find_finder(config.models_dir)
    ffmpeg = find_ffmpeg(config.ffmpeg)
    rows = [
        photo(finder, path, args.pictures, args.noise)
        if path.suffix.lower() in {".png", ".jpg", ".jpeg", ".webp", ".bmp"}
        else clip(finder, path, ffmpeg)
        for path in args.files
    ]
    names = list(dict.fromkeys(name for row in rows for name in row))
    print(f"finder: {finder.name}; ms: of a picture; jitter and tremble: of the lips, RMS, in % of")
    print("the face's width, raw and smoothed; lag: pictures, at so many face widths a second")
    show("Faces", names, [[_shown(row.get(name)) for name in names] for row in rows])
    end("faces", {"finder": finder.name, "rows": rows})


def _shown(value: object) -> object:
    return f"{value:.3f}" if isinstance(value, float) else value


if __name__ == "__main__":
    main()
