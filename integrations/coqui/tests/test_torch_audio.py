"""torchaudio without its native library, in a process that has not imported it yet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1]
BROKEN = """
import torch
def load_library(path):
    raise OSError("libc10_cuda.so: cannot open shared object file")
torch.ops.load_library = load_library
"""
USE = """
from soyle_coqui.torch_audio import import_torchaudio
torchaudio = import_torchaudio()
import torch
assert torchaudio.functional.resample(torch.zeros(1, 22050), 22050, 16000).shape == (1, 16000)
assert torchaudio.transforms.MelSpectrogram(n_mels=20)(torch.zeros(1, 1600)).shape[1] == 20
try:
    torchaudio.functional.forced_align(None, None)
except RuntimeError as error:
    print(error)
"""


def test_a_library_that_cannot_be_loaded_is_done_without() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BROKEN + USE],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "needs torchaudio's native library" in done.stdout
