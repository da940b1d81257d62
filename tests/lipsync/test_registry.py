from __future__ import annotations

from pathlib import Path

import pytest

from app_core.errors import BadInput
from app_core.lipsync import registry
from app_core.lipsync.model import ModelOptions
from app_core.lipsync.registry import devices_of, open_model
from app_core.lipsync.viseme.model import VisemeModel
from tests.fakes import EchoModel


def test_a_named_model_is_that_one(tmp_path: Path) -> None:
    model, why, _ = open_model("viseme", ModelOptions(tmp_path))
    assert isinstance(model, VisemeModel)
    assert "named" in why


def test_an_unknown_name_lists_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="auto, wav2lip, viseme") as caught:
        open_model("oracle", ModelOptions(tmp_path))
    assert caught.value.field == "model"


def test_without_weights_the_default_needs_none(tmp_path: Path) -> None:
    model, why, _ = open_model("auto", ModelOptions(tmp_path))
    assert model.name == "viseme"
    assert "not wav2lip: There are no weights" in why
    with pytest.raises(BadInput, match="models import"):
        open_model("wav2lip", ModelOptions(tmp_path))


@pytest.mark.parametrize(("speed", "chosen"), [(100.0, "wav2lip"), (12.0, "viseme")])
def test_a_better_model_is_taken_when_it_runs_in_real_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, speed: float, chosen: str
) -> None:
    class Network(EchoModel):
        name = "wav2lip"
        frames_per_s = speed

    models = {"wav2lip": lambda options: Network(), "viseme": lambda options: VisemeModel()}
    monkeypatch.setattr(registry, "MODELS", models)
    model, why, _ = open_model("auto", ModelOptions(tmp_path))
    assert model.name == chosen
    assert chosen == "wav2lip" or "12 frames/s are too few" in why


class Placed(EchoModel):
    """Cannot be used on ``cuda:0``, and is too slow on ``cuda:9``."""

    def __init__(self, options: ModelOptions) -> None:
        super().__init__()
        self.name, self.device = "wav2lip", options.device
        self.frames_per_s = 12.0 if options.device == "cuda:9" else 100.0

    def warm_up(self) -> None:
        if self.device == "cuda:0":
            raise RuntimeError("the device is busy")


@pytest.fixture
def placed(monkeypatch: pytest.MonkeyPatch) -> None:
    models = {"wav2lip": Placed, "viseme": lambda options: VisemeModel()}
    monkeypatch.setattr(registry, "MODELS", models)
    monkeypatch.setattr(registry, "DEVICES", {"wav2lip": lambda options: ("cuda:0", "cuda:1")})


@pytest.mark.usefixtures("placed")
@pytest.mark.parametrize("name", ["auto", "wav2lip"])
def test_a_model_is_opened_on_the_first_device_that_can_be_used(name: str) -> None:
    choice = open_model(name, ModelOptions())
    assert choice.model.name == "wav2lip"
    assert choice.device == choice.model.device == "cuda:1"
    named = open_model(name, ModelOptions(devices=("cpu:3",)))
    assert named.device == named.model.device == "cpu:3"


@pytest.mark.usefixtures("placed")
def test_without_a_device_that_can_be_used_the_reason_is_that_of_the_last() -> None:
    with pytest.raises(RuntimeError, match="busy"):
        open_model("wav2lip", ModelOptions(devices=("cuda:0",)))
    assert (
        "not wav2lip: the device is busy"
        in open_model("auto", ModelOptions(devices=("cuda:0",))).why
    )
    slow = open_model("auto", ModelOptions(devices=("cuda:9", "cuda:1")))
    assert slow.model.name == "viseme" and "12 frames/s are too few" in slow.why


@pytest.mark.usefixtures("placed")
def test_the_devices_of_a_model() -> None:
    """Those of the settings, else those that there are; one that is meant is the only one."""
    assert devices_of("wav2lip", ModelOptions()) == ("cuda:0", "cuda:1")
    assert devices_of("wav2lip", ModelOptions(devices=("cpu",))) == ("cpu",)
    assert devices_of("wav2lip", ModelOptions(device="cuda:1")) == ("cuda:1",)
    assert devices_of("viseme", ModelOptions(devices=("cuda:0", "cuda:1"))) == ("",)


def test_without_weights_nobody_looks_for_a_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To import torch takes seconds, and memory."""

    def imported() -> tuple[str, ...]:
        raise AssertionError("torch is asked")

    monkeypatch.setattr("app_core.lipsync.wav2lip.load.gpus", imported)
    assert devices_of("wav2lip", ModelOptions(tmp_path)) == ("",)
    assert open_model("auto", ModelOptions(tmp_path)).model.name == "viseme"
