"""The generator on the CPU by OpenVINO, from a graph that is exported once for each checkpoint."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import openvino

from app_core.lipsync.wav2lip.cpu_runtime import CpuRuntime
from app_core.lipsync.wav2lip.dimensions import blank_faces, blank_mels

if TYPE_CHECKING:
    from pathlib import Path

    from app_core.types import Float32, UInt8

logger = logging.getLogger(__name__)

GRAPH = 2
"""Counts changes of ``generator.py`` and of the mask: graphs of another number are made anew."""


class OpenVinoRuntime(CpuRuntime):
    name = "openvino"

    def __init__(
        self, checkpoint: Path, threads: int, half: bool = False, device: str = "cpu"
    ) -> None:
        """``half`` computes in bfloat16 where the CPU has it. Raises BadInput or OSError."""
        self.device = device
        settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": "bf16" if half else "f32",
        }
        graph = exported(checkpoint)
        self._graph = openvino.Core().compile_model(graph, "CPU", settings)

    def run(self, mel: Float32, faces: UInt8) -> tuple[UInt8, Float32]:
        made = self._graph([mel, faces])
        return np.asarray(made[0]), np.asarray(made[1])


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
    example = torch.from_numpy(blank_mels(2)), torch.from_numpy(blank_faces(2))
    any_batch = {0: torch.export.Dim("batch", max=1024)}
    program = torch.export.export(generator, example, dynamic_shapes=(any_batch, any_batch))
    return openvino.convert_model(program)
