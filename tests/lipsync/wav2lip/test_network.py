"""The network against the published one: generated weights, golden answers."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from app_core.config import ROOT
from app_core.lipsync.wav2lip.checkpoint import load_network
from app_core.lipsync.wav2lip.generator import MouthGenerator
from app_core.lipsync.wav2lip.network import Wav2Lip
from app_core.lipsync.wav2lip.openvino_runtime import OpenVinoRuntime
from app_core.lipsync.wav2lip.paste import edge
from app_core.lipsync.wav2lip.runtime import FaceAt, Runtime
from app_core.lipsync.wav2lip.torch_runtime import TorchRuntime
from app_core.lipsync.wav2lip.trimmed import TrimmedWav2Lip, fold_batch_norms
from app_core.weights.containers import save_state
from benchmarks.seeded_weights import seeded_input
from tests.seeded_weights import state as seeded

GOLDEN = ROOT / "tests" / "data" / "wav2lip_seed1.npz"
"""Every sixth row and column of what the published network answers, made once with it."""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "seeded.safetensors"
    save_state(seeded(), path, {})
    return path


@pytest.fixture(scope="module")
def network(checkpoint: Path) -> Wav2Lip:
    return load_network(checkpoint)


RUNTIMES = {"torch": TorchRuntime, "openvino": OpenVinoRuntime}


@pytest.fixture(scope="module", params=RUNTIMES)
def runtime(request: pytest.FixtureRequest, checkpoint: Path) -> Runtime:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of torch.export, inside OpenVINO
        return RUNTIMES[request.param](checkpoint, 2)


def published_input() -> tuple[torch.Tensor, torch.Tensor]:
    """Mels and faces as the published inference gives them to the network."""
    frames, mel = seeded_input(4, 1)
    masked = frames.copy()
    masked[:, 48:] = 0
    faces = np.concatenate([masked, frames], 3).transpose(0, 3, 1, 2) / np.float32(255)
    return torch.from_numpy(mel)[:, None], torch.from_numpy(faces)


def relative(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def test_it_has_the_published_parameters(network: Wav2Lip) -> None:
    assert sum(parameter.numel() for parameter in network.parameters()) == 36_298_035
    assert len(network.state_dict()) == 352


@torch.inference_mode()
def test_it_answers_as_the_published_network(network: Wav2Lip) -> None:
    golden = np.load(GOLDEN)
    answer = network(*published_input()).numpy()[:, :, ::6, ::6]
    assert relative(answer, golden["output"]) < 1e-5


@torch.inference_mode()
def test_leaving_the_upper_half_out_changes_no_bit_of_the_lower(network: Wav2Lip) -> None:
    mel, faces = published_input()
    whole = fold_batch_norms(network)(mel, faces)
    assert torch.equal(TrimmedWav2Lip(network)(mel, faces), whole[:, :, 48:])


def test_every_runtime_answers_as_the_published_network(runtime: Runtime) -> None:
    golden = np.load(GOLDEN)["output"][:, :, 8:]
    frames, mel = seeded_input(4, 1)
    assert relative(runtime.answer(mel, frames)[:, :, ::6, ::6], golden) < 1e-5


def test_a_batch_may_mix_faces_and_keeps_its_order(runtime: Runtime) -> None:
    runtime.warm_up()
    frames, mel = seeded_input(4, 1)
    one, other = runtime.hold(frames[:2]), runtime.hold(frames[2:])
    mixed = [FaceAt(other, 1), FaceAt(one, 0), FaceAt(other, 0)]
    together = runtime.draw(mel[[3, 0, 2]], mixed)
    assert together.shape == (3, 48, 96, 3) and together.dtype == np.uint8
    for patch, row, face in zip(together, (3, 0, 2), mixed, strict=True):
        alone = runtime.draw(mel[row : row + 1], [face])[0]
        assert np.abs(patch.astype(int) - alone).max() <= 1


@torch.inference_mode()
def test_a_patch_has_the_colour_of_the_face_where_it_fades_in(network: Wav2Lip) -> None:
    frames, mel = seeded_input(4, 1)
    patches, _ = MouthGenerator(network)(torch.from_numpy(mel), torch.from_numpy(frames))
    weights = edge()[None, :, :, None]
    drawn = (patches.numpy() * weights).sum((1, 2))
    face = (frames[:, 48:] * weights).sum((1, 2))
    inside = (patches.numpy() > 0) & (patches.numpy() < 255)
    assert inside.mean() > 0.6  # noise of generated weights clips; a face does not
    assert np.abs(drawn - face).max() < 25


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_the_graph_is_exported_once(checkpoint: Path) -> None:
    OpenVinoRuntime(checkpoint, 1)
    (graph,) = checkpoint.parent.glob("*.xml")
    made = graph.stat().st_mtime_ns
    OpenVinoRuntime(checkpoint, 1)
    assert graph.stat().st_mtime_ns == made
    assert not list(checkpoint.parent.glob(".*"))
