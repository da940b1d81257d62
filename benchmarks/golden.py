"""Does our Wav2Lip compute what the published network does? The error against golden answers.

python -m benchmarks.golden --golden FILE --seed N [--device cpu|cuda] [--runtime R]

FILE is an .npz of `frames` (n, 96, 96, 3) uint8 BGR, `mel` (n, 80, 16) and `output`
(n, 3, 96, 96), what the published network answers with the seed's weights. The error is the norm
of the difference over the norm of the reference; runtimes without the upper half are compared
over rows 48..95. Runtimes: eager (the network as published), torch, openvino, cuda, cuda-full.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from app_core.lipsync.wav2lip.checkpoint import load_network
from app_core.lipsync.wav2lip.dimensions import HALF
from app_core.lipsync.wav2lip.load import open_runtime
from app_core.weights.containers import save_state
from benchmarks.seeded_weights import seeded_state
from benchmarks.table import end, show

if TYPE_CHECKING:
    from numpy.typing import NDArray

ON = {"cpu": ("eager", "torch", "openvino"), "cuda": ("eager", "cuda-full", "cuda")}


def relative(found: NDArray[np.float32], reference: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(found - reference) / np.linalg.norm(reference))


def eager(
    checkpoint: Path, device: str, mel: NDArray[np.float32], frames: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """The whole network in fp32, TF32 off."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    network = load_network(checkpoint).to(device)
    masked = frames.copy()
    masked[:, HALF:] = 0
    faces = np.concatenate([masked, frames], 3).transpose(0, 3, 1, 2) / np.float32(255)
    with torch.inference_mode():
        answer = network(
            torch.from_numpy(mel)[:, None].to(device), torch.from_numpy(faces).to(device)
        )
    return np.asarray(answer.cpu().numpy())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--golden", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--device", choices=tuple(ON), default="cpu")
    parser.add_argument("--runtime", help="default: each that runs on the device")
    asked = parser.parse_args()
    golden = np.load(asked.golden)
    frames, mel, output = golden["frames"], golden["mel"], golden["output"]
    errors = {}
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "seeded.safetensors"
        save_state(seeded_state(asked.seed), checkpoint, {"seed": f"{asked.seed}"})
        for name in [asked.runtime] if asked.runtime else ON[asked.device]:
            if name == "eager":
                errors[name] = relative(eager(checkpoint, asked.device, mel, frames), output)
                continue
            precision = "full" if name.endswith("-full") else "auto"
            runtime = open_runtime(checkpoint, name.removesuffix("-full"), precision)
            errors[name] = relative(runtime.answer(mel, frames), output[:, :, HALF:])
    show(
        f"Wav2Lip with the weights of seed {asked.seed} on {asked.device}, against golden answers",
        ("runtime", "relative error"),
        [(name, f"{error:.2e}") for name, error in errors.items()],
    )
    end("golden", {"seed": asked.seed, "device": asked.device, "errors": errors})


if __name__ == "__main__":
    main()
