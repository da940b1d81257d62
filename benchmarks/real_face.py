"""How well a mouth that moves sits in a face: seam, slide and flicker.

python -m benchmarks.real_face AVATAR_FOLDER [--text ... --language ru] [--pictures 200]
python -m benchmarks.real_face CLIP_OR_PICTURE --track TRACK.npz [--size 720x720]

The ring is the skin round the mouth, from just outside the lips to where nothing moves any more.
Seam: brightness and gradient of the ring in speech, against the source's own. Slide: how far the
closed mouth wanders from the nose, against the source's mouth, in face widths; and how far its
pixels are from where they should be. Flicker: change from picture to picture in the ring.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from app_core.avatars.library import AvatarLibrary
from app_core.avatars.still_plate import StillPlate, read_still
from app_core.config import Config
from app_core.face.track import load_track
from app_core.landmarks import POINTS
from app_core.lipsync.viseme.model import VisemeModel
from app_core.media.decoder import ClipFootage
from app_core.media.ffmpeg import find_ffmpeg
from app_core.speech.speaker import Speaker
from app_core.speech.voices.espeak import EspeakVoice
from app_core.types import Mouth
from benchmarks.table import end, show
from benchmarks.texts import TEXTS

if TYPE_CHECKING:
    from app_core.lipsync.model import Plate
    from app_core.lipsync.viseme.model import Face
    from app_core.lipsync.viseme.pose import Pose
    from app_core.media.ffmpeg import Ffmpeg
    from app_core.types import Float32, Picture, UInt8

FPS = 25
SEALED = np.array([0.06, 0, 0, 0, 1, 0, 0, 0], np.float32)
_EYES_IN_FACE = 0.66
"""Distance of the outer corners of the eyes, in face widths."""


def open_plate(source: Path, track: Path | None, size: tuple[int, int] | None) -> Plate:
    library = AvatarLibrary(source.parent, footage=ClipFootage(_ffmpeg))
    if source.is_dir():
        avatar = library.at(source)
        return library.plate(avatar, size, static=avatar.clip is None)
    points = track or source.with_suffix(".npz")
    picture = cv2.imread(str(source))
    if picture is None:
        return library.plate(library.video(source), size, static=False)
    high, wide = picture.shape[:2]
    still, moved = read_still(source, load_track(points), size or (wide // 2 * 2, high // 2 * 2))
    return StillPlate(still, moved, (1.0, 1.0), lively=True)


def _ffmpeg() -> Ffmpeg:
    return find_ffmpeg(Config.from_env().ffmpeg)


def ring(shape: tuple[int, ...], pose: Pose, landmarks: Float32) -> np.ndarray:
    """(height, width): the skin round the mouth of one picture."""
    lips = np.concatenate(
        [landmarks[POINTS["lip_upper_outer"]], landmarks[POINTS["lip_lower_outer"]][::-1]]
    )
    middle = lips.mean(0)
    chin = float(np.hypot(*(landmarks[POINTS["chin"]][0] - middle)))
    mask = np.zeros(shape, np.uint8)
    outside = middle + (lips - middle) * 1.8
    cv2.fillPoly(mask, [np.round(outside).astype(np.int32)], 1)
    drop = np.array([-pose.sin, pose.cos]) * 0.3 * chin
    cv2.fillPoly(mask, [np.round(outside + drop).astype(np.int32)], 1)
    inside = middle + (lips - middle) * 1.2
    cv2.fillPoly(mask, [np.round(inside).astype(np.int32)], 0)
    opened = inside + drop
    cv2.fillPoly(mask, [np.round(opened).astype(np.int32)], 0)
    return mask.astype(bool)


def gradient(luma: UInt8) -> np.ndarray:
    smooth = cv2.GaussianBlur(luma.astype(np.float32), (0, 0), 1.0)
    return np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)) / 8


def speech(text: str, language: str) -> Float32:
    """(frames, 8)"""
    stream = VisemeModel().features(FPS)
    pieces = [stream.push(piece) for piece in Speaker.alone(EspeakVoice(), language).speak(text)]
    return np.concatenate([*pieces, stream.finish()])


def wander(points: Float32, corners: Float32) -> float:
    """How far the middle of mouth corners (n, 2, 2) strays from the nose of landmarks
    (n, POINT_COUNT, 2), RMS in face widths, after what the head's own turns explain."""
    left = points[:, POINTS["eye_left_upper"].start].astype(float)
    right = points[:, POINTS["eye_right_upper"].stop - 1].astype(float)
    across = (right - left) @ np.array([1, 1j])
    nose = points[:, POINTS["nose_base"].start] @ np.array([1, 1j])
    between = ((left + right) / 2) @ np.array([1, 1j])
    mouth = (corners.mean(1) @ np.array([1, 1j]) - nose) / across
    turn = (nose - between) / across
    known = np.stack([np.ones(len(turn)), turn.real, turn.imag], 1)
    rest = mouth - known @ np.linalg.lstsq(known, mouth, rcond=None)[0]
    return float(np.sqrt((np.abs(rest) ** 2).mean()) * _EYES_IN_FACE)


