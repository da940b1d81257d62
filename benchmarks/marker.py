"""A lip-sync model that shows what is heard: white while a frame's sound is loud, black else.

With it the skew of picture and sound is seen at the receiver, through the whole line: speech,
plan, engine, composition, encoder, socket. ``python -m benchmarks.marker`` is
``benchmarks.watched`` with it; another model that is named behind it is the default beside it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from app_core.types import Float32, Mouth, Picture, first_sample, frame_count
from benchmarks.watched import watch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app_core.types import MouthTask, Speech

LOUD = 0.05
"""Of full scale, from which on a frame is white."""
WHITE, BLACK = 235, 16


class LoudFrames:
    """Whether anything is heard in each frame of a job's sound, (frames, 1)."""

    def __init__(self, fps: int) -> None:
        self._fps, self._rate, self._given, self._samples = fps, 1, 0, 0
        self._pcm: Float32 = np.zeros(0, np.float32)

    def push(self, speech: Speech) -> Float32:
        self._rate = speech.sample_rate
        self._pcm = np.concatenate([self._pcm, speech.pcm])
        self._samples += len(speech.pcm)
        return self._until(self._samples * self._fps // self._rate)

    def finish(self) -> Float32:
        return self._until(frame_count(self._samples, self._rate, self._fps))

    def _until(self, stop: int) -> Float32:
        first = self._samples - len(self._pcm)
        edges = [
            first_sample(n, self._rate, self._fps) - first for n in range(self._given, stop + 1)
        ]
        parts = zip(edges, edges[1:], strict=False)
        loud = [float(np.abs(self._pcm[a:b]).max(initial=0) > LOUD) for a, b in parts]
        self._given = max(self._given, stop)
        if edges:
            self._pcm = self._pcm[max(edges[-1], 0) :]
        return np.array(loud, np.float32).reshape(-1, 1)


class MarkerModel:
    name, device, max_batch, frames_per_s = "marker", "cpu", 256, 1e5

    def open(self, plate: Any) -> str:
        return "face"

    def features(self, fps: int) -> LoudFrames:
        return LoudFrames(fps)

    def draw(self, tasks: Sequence[MouthTask]) -> list[Mouth]:
        return [Mouth(task.index, task.picture, task.features) for task in tasks]

    def apply(self, face: Any, picture: Picture, mouth: Mouth) -> Picture:
        level = WHITE if mouth.drawing[0] > 0.75 else BLACK
        return Picture(np.full_like(picture.y, level), picture.u, picture.v)

    def rest(self, index: int, picture: int) -> Mouth:
        return Mouth(index, picture, np.zeros(1, np.float32))

    def eased(self, mouth: Mouth, weight: float) -> Mouth:
        return mouth

    def ready(self, task: MouthTask) -> bool:
        return True

    def close(self) -> None:
        """Nothing is open."""

    def warm_up(self) -> None:
        """Nothing is slow."""


def main(beside: Sequence[str]) -> int:
    watch()
    import app
    from app_core.config import Config
    from app_core.lipsync import registry
    from app_core.log import setup_logging

    registry.MODELS = {**registry.MODELS, "marker": lambda _: MarkerModel()}
    config = Config.from_env()
    setup_logging(config.log_level, config.log_format)
    return app.serve(config.model_copy(update={"models": ",".join([*beside, "marker"])}))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
