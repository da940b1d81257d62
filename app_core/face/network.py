"""One TFLite network on the CPU: LiteRT where it is installed, else OpenCV's own runtime.

OpenCV takes twice the time and cannot read the full-range detector; the results are the same.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from app_core.errors import ModelFailed

if TYPE_CHECKING:
    from pathlib import Path

    from app_core.types import Float32


class Network(Protocol):
    """Not thread-safe: each thread opens its own (milliseconds, about 10 MB)."""

    def __call__(self, image: Float32) -> dict[str, Float32]:
        """``image`` (height, width, 3) RGB. Output name to array."""


class LiteRTNetwork:
    def __init__(self, path: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._net = Interpreter(model_path=str(path), num_threads=1)
        self._net.allocate_tensors()
        self._input = self._net.get_input_details()[0]["index"]
        self._outputs = {each["name"]: each["index"] for each in self._net.get_output_details()}

    def __call__(self, image: Float32) -> dict[str, Float32]:
        self._net.set_tensor(self._input, image[None])
        self._net.invoke()
        return {name: self._net.get_tensor(index) for name, index in self._outputs.items()}


class OpenCVNetwork:
    """OpenCV 4; version 5 gives the first output only."""

    def __init__(self, path: Path) -> None:
        self._net = cv2.dnn.readNetFromTFLite(str(path))
        self._names = self._net.getUnconnectedOutLayersNames()

    def __call__(self, image: Float32) -> dict[str, Float32]:
        self._net.setInput(np.ascontiguousarray(image.transpose(2, 0, 1)[None]))
        outputs = [np.asarray(each, np.float32) for each in self._net.forward(self._names)]
        return dict(zip(self._names, outputs, strict=True))


def has_litert() -> bool:
    return importlib.util.find_spec("ai_edge_litert") is not None


def open_network(path: Path) -> Network:
    """Raises ModelFailed when the file is none that either runtime reads."""
    try:
        if has_litert():
            try:
                return LiteRTNetwork(path)
            except ImportError:  # installed, but not for this machine
                pass
        return OpenCVNetwork(path)
    except (ValueError, RuntimeError, OSError, cv2.error) as error:
        raise ModelFailed(f"{path.name} cannot be run: {error}") from error
