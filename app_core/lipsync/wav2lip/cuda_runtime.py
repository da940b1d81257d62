"""The generator on an NVIDIA GPU: half precision, one CUDA graph for each size of batch.

A graph reads and writes the same memory each time it runs, so a batch is padded to the next size
of the ladder, its faces are gathered on the device, and only the patches come back.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from app_core.lipsync.wav2lip.checkpoint import load_network
from app_core.lipsync.wav2lip.dimensions import BANDS, COLUMNS, SIDE
from app_core.lipsync.wav2lip.generator import MouthGenerator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from app_core.lipsync.wav2lip.runtime import FaceAt
    from app_core.types import Float32, UInt8

logger = logging.getLogger(__name__)

LADDER = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 960)
"""Sizes of batch that have a graph, as many as fit into the memory budget."""
MEMORY_SHARE = 0.5
"""Of the device's free memory, for the graphs and what they work in."""
FACE_SHARE = 0.5
"""Of what is free after that, for faces."""
_SETTLING = 3
"""Runs before a capture, so that cuDNN has chosen its algorithms."""


class _Graph(NamedTuple):
    graph: torch.cuda.CUDAGraph
    mel: torch.Tensor
    faces: torch.Tensor
    patches: torch.Tensor
    mel_host: torch.Tensor
    """Pinned, as is ``patches_host``: only such memory is copied without a stop."""
    patches_host: torch.Tensor


class CudaRuntime:
    name = "cuda"

    def __init__(self, checkpoint: Path, device: str = "cuda:0", half: bool = True) -> None:
        """Raises BadInput or OSError, RuntimeError when the device cannot be used."""
        self.device = device
        self._device = torch.device(device)
        self._dtype = torch.float16 if half else torch.float32
        torch.backends.cudnn.benchmark = True
        if not half:  # TF32 keeps ten bits, which full precision does not mean
            torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        self._generator = MouthGenerator(load_network(checkpoint)).eval()
        self._generator.to(self._device, self._dtype)
        self._generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        self._graphs: dict[int, _Graph] = {}
        self._pool = torch.cuda.graph_pool_handle()
        self.max_batch = LADDER[0]
        self.face_room = 0

    def hold(self, crops: UInt8) -> torch.Tensor:
        return torch.from_numpy(crops).to(self._device)

    def fill(self, held: torch.Tensor, at: int, face: UInt8) -> None:
        with torch.cuda.device(self._device):
            held[at].copy_(torch.from_numpy(face))
            torch.cuda.current_stream().synchronize()

    @torch.inference_mode()
    def warm_up(self) -> None:
        """Captures the ladder, smallest first, until the memory budget is used."""
        free, _ = torch.cuda.mem_get_info(self._device)
        with torch.cuda.device(self._device):
            for batch in LADDER:
                left, _ = torch.cuda.mem_get_info(self._device)
                used = free - left
                if batch > 1 and 2 * used > MEMORY_SHARE * free:
                    break
                try:
                    self._graphs[batch] = self._capture(batch)
                except torch.cuda.OutOfMemoryError:
                    logger.warning("no memory for batches of %d", batch)
                    torch.cuda.empty_cache()
                    break
                self.max_batch = batch
        left, _ = torch.cuda.mem_get_info(self._device)
        self.face_room = int(FACE_SHARE * left)
        name = torch.cuda.get_device_name(self._device)
        logger.info("%s (%s): batches up to %d", self.device, name, self.max_batch)

    @torch.inference_mode()
    def draw(self, mel: Float32, faces: Sequence[FaceAt]) -> UInt8:
        count = len(faces)
        size = next(size for size in LADDER if size >= count)
        graph = self._graphs[size]
        graph.mel_host[:count] = torch.from_numpy(np.ascontiguousarray(mel))
        with torch.cuda.stream(self._stream):
            graph.mel.copy_(graph.mel_host, non_blocking=True)
            self._gather(faces, graph.faces)
            graph.graph.replay()
            graph.patches_host.copy_(graph.patches, non_blocking=True)
        self._stream.synchronize()
        return graph.patches_host[:count].numpy().copy()

    @torch.inference_mode()
    def answer(self, mel: Float32, faces: UInt8) -> Float32:
        with torch.cuda.stream(self._stream):
            made = (
                self._generator(
                    torch.from_numpy(mel).to(self._device, self._dtype),
                    torch.from_numpy(faces).to(self._device),
                )[1]
                .float()
                .cpu()
            )
        return np.asarray(made.numpy())

    def _gather(self, faces: Sequence[FaceAt], into: torch.Tensor) -> None:
        """Runs of one avatar's pictures at a time: a batch holds few avatars."""
        start = 0
        while start < len(faces):
            crops = faces[start].crops
            end = start
            while end < len(faces) and faces[end].crops is crops:
                end += 1
            wanted = torch.tensor([face.picture for face in faces[start:end]])
            index = wanted.pin_memory().to(self._device, non_blocking=True)
            torch.index_select(crops, 0, index, out=into[start:end])
            start = end

    def _capture(self, batch: int) -> _Graph:
        shape = batch, BANDS, COLUMNS
        mel = torch.zeros(shape, dtype=self._dtype, device=self._device)
        faces = torch.zeros((batch, SIDE, SIDE, 3), dtype=torch.uint8, device=self._device)
        with torch.cuda.stream(self._stream):
            for _ in range(_SETTLING):
                self._generator(mel, faces)
        self._stream.synchronize()
        graph = torch.cuda.CUDAGraph()
        # Other threads may work on other devices meanwhile, and cut out faces for this one.
        capture = torch.cuda.graph(graph, self._pool, self._stream, "thread_local")
        with capture:
            patches, _ = self._generator(mel, faces)
        return _Graph(
            graph,
            mel,
            faces,
            patches,
            torch.zeros(shape, dtype=self._dtype).pin_memory(),
            torch.empty(patches.shape, dtype=torch.uint8).pin_memory(),
        )
