from __future__ import annotations

from pathlib import Path

import pytest

from app_core.errors import BadInput
from app_core.lipsync import registry
from app_core.lipsync.model import ModelOptions
from app_core.lipsync.registry import open_model
from app_core.lipsync.viseme.model import VisemeModel
from tests.fakes import EchoModel


def test_a_named_model_is_that_one(tmp_path: Path) -> None:
    model, why = open_model("viseme", ModelOptions(tmp_path))
    assert isinstance(model, VisemeModel)
    assert "named" in why


def test_an_unknown_name_lists_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="auto, wav2lip, viseme") as caught:
        open_model("oracle", ModelOptions(tmp_path))
    assert caught.value.field == "model"


def test_without_weights_the_default_needs_none(tmp_path: Path) -> None:
    model, why = open_model("auto", ModelOptions(tmp_path))
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
    model, why = open_model("auto", ModelOptions(tmp_path))
    assert model.name == chosen
    assert chosen == "wav2lip" or "12 frames/s are too few" in why
