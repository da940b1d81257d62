"""Frames a second of Wav2Lip by batch, device and runtime, against the published network.

python -m benchmarks.wav2lip [--device cpu|cuda] [--weights FILE] [--seconds 2] [--threads 2]

The baseline is the network as published, built from its layer table, in eager fp32: with TF32
off, and with torch's defaults. Without --weights it runs on generated ones: the same speed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from app_core.lipsync.wav2lip.checkpoint import load_network, read_state
from app_core.lipsync.wav2lip.load import open_runtime
from app_core.lipsync.wav2lip.runtime import FaceAt
from app_core.weights.containers import save_state
from benchmarks.seeded_weights import seeded_input, seeded_state
from benchmarks.table import end, show

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_BATCH = 128
"""Of the published inference."""
BATCHES = {"cpu": (1, 4, 8, DEFAULT_BATCH), "cuda": (1, 4, 32, DEFAULT_BATCH, 512, 960)}
RUNTIMES = {
    "cpu": (("torch", "full"), ("openvino", "full"), ("openvino", "half")),
    "cuda": (("cuda", "full"), ("cuda", "half")),
}
FIRST_FRAMES = 4


def seconds_of(work: Callable[[], object], seconds: float) -> list[float]:
    """Of each run, for about so long, after two that do not count."""
    work()
    work()
    spent: list[float] = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until or len(spent) < 3:
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
    return spent


def baseline(checkpoint: Path, device: str, tf32: bool) -> Callable[[int], Callable[[], object]]:
    network = load_network(checkpoint).to(device)

    def at(batch: int) -> Callable[[], object]:
        mel = torch.rand(batch, 1, 80, 16, device=device) * 8 - 4
        faces = torch.rand(batch, 6, 96, 96, device=device)

        @torch.inference_mode()
        def run() -> None:
            torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = tf32
            network(mel, faces).cpu()

        return run

    return at


def ours(
    checkpoint: Path, name: str, precision: str, threads: int
) -> Callable[[int], Callable[[], object]]:
    runtime = open_runtime(checkpoint, name, precision, threads)
    runtime.warm_up()
    crops, mel = seeded_input(FIRST_FRAMES, 1)
    held = runtime.hold(crops)

    def at(batch: int) -> Callable[[], object]:
        mels = np.resize(mel, (batch, 80, 16))
        faces = [FaceAt(held, n % len(crops)) for n in range(batch)]
        if batch > runtime.max_batch:
            raise ValueError(f"{name} takes at most {runtime.max_batch}")
        return lambda: runtime.draw(mels, faces)

    return at


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", choices=tuple(BATCHES), default="cpu")
    parser.add_argument("--weights", type=Path, help="any official file; default: generated")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each number")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of the CPU")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "weights.safetensors"
        state = read_state(asked.weights) if asked.weights else seeded_state(1)
        save_state(state, checkpoint, {})
        torch.set_num_threads(asked.threads)
        measure(checkpoint, asked.device, asked.seconds, asked.threads)


def measure(checkpoint: Path, device: str, seconds: float, threads: int) -> None:
    ways = {"published, fp32": baseline(checkpoint, device, tf32=False)}
    if device == "cuda":
        ways["published, torch's defaults"] = baseline(checkpoint, device, tf32=True)
    for name, precision in RUNTIMES[device]:
        ways[f"{name}, {precision}"] = ours(checkpoint, name, precision, threads)
    batches = BATCHES[device]
    found: dict[str, dict[int, float]] = {name: {} for name in ways}
    for batch in batches:  # the ways side by side, so that a slow moment is everybody's
        for name, way in ways.items():
            try:
                spent = seconds_of(way(batch), seconds)
            except ValueError:
                continue
            found[name][batch] = batch / statistics.median(spent)
    base = found["published, fp32"][DEFAULT_BATCH]
    rows = [
        [name, *(speeds.get(batch) for batch in batches), max(speeds.values()) / base]
        for name, speeds in found.items()
    ]
    show(
        "Frames a second of the network; the last column against the published at its own batch",
        ("runtime", *(f"batch {batch}" for batch in batches), "times"),
        rows,
    )
    figures: dict[str, object] = {"device": device_name(device), "frames_per_s": found}
    figures["times"] = {str(row[0]): row[-1] for row in rows}
    if device == "cuda":
        first = seconds_of(ways["cuda, half"](FIRST_FRAMES), seconds)
        figures["first_frames_ms"] = statistics.median(first) * 1000
        print(
            f"\nfirst {FIRST_FRAMES} frames: {figures['first_frames_ms']:.2f} ms after their sound"
        )
    end("wav2lip", figures)


def device_name(device: str) -> str:
    return torch.cuda.get_device_name() if device == "cuda" else f"cpu, {torch.get_num_threads()}"


if __name__ == "__main__":
    main()
