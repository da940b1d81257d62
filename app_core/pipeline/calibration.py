"""What a frame costs on this machine: a short trial before the first render."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from app_core.lipsync.model import EMPTY
from app_core.media.jpeg import encode
from app_core.pipeline.plan import Plan
from app_core.types import MouthTask, Phoneme, Speech

if TYPE_CHECKING:
    from app_core.lipsync.model import LipsyncModel, Plate

OVERHEAD = 1.35
"""Sending, threads and speech, over warp and JPEG alone."""


class FrameCost(NamedTuple):
    """Core milliseconds of one frame."""

    frame_ms: float
    """In its reader's thread: mouth and JPEG."""
    network_ms: float
    """In the model's thread and those that it uses."""


def frame_cost(model: LipsyncModel, plate: Plate, face: Any, quality: int) -> FrameCost:
    """Of a live frame of ``plate``: a second of an open vowel."""
    rate, fps = 16000, 25
    hum = (0.3 * np.sin(np.arange(rate) * (2 * np.pi * 150 / rate))).astype(np.float32)
    plan = Plan("trial", fps, plate, face, model.features(fps))
    last = len(plate.track.boxes) - 1
    while not model.ready(MouthTask("trial", 0, last, face, EMPTY)):
        time.sleep(0.01)  # what is made of the face in the background costs once
    tasks = plan.add(Speech(0, "a", hum, rate, [Phoneme("a", 0.0, 1.0)])) + plan.finish()
    batches = [tasks[at : at + model.max_batch] for at in range(0, len(tasks), model.max_batch)]
    began = time.process_time()
    mouths = [mouth for batch in batches for mouth in model.draw(batch)]
    network_ms = (time.process_time() - began) / len(mouths) * 1000.0
    picture = plate.picture(0)
    encode(model.apply(face, picture, mouths[-1]), quality)
    began = time.thread_time()
    for mouth in mouths:
        encode(model.apply(face, picture, mouth), quality)
    frame_ms = (time.thread_time() - began) / len(mouths) * 1000.0 * OVERHEAD
    return FrameCost(frame_ms, network_ms)
