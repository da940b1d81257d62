"""The generator on the CPU by OpenVINO, from a graph that is exported once for each checkpoint."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import openvino

from app_core.lipsync.wav2lip.framing import SIDE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from app_core.lipsync.wav2lip.runtime import FaceAt
    from app_core.types import Float32, UInt8

logger = logging.getLogger(__name__)

GRAPH = 2
"""Counts changes of ``generator.py`` and of the mask: graphs of another number are made anew."""
MAX_BATCH = 8
"""A larger batch is no faster on a CPU, and others wait for it."""


class OpenVinoRuntime:
    name = "openvino"
    device = "cpu"
    max_batch = MAX_BATCH

    def __init__(self, checkpoint: Path, threads: int, half: bool = False) -> None:
        """``half`` computes in bfloat16 where the CPU has it. Raises BadInput or OSError."""
        settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": "bf16" if half else "f32",
        }
        graph = exported(checkpoint)
        self._graph = openvino.Core().compile_model(graph, "CPU", settings)

    def hold(self, crops: UInt8) -> UInt8:
        return crops

    def fill(self, held: UInt8, at: int, face: UInt8) -> None:
        held[at] = face

    def draw(self, mel: Float32, faces: Sequence[FaceAt]) -> UInt8:
        pixels = np.stack([face.crops[face.picture] for face in faces])
        return np.asarray(self._graph([mel, pixels])[0])

    def answer(self, mel: Float32, faces: UInt8) -> Float32:
        return np.asarray(self._graph([mel, faces])[1])

    def warm_up(self) -> None:
        for batch in (1, MAX_BATCH):
            mel = np.zeros((batch, 80, 16), np.float32)
            self._graph([mel, np.zeros((batch, SIDE, SIDE, 3), np.uint8)])


def exported(checkpoint: Path) -> Path:
    """The graph beside the checkpoint, made now if it is missing or older."""
    path = checkpoint.with_name(f"{checkpoint.stem}-graph{GRAPH}.xml")
    weights = path.with_suffix(".bin")
    newest = checkpoint.stat().st_mtime
    if all(file.is_file() and file.stat().st_mtime >= newest for file in (path, weights)):
        return path
    logger.info("exporting %s for OpenVINO, once", checkpoint.name)
    beside = path.with_name(f".{path.name}")
    try:
        openvino.save_model(_convert(checkpoint), beside, compress_to_fp16=False)
        beside.with_suffix(".bin").replace(weights)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
        beside.with_suffix(".bin").unlink(missing_ok=True)
    return path


def _convert(checkpoint: Path) -> openvino.Model:
    import torch

    from app_core.lipsync.wav2lip.checkpoint import load_network
    from app_core.lipsync.wav2lip.generator import MouthGenerator

    generator = MouthGenerator(load_network(checkpoint)).eval()
    example = torch.zeros(2, 80, 16), torch.zeros(2, SIDE, SIDE, 3, dtype=torch.uint8)
    any_batch = {0: torch.export.Dim("batch", max=1024)}
    program = torch.export.export(generator, example, dynamic_shapes=(any_batch, any_batch))
    return openvino.convert_model(program)
