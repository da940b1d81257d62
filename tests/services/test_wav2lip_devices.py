"""Wav2Lip on two devices of one process: the network itself, its weights twice, on generated ones.

A CPU's number is but a name: both are the same cores.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from app_core.config import Config
from app_core.lipsync.wav2lip import model as module
from app_core.lipsync.wav2lip.model import Wav2LipModel
from app_core.lipsync.wav2lip.torch_runtime import TorchRuntime
from app_core.request import GenerateRequest
from app_core.services.lipsync_service import LipsyncService
from app_core.types import Frame
from app_core.weights.checkpoints import WAV2LIP_FOLDER
from tests.begun import begun
from tests.conftest import until
from tests.fakes import FaceLibrary
from tests.seeded_weights import written

FRAMES = 5


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    (folder / WAV2LIP_FOLDER).mkdir(parents=True)
    written(folder / WAV2LIP_FOLDER)
    return folder


def pictures(service: LipsyncService, job_id: str) -> np.ndarray:
    """(FRAMES, height, width) of luma."""

    def luma(frame: Frame) -> np.ndarray:
        return frame.picture.y.astype(int)

    return np.stack(list(service.frames(job_id, luma)))


def test_two_engines_with_their_own_weights_draw_what_one_draws(
    make_service: Callable[..., LipsyncService],
    config: Config,
    weights: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_TRIALS", 1)
    settings = {
        "model": "wav2lip",
        "models_dir": weights,
        "model_runtime": "torch",
        "devices": "cpu:0,cpu:1",
    }
    given = config.model_copy(update=settings)
    service = make_service(model=None, config=given, library=FaceLibrary())
    assert service.backend.condition() == ("ready", "")
    found = [loaded.model for loaded in service.backend.models]
    assert [model.device for model in found] == ["cpu:0 (torch)", "cpu:1 (torch)"]
    addresses = []
    for model in found:
        assert isinstance(model, Wav2LipModel)
        assert isinstance(model._runtime, TorchRuntime)
        addresses.append({p.data_ptr() for p in model._runtime._generator.parameters()})
    assert addresses[0] and addresses[0].isdisjoint(addresses[1])
    asked = GenerateRequest.parse({"text": "one", "size": "128x128"})
    first = begun(service, asked)
    alone = pictures(service, first.id)
    assert until(lambda: first.ended)
    # Which of the two was faster in its trial is chance.
    by_slack = sorted(service.backend.models, key=lambda each: -each.capacity.slack)
    jobs = [begun(service, asked) for _ in range(2)]
    assert [job.placement for job in jobs] == [each.placement for each in by_slack]
    for job in jobs:
        drawn = pictures(service, job.id)
        assert len(drawn) == len(alone) == FRAMES
        assert np.abs(drawn - alone).max() <= 2, "batches of another size are rounded otherwise"
    plate = service.library.plate(service.library.get("grey"), (128, 128), static=True, sway=True)
    still = np.stack([plate.picture(n).y.astype(int) for n in range(FRAMES)])
    assert np.abs(alone - still).max() > 40, "no mouth moves"
    assert all(model.frames_per_s > 0 for model in found)
    assert torch.get_num_threads() >= 1
