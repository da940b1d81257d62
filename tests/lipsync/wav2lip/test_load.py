"""Which device a runtime is opened on, as far as no GPU is needed to say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from app_core.errors import BadInput
from app_core.lipsync import devices
from app_core.lipsync.model import ModelOptions
from app_core.lipsync.wav2lip import load
from app_core.lipsync.wav2lip.load import open_runtime, wav2lip_devices

NO_FILE = Path("nowhere.safetensors")


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (devices, load):
        monkeypatch.setattr(module, "gpus", lambda: ("cuda:0", "cuda:1"))
    monkeypatch.setattr(load, "_installed", lambda package: True)


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("runtime", "device", "why"),
    [
        ("auto", "cuda:2", "There is no GPU cuda:2; torch finds: cuda:0, cuda:1"),
        ("torch", "cuda:1", "The runtime torch does not run on the device cuda:1"),
        ("openvino", "cuda:1", "The runtime openvino does not run on the device cuda:1"),
        ("cuda", "cpu", "The runtime cuda does not run on the device cpu"),
    ],
)
def test_a_device_that_does_not_do_is_named(runtime: str, device: str, why: str) -> None:
    with pytest.raises(BadInput, match=f"^{why}$"):
        open_runtime(NO_FILE, runtime, device=device)


@pytest.mark.usefixtures("two_gpus")
def test_every_gpu_is_meant_where_there_are_weights_and_the_settings_allow_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "w").mkdir()
    assert wav2lip_devices(ModelOptions(tmp_path), "w") == ()
    (tmp_path / "w" / "wav2lip.safetensors").touch()
    assert wav2lip_devices(ModelOptions(tmp_path), "w") == ("cuda:0", "cuda:1")
    assert wav2lip_devices(ModelOptions(tmp_path, "cuda"), "w") == ("cuda:0", "cuda:1")
    for runtime in ("torch", "openvino"):
        assert wav2lip_devices(ModelOptions(tmp_path, runtime), "w") == ()
