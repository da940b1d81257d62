"""Needs an NVIDIA GPU: python -m pytest tests/gpu"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from app_core.lipsync.wav2lip.cuda_runtime import LADDER, CudaRuntime
from app_core.lipsync.wav2lip.model import Wav2LipModel
from app_core.lipsync.wav2lip.runtime import FaceAt
from app_core.lipsync.wav2lip.torch_runtime import TorchRuntime
from app_core.request import GenerateRequest
from app_core.services.lipsync_service import LipsyncService
from app_core.weights.containers import save_state
from benchmarks.seeded_weights import seeded_input
from tests.fakes import FaceLibrary
from tests.lipsync.wav2lip.test_network import GOLDEN, relative
from tests.seeded_weights import state as seeded

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "seeded.safetensors"
    save_state(seeded(), path, {})
    return path


@pytest.fixture(scope="module")
def runtime(checkpoint: Path) -> Iterator[CudaRuntime]:
    made = CudaRuntime(checkpoint)
    made.warm_up()
    yield made


@pytest.mark.parametrize(("half", "error"), [(True, 5e-3), (False, 1e-5)])
def test_it_answers_as_the_published_network(checkpoint: Path, half: bool, error: float) -> None:
    frames, mel = seeded_input(4, 1)
    answer = CudaRuntime(checkpoint, half=half).answer(mel, frames)[:, :, ::6, ::6]
    assert relative(answer, np.load(GOLDEN)["output"][:, :, 8:]) < error


def test_batches_of_every_size_are_those_of_the_cpu(runtime: CudaRuntime, checkpoint: Path) -> None:
    frames, mel = seeded_input(4, 1)
    cpu = TorchRuntime(checkpoint, 2)
    expected = cpu.draw(mel, [FaceAt(frames, n) for n in range(4)]).astype(int)
    one, other = runtime.hold(frames[:2]), runtime.hold(frames[2:])
    for count in (1, 3, 4, 7, 33):
        rows = [n % 4 for n in range(count)]
        faces = [FaceAt(one, n) if n < 2 else FaceAt(other, n - 2) for n in rows]
        found = runtime.draw(mel[rows], faces).astype(int)
        assert np.abs(found - expected[rows]).mean() < 1.0


def test_faces_may_come_one_by_one(runtime: CudaRuntime) -> None:
    frames, mel = seeded_input(4, 1)
    whole, filled = runtime.hold(frames), runtime.hold(np.zeros_like(frames))
    for at, face in enumerate(frames):
        runtime.fill(filled, at, face)
    expected = runtime.draw(mel, [FaceAt(whole, n) for n in range(4)])
    assert (runtime.draw(mel, [FaceAt(filled, n) for n in range(4)]) == expected).all()


def test_the_ladder_fits_the_memory(runtime: CudaRuntime) -> None:
    assert runtime.max_batch in LADDER
    free, total = torch.cuda.mem_get_info()
    assert free > 0.3 * total


def test_many_jobs_share_batches(runtime: CudaRuntime, make_service: object) -> None:
    service: LipsyncService = make_service(  # type: ignore[operator]
        model=Wav2LipModel(runtime), library=FaceLibrary()
    )
    asked = GenerateRequest.parse({"text": "один два три четыре пять", "size": "128x128"})
    counts: list[int] = []

    def watch() -> None:
        with service.frames(service.submit(asked), lambda frame: frame) as frames:
            counts.append(sum(1 for _ in frames))

    watchers = [threading.Thread(target=watch) for _ in range(4)]
    for watcher in watchers:
        watcher.start()
    for watcher in watchers:
        watcher.join(60)
    assert counts == [25] * 4
