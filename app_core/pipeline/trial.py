"""What a frame costs on this machine: a short trial before the first render."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from app_core.media.jpeg import encode
from app_core.pipeline.plan import Plan
from app_core.types import Phoneme, Speech

if TYPE_CHECKING:
    from app_core.lipsync.model import LipsyncModel, Plate

OVERHEAD = 1.35
"""Sending, threads and speech, over warp and JPEG alone."""


def frame_cost_ms(model: LipsyncModel, plate: Plate, face: Any, quality: int) -> float:
    """Core milliseconds of one live frame of ``plate``: a second of an open vowel."""
    rate, fps = 16000, 25
    hum = (0.3 * np.sin(np.arange(rate) * (2 * np.pi * 150 / rate))).astype(np.float32)
    plan = Plan("trial", fps, plate, face, model.features(fps))
    tasks = plan.add(Speech(0, "a", hum, rate, [Phoneme("a", 0.0, 1.0)])) + plan.finish()
    mouths = model.draw(tasks)
    picture = plate.picture(0)
    encode(model.apply(face, picture, mouths[-1]), quality)
    began = time.thread_time()
    for mouth in mouths:
        encode(model.apply(face, picture, mouth), quality)
    return (time.thread_time() - began) / len(mouths) * 1000.0 * OVERHEAD
