"""Milliseconds of a core for a second of a session, of each part measured alone.

What the threads of a server spend is to be read beside it: the rest is theirs.
"""

from __future__ import annotations

import time

import numpy as np

from app_core.avatars.library import AvatarLibrary
from app_core.config import Config
from app_core.lipsync.model import ModelOptions
from app_core.lipsync.registry import open_model
from app_core.outputs.live.encoders import open_encoder
from app_core.outputs.live.live_frame import SAMPLE_RATE, LiveFrame
from app_core.pipeline.plan import Plan
from app_core.sessions.scene import Scene
from app_core.speech.voices.espeak import EspeakVoice
from app_core.types import Picture, first_sample
from benchmarks.render import articulation_ms, speech_ms

FPS = 25
FRAMES = 10 * FPS


def costs_ms(size: tuple[int, int], codecs: tuple[str, ...]) -> dict[str, float]:
    """``speech`` with its features, ``compose`` (the mouth on the picture) and each codec."""
    config = Config.from_env()
    library = AvatarLibrary(config.avatar_dir)
    plate = library.plate(library.get(config.avatar), size)
    model = open_model(config.model, ModelOptions(config.models_dir)).model
    face, voice = model.open(plate), EspeakVoice()
    speech_ms(voice)  # the first loads what it needs
    spoken, speeches = speech_ms(voice)
    planned, tasks = articulation_ms(Plan("alone", FPS, plate, face, model.features(FPS)), speeches)
    scene = Scene(config.avatar, plate, face, model, FPS)
    mouths = model.draw(tasks[:FRAMES])
    pictures = [scene.picture(mouth) for mouth in mouths]
    # Again without keeping any, as a session does: fresh memory costs as much as the drawing.
    began_s = time.thread_time()
    for mouth in mouths:
        scene.picture(mouth)
    composed_s = time.thread_time() - began_s
    scene.close()
    costs = {
        "speech": (spoken + planned) * FPS,
        "compose": composed_s * 1000 * FPS / len(mouths),
    }
    pcm = np.concatenate([speech.pcm for speech in speeches])
    seconds = np.arange(len(pictures) * SAMPLE_RATE // FPS) / SAMPLE_RATE
    sound = np.interp(seconds * voice.sample_rate, np.arange(len(pcm)), pcm).astype(np.float32)
    for codec in codecs:
        costs[codec] = encode_ms(codec, pictures, sound, config.jpeg_quality)
    return costs


def encode_ms(codec: str, pictures: list[Picture], sound: np.ndarray, quality: int) -> float:
    frames = []
    for index, picture in enumerate(pictures):
        first, end = (first_sample(n, SAMPLE_RATE, FPS) for n in (index, index + 1))
        frames.append(LiveFrame(index, FPS, 0, False, picture, sound[first:end]))
    encoder = open_encoder(codec, pictures[0].width, pictures[0].height, FPS, quality)
    # Whatever threads an encoder has, nothing else runs in this process.
    began_s = time.process_time()
    for frame in frames:
        encoder.encode(frame)
    spent_s = time.process_time() - began_s
    encoder.close()
    return spent_s * 1000 * FPS / len(frames)
