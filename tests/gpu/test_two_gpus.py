"""Needs two NVIDIA GPUs: python -m pytest tests/gpu"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from app_core.config import Config
from app_core.job import Job
from app_core.lipsync.devices import gpus
from app_core.request import GenerateRequest
from app_core.services.lipsync_service import LipsyncService
from app_core.types import Frame
from app_core.weights.checkpoints import WAV2LIP_FOLDER
from tests.begun import begun
from tests.fakes import FaceLibrary
from tests.seeded_weights import written

pytestmark = pytest.mark.skipif(
    torch.cuda.device_count() < 2,
    reason=f"needs two NVIDIA GPUs, and torch finds {torch.cuda.device_count()}",
)
DEVICES = ["cuda:0", "cuda:1"]
ASKED = {"text": "один два три четыре пять", "size": "128x128"}
FRAMES = 25


@pytest.fixture
def service(
    make_service: Callable[..., LipsyncService], config: Config, tmp_path: Path
) -> Iterator[LipsyncService]:
    folder = tmp_path / "models" / WAV2LIP_FOLDER
    folder.mkdir(parents=True)
    written(folder)
    settings = {"model": "wav2lip", "models_dir": folder.parent, "devices": ",".join(DEVICES)}
    yield make_service(model=None, config=config.model_copy(update=settings), library=FaceLibrary())


def luma(frame: Frame) -> np.ndarray:
    return frame.picture.y.astype(int)


def device(job: Job) -> str:
    return job.placement.device if job.placement else ""


def test_every_gpu_is_taken(service: LipsyncService) -> None:
    assert gpus()[:2] == tuple(DEVICES)
    assert service.backend.condition() == ("ready", "")
    (model,) = service.health()["models"]
    assert [each["name"] for each in model["devices"]] == DEVICES
    assert model["model_fps"] == pytest.approx(
        sum(each["model_fps"] for each in model["devices"]), abs=0.2
    )


def test_both_draw_the_same_pictures_at_once_from_faces_of_their_own(
    service: LipsyncService,
) -> None:
    asked = GenerateRequest.parse(ASKED)
    jobs = [begun(service, asked) for _ in range(4)]
    assert sorted(map(device, jobs)) == ["cuda:0", "cuda:0", "cuda:1", "cuda:1"]
    drawn: dict[str, list[np.ndarray]] = {}

    def watch(job: Job) -> None:
        drawn[job.id] = list(service.frames(job.id, luma))

    watchers = [threading.Thread(target=watch, args=(job,)) for job in jobs]
    for watcher in watchers:
        watcher.start()
    for watcher in watchers:
        watcher.join(60)
    first = np.stack(drawn[jobs[0].id])
    assert len(first) == FRAMES
    for job in jobs[1:]:
        assert np.abs(np.stack(drawn[job.id]) - first).mean() < 0.5
    assert all(loaded.engine.frames >= 2 * FRAMES for loaded in service.backend.models)
    plate = service.library.plate(service.library.get("grey"), (128, 128), static=True, sway=True)
    for loaded in service.backend.models:
        face = service.backend.face(loaded.model, plate)
        assert str(face.crops.held.device) == loaded.placement.device
        assert face.device_bytes == 10 * 96 * 96 * 3
