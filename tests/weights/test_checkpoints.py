"""Bringing weights of lip-sync networks, on generated ones in the published containers."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from app_core.errors import BadInput
from app_core.lipsync.wav2lip.checkpoint import read_state
from app_core.lipsync.wav2lip.load import find_checkpoint
from app_core.weights import checkpoints
from app_core.weights.checkpoints import PUBLISHED, bring, faults, import_checkpoint, kept
from app_core.weights.download import WebFile
from tests.conftest import until
from tests.seeded_weights import state as seeded


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("from") / "my_lips.pth"
    state = {f"module.{name}": tensor for name, tensor in seeded().items()}
    whole = {"state_dict": state, "optimizer": {"state": {}}, "global_step": 1, "global_epoch": 1}
    torch.save(whole, path, _use_new_zipfile_serialization=False)
    return path


def test_an_imported_file_is_found_and_sound(published: Path, tmp_path: Path) -> None:
    said: list[str] = []
    target = import_checkpoint(published, tmp_path, said.append, read_state)
    assert target == tmp_path / "wav2lip" / "my_lips.safetensors"
    assert kept(tmp_path) == [target] and find_checkpoint(target.parent) == target
    assert torch.equal(read_state(target)["output_block.1.bias"], seeded()["output_block.1.bias"])
    assert "non-commercial" in said[0] and str(target) in said[0]
    assert faults(target, read_state) == []


def test_a_changed_file_is_noticed(published: Path, tmp_path: Path) -> None:
    target = import_checkpoint(published, tmp_path, lambda _: None, read_state)
    data = bytearray(target.read_bytes())
    data[-7] ^= 1
    target.write_bytes(data)
    assert faults(target, read_state) == [f"{target} is not what was imported"]
    target.write_bytes(data[: len(data) // 2])
    assert "cut off" in faults(target, read_state)[0]


def test_a_foreign_file_leaves_nothing(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, tmp_path / "foreign.pth")
    with pytest.raises(BadInput, match="not Wav2Lip"):
        import_checkpoint(tmp_path / "foreign.pth", tmp_path / "models", lambda _: None, read_state)
    assert kept(tmp_path / "models") == []


def test_the_sharper_of_the_published_is_preferred(tmp_path: Path) -> None:
    for name in ("another", "wav2lip", "wav2lip_gan"):
        (tmp_path / f"{name}.safetensors").touch()
    assert find_checkpoint(tmp_path).stem == "wav2lip_gan"
    (tmp_path / "wav2lip_gan.safetensors").unlink()
    assert find_checkpoint(tmp_path).stem == "wav2lip"


def test_two_that_bring_one_download_it_once(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go_on, said = list[str](), threading.Event(), list[str]()

    def copied(file: WebFile, path: Path, progress: object) -> str:
        asked.append(file.url)
        assert go_on.wait(10)
        path.write_bytes(published.read_bytes())
        return ""

    monkeypatch.setattr(checkpoints, "download", copied)
    known = replace(PUBLISHED[0], name="my_lips", url="https://there/my_lips.pth")
    threads = [
        threading.Thread(target=bring, args=(known, tmp_path, said.append, read_state))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    assert until(lambda: any("waiting for it" in sentence for sentence in said))
    go_on.set()
    for thread in threads:
        thread.join(20)
    assert len(asked) == 1 and "here already" in said[-1]
    assert [path.name for path in (tmp_path / "wav2lip").iterdir()] == ["my_lips.safetensors"]


def test_what_is_here_is_not_downloaded_again(published: Path, tmp_path: Path) -> None:
    folder = tmp_path / "wav2lip"
    folder.mkdir()
    (folder / "wav2lip.safetensors").touch()
    said: list[str] = []
    bring(
        next(known for known in PUBLISHED if known.name == "wav2lip"),
        tmp_path,
        said.append,
        read_state,
    )
    assert "here already" in said[0]
