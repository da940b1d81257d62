from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from app_core.errors import BadInput
from app_core.lipsync.wav2lip.checkpoint import load_network, read_state
from app_core.lipsync.wav2lip.network import Wav2Lip
from app_core.weights.containers import save_state
from tests.seeded_weights import state as seeded

NAME = "audio_encoder.3.conv_block.0.weight"


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    return seeded()


def training(state: dict[str, torch.Tensor], prefix: str = "") -> dict[str, Any]:
    """What the authors' training script saves."""
    moments = {n: {"step": 7, "exp_avg": torch.zeros(3)} for n in range(4)}
    groups = [{"lr": 1e-4, "betas": (0.5, 0.999), "params": list(range(4))}]
    return {
        "state_dict": {prefix + name: tensor for name, tensor in state.items()},
        "optimizer": {"state": moments, "param_groups": groups},
        "global_step": 258_000,
        "global_epoch": 88,
    }


def same(found: dict[str, torch.Tensor], state: dict[str, torch.Tensor]) -> bool:
    return list(found) == list(state) and all(torch.equal(found[n], state[n]) for n in state)


@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("zipped", [False, True])
def test_training_checkpoints_are_read(
    tmp_path: Path, state: dict[str, torch.Tensor], prefix: str, zipped: bool
) -> None:
    path = tmp_path / "wav2lip.pth"
    torch.save(training(state, prefix), path, _use_new_zipfile_serialization=zipped)
    assert same(read_state(path), state)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_torchscript_archives_are_read(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    network = Wav2Lip().eval()
    network.load_state_dict(state)
    inputs = torch.zeros(1, 1, 80, 16), torch.zeros(1, 6, 96, 96)
    # What it computes is not looked at: tracing it again to compare costs more than the test.
    traced = torch.jit.trace(network, inputs, check_trace=False)  # type: ignore[no-untyped-call]
    traced.save(str(tmp_path / "sd.pt"))
    assert same(read_state(tmp_path / "sd.pt"), state)


def test_our_own_file_keeps_everything(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    save_state(state, tmp_path / "own.safetensors", {"source": "wav2lip.pth"})
    assert same(read_state(tmp_path / "own.safetensors"), state)
    network = load_network(tmp_path / "own.safetensors")
    assert not network.training and same(dict(network.state_dict()), state)
    assert [path.name for path in tmp_path.iterdir()] == ["own.safetensors"]


def test_a_checkpoint_in_half_precision_is_widened(
    tmp_path: Path, state: dict[str, torch.Tensor]
) -> None:
    torch.save(
        {n: t.half() if t.is_floating_point() else t for n, t in state.items()}, tmp_path / "h"
    )
    found = read_state(tmp_path / "h")
    assert {tensor.dtype for tensor in found.values()} == {torch.float32, torch.int64}


def test_the_wrong_tensor_is_named(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    def refused(changed: dict[str, Any]) -> str:
        torch.save(changed, tmp_path / "bad.pth")
        with pytest.raises(BadInput) as caught:
            read_state(tmp_path / "bad.pth")
        return str(caught.value)

    assert refused(state | {NAME: torch.zeros(64, 3)}) == (
        f"bad.pth: {NAME} is (64, 3), expected (64, 32, 3, 3)"
    )
    assert "not finite" in refused(state | {NAME: torch.full((64, 32, 3, 3), torch.inf)})
    assert f"no tensor {NAME} (64, 32, 3, 3)" in refused(
        {name: tensor for name, tensor in state.items() if name != NAME}
    )
    assert "a tensor extra.weight" in refused(state | {"extra.weight": torch.zeros(1)})
    assert "not Wav2Lip" in refused({"resnet.conv1.weight": torch.zeros(3)})
    assert f"{NAME} is list" in refused(state | {NAME: [1, 2]})


class Evil:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, ("evil",)


@pytest.mark.parametrize("content", [b"", b"hello, world", b"PK\x03\x04 no zip", b"\x80\x02junk"])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "what.pth").write_bytes(content)
    with pytest.raises(BadInput, match=r"what\.pth is no checkpoint"):
        read_state(tmp_path / "what.pth")


@pytest.mark.parametrize("kind", ["legacy", "zip", "safetensors"])
def test_a_cut_off_file_is_refused(
    tmp_path: Path, state: dict[str, torch.Tensor], kind: str
) -> None:
    path = tmp_path / "cut.pth"
    if kind == "safetensors":
        save_state(state, path, {})
    else:
        torch.save(training(state), path, _use_new_zipfile_serialization=kind == "zip")
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size * 2 // 3)
    with pytest.raises(BadInput, match="cut off"):
        read_state(path)


def test_code_in_a_file_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.pth").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(BadInput):
        read_state(tmp_path / "evil.pth")
    assert not (tmp_path / "evil").exists()


def test_a_missing_file_is_an_oserror(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"none\.pth"):
        read_state(tmp_path / "none.pth")