def slip(before: UInt8, after: UInt8, here: Float32, there: Float32) -> float:
    """How far pixels at ``here`` (n, 2) of one picture are in the next from ``there``, pixels."""
    flow, found, _ = cv2.calcOpticalFlowPyrLK(
        before, after, here - 0.5, there - np.float32(0.5), winSize=(25, 25), flags=4
    )
    seen = found[:, 0] > 0
    off = np.linalg.norm(flow[seen] + 0.5 - there[seen], axis=1)
    return float(off.mean()) if len(off) else 0.0


def corners_of(face: Face, index: int) -> Float32:
    """The closed mouth's corners, as drawn, (2, 2)."""
    lip = face.neutral[index, POINTS["lip_upper_outer"]]
    return np.stack([lip[0], lip[-1]])


def measure(plate: Plate, text: str, language: str, pictures: int) -> dict[str, float]:
    model = VisemeModel()
    model.warm_up()
    face = model.open(plate)
    moving = speech(text, language)
    frame_source = plate.frame_source()
    rows: list[list[float]] = []
    places, own, points = [], [], []
    last: tuple[Picture, Picture, np.ndarray, Float32] | None = None
    for index in range(min(pictures, len(plate.track.boxes))):
        source, pose = frame_source.picture(index), face.poses[index]
        if pose is None:
            last = None
            continue
        landmarks = plate.track.landmarks[index]
        tracks = np.clip(moving[index % len(moving)], [0, 0, -1, 0, 0, 0, 0, 0], 1)
        spoken = model.apply(face, source, Mouth(index, index, tracks.astype(np.float32)))
        closed = model.apply(face, source, Mouth(index, index, SEALED))
        around = ring(source.y.shape, pose, landmarks)
        light = float(source.y[around].mean())
        corners = corners_of(face, index)
        row = [
            abs(float(spoken.y[around].mean()) / light - 1),
            float(gradient(spoken.y)[around].mean() / gradient(source.y)[around].mean()),
        ]
        if last is not None:
            before, drawn_before, was_around, were = last
            both = around & was_around
            row += [
                float(np.abs(source.y[both].astype(int) - before.y[both]).mean()),
                float(np.abs(closed.y[both].astype(int) - drawn_before.y[both]).mean()),
                slip(drawn_before.y, closed.y, were, corners),
            ]
            rows.append(row)
        last = source, closed, around, corners
        places.append(corners)
        lip = landmarks[POINTS["lip_upper_outer"]]
        own.append(np.stack([lip[0], lip[-1]]))
        points.append(landmarks)
    frame_source.close()
    if not rows:
        raise SystemExit("there are no two pictures with a face in a row")
    table, found = np.array(rows), np.stack(points)
    eyes = found[:, POINTS["eye_right_upper"].stop - 1] - found[:, POINTS["eye_left_upper"].start]
    width = float(np.linalg.norm(eyes, axis=1).mean()) / _EYES_IN_FACE
    return {
        "pictures": len(places),
        "face_width_px": width,
        "brightness_off_percent": 100 * float(table[:, 0].mean()),
        "brightness_off_worst_percent": 100 * float(np.percentile(table[:, 0], 95)),
        "gradient_ratio": float(table[:, 1].mean()),
        "gradient_ratio_worst": float(np.percentile(table[:, 1], 95)),
        "wander_source_percent": 100 * wander(found, np.stack(own)),
        "wander_drawn_percent": 100 * wander(found, np.stack(places)),
        "slip_percent": 100 * float(table[:, 4].mean()) / width,
        "flicker_source": float(table[:, 2].mean()),
        "flicker_drawn": float(table[:, 3].mean()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="an avatar's folder, a clip or a picture")
    parser.add_argument("--track", type=Path, help="the face track; none: beside the source")
    parser.add_argument("--size", default="auto", help="WIDTHxHEIGHT, or auto for its own")
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--language", default="ru")
    parser.add_argument("--text", default="")
    asked = parser.parse_args()
    size = None
    if asked.size != "auto":
        width, height = (int(side) for side in asked.size.split("x"))
        size = width, height
    plate = open_plate(asked.source, asked.track, size)
    text = asked.text or TEXTS[asked.language]
    figures = measure(plate, text, asked.language, asked.pictures)
    show(
        f"A speaking mouth in {asked.source.name}, {plate.width}x{plate.height}",
        ["measure", "value"],
        [[name.replace("_", " "), float(value)] for name, value in figures.items()],
    )
    rounded = {name: round(value, 4) for name, value in figures.items()}
    end("real_face", {"source": asked.source.name, **rounded})


if __name__ == "__main__":
    main()
