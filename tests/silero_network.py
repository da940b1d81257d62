"""A file like Silero's, of a few kilobytes: every symbol is a tone of its own, and so is a speaker.

TorchScript reads the source of what it compiles, so this is a file and not part of a test.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import torch

RATE = 48000
SYMBOL_SAMPLES = 2400


class Tones(torch.nn.Module):
    def forward(self, ids: torch.Tensor, speaker: torch.Tensor) -> torch.Tensor:
        """ids (1, n) int64, speaker (1,) int64 -> (n * SYMBOL_SAMPLES,) float32."""
        symbols = ids[0].repeat_interleave(2400).to(torch.float64)
        times = torch.arange(symbols.numel(), dtype=torch.float64) / 48000
        hertz = 1000 + 40 * symbols + 10000 * speaker[0] / 100
        return (0.3 * torch.sin(6.283185307179586 * hertz * times)).to(torch.float32)


def tone(symbol: int, speaker: int) -> float:
    """Hertz."""
    return 1000 + 40 * symbol + 100 * speaker


def write_network(path: Path, module: torch.nn.Module | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(module or Tones()), path)
    return path
