"""Core milliseconds that each step of a frame takes.

python -m benchmarks.render [--frames 100] [--avatar aigul]
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app_core.avatars.library import AvatarLibrary
from app_core.config import Config
from app_core.lipsync.model import ModelOptions
from app_core.lipsync.registry import open_model
from app_core.media.ffmpeg import find_ffmpeg
from app_core.media.jpeg import encode
from app_core.outputs.mp4 import start_mp4
from app_core.outputs.output import Format
from app_core.pipeline.plan import Plan
from app_core.request import Encoding
from app_core.speech.speaker import Speaker
from app_core.speech.voices.espeak import EspeakVoice
from app_core.types import Frame, Mouth, MouthTask, Picture, Speech, frame_count
from benchmarks.table import end, show
from benchmarks.texts import TEXTS

if TYPE_CHECKING:
    from app_core.lipsync.model import LipsyncModel, Plate

FPS = 25
SIZES = [(512, 512), (720, 720), (1080, 1920)]

# Core milliseconds of the first sketch of this engine, by size.
SKETCH = {"warp": [6.0, 9.0, 20.6], "jpeg": [0.7, 1.4, 5.4]}


def x264_ms(pictures: list[Picture]) -> float:
    """Of ffmpeg with libx264 at veryfast and AAC, for each frame of a file."""
    size, rate = (pictures[0].width, pictures[0].height), 22050
    silence = np.zeros(rate // FPS, np.float32)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out.mp4"
        ffmpeg = find_ffmpeg(Config.from_env().ffmpeg)
        with start_mp4(path, Format(*size, FPS, rate), Encoding(), ffmpeg) as writer:
            for index, picture in enumerate(pictures):
                writer.write(Frame(index, index / FPS, picture, silence))
            writer.finish()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return spent / len(pictures) * 1000


def speech_ms(voice: EspeakVoice) -> tuple[float, list[Speech]]:
    """For each frame that the speech lasts."""
    began = time.thread_time()
    speeches = list(Speaker.alone(voice, "ru").speak(TEXTS["ru"]))
    spent = time.thread_time() - began
    return spent * 1000 / frame_count(samples(speeches), voice.sample_rate, FPS), speeches


def samples(speeches: list[Speech]) -> int:
    return sum(len(speech.pcm) for speech in speeches)


def articulation_ms(plan: Plan, speeches: list[Speech]) -> tuple[float, list[MouthTask]]:
    began = time.thread_time()
    tasks = [task for speech in speeches for task in plan.add(speech)] + plan.finish()
    return (time.thread_time() - began) * 1000 / len(tasks), tasks


def picture_ms(
    model: LipsyncModel, face: Any, plate: Plate, mouths: list[Mouth], quality: int
) -> tuple[float, float, list[Picture]]:
    """The warp and the JPEG, medians, and the pictures."""
    warp, jpeg, drawn = [], [], []
    for mouth in mouths:
        source = plate.picture(mouth.picture)
        began = time.thread_time()
        picture = model.apply(face, source, mouth)
        warped = time.thread_time()
        encode(picture, quality)
        jpeg.append(time.thread_time() - warped)
        warp.append(warped - began)
        drawn.append(picture)
    return float(np.median(warp)) * 1000, float(np.median(jpeg)) * 1000, drawn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=100, help="frames for each size")
    parser.add_argument("--avatar", default="", help="an avatar's id; none: the default")
    chosen = parser.parse_args()
    config = Config.from_env()
    library = AvatarLibrary(config.avatar_dir)
    avatar = library.get(chosen.avatar or config.avatar)
    model = open_model(config.model, ModelOptions(config.models_dir)).model
    voice = EspeakVoice()
    speech_ms(voice)
    speech, speeches = speech_ms(voice)

    rows: list[list[object]] = []
    figures: dict[str, dict[str, float]] = {}
    articulation = 0.0
    for place, (width, height) in enumerate(SIZES):
        plate = library.plate(avatar, (width, height))
        face = model.open(plate)
        plan = Plan("render", FPS, plate, face, model.features(FPS))
        articulation, tasks = articulation_ms(plan, speeches)
        mouths = model.draw(tasks[: chosen.frames])
        warp, jpeg, drawn = picture_ms(model, face, plate, mouths, config.jpeg_quality)
        costs = {"warp": warp, "jpeg": jpeg, "x264": x264_ms(drawn)}
        for step, cost in costs.items():
            sketch = SKETCH[step][place] if step in SKETCH else None
            rows.append([f"{step} {width}x{height}", sketch, cost])
        figures[f"{width}x{height}"] = {step: round(cost, 3) for step, cost in costs.items()}
    rows[:0] = [["speech (espeak)", None, speech], ["articulation", None, articulation]]
    show(
        f"Core milliseconds a frame ({model.name}, JPEG quality {config.jpeg_quality}, "
        "libx264 veryfast with AAC); beside it the sketch of the engine",
        ["step", "sketch", "here"],
        rows,
    )
    head = {"speech": round(speech, 4), "articulation": round(articulation, 4)}
    end("render", {"frames": chosen.frames, **head, **figures})


if __name__ == "__main__":
    main()
