"""What a folder lacks is named, with what mends it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from soyle_coqui.errors import NotReady
from soyle_coqui.licence import CC_BY_NC, CPML, NAME, agree, agreed
from soyle_coqui.load import load
from soyle_coqui.model_folder import LANGUAGES, examine

from tests import models


def written(folder: Path, **files: str) -> Path:
    """``model_pth`` is model.pth."""
    folder.mkdir()
    for name, text in files.items():
        stem, _, ending = name.rpartition("_")
        (folder / f"{stem}.{ending}").write_text(text)
    return folder


XTTS = json.dumps({"model": "xtts"})
VITS = json.dumps({"model": "vits"})
MMS = json.dumps({"data": {"sampling_rate": 16000}})


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "config.json is missing"),
        ({"config_json": "{"}, "config.json cannot be read"),
        ({"config_json": "[]"}, "config.json cannot be read: it is no object"),
        ({"config_json": '{"model": "tacotron2"}'}, "is of 'tacotron2'; xtts, vits and mms"),
        ({"config_json": VITS}, "model.pth is missing"),
        ({"config_json": XTTS}, "model.pth is missing"),
        ({"config_json": XTTS, "model_pth": "x"}, "vocab.json is missing"),
        ({"config_json": MMS}, "G_100000.pth is missing"),
        ({"config_json": MMS, "G_100000_pth": "x"}, "vocab.txt is missing"),
        (
            {"config_json": VITS, "model_pth": "x", "languages_json": '"kk"'},
            'languages.json cannot be used: it must be a list such as ["kk"]',
        ),
    ],
)
def test_what_is_missing(tmp_path: Path, files: dict[str, str], words: str) -> None:
    with pytest.raises(NotReady) as told:
        examine(written(tmp_path / "model", **files))
    assert words in str(told.value)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="there is no folder"):
        load(tmp_path / "model", None, 1)


@pytest.mark.parametrize(
    ("files", "licence", "name"),
    [
        ({"config_json": XTTS, "model_pth": "x", "vocab_json": "{}"}, CPML, "xtts"),
        ({"config_json": MMS, "G_100000_pth": "x", "vocab_txt": "a"}, CC_BY_NC, "mms-kaz"),
    ],
)
def test_a_licence_is_for_the_user_to_agree_to(tmp_path, files, licence, name) -> None:  # type: ignore[no-untyped-def]
    folder = written(tmp_path / "kaz", **files)
    with pytest.raises(NotReady) as told:
        examine(folder)
    assert f"{licence.id} (" in str(told.value)
    command = f"-m soyle_coqui pull {name} --accept-licence --to {folder}"
    assert str(told.value).endswith(command)
    (folder / NAME).write_text('{"licence": "MIT"}')
    assert not agreed(folder, licence), "of something else"
    agree(folder, licence)
    assert examine(folder).licence == licence.id


def test_what_was_agreed_to_in_coquis_own_program_holds(tmp_path: Path) -> None:
    files = {"config_json": XTTS, "model_pth": "x", "vocab_json": "{}"}
    folder = written(tmp_path / "xtts", **files)
    (folder / "tos_agreed.txt").write_text("I have read, understood and agreed")
    assert examine(folder).kind == "xtts"


def test_a_broken_checkpoint(tmp_path: Path) -> None:
    folder = models.vits(tmp_path / "vits")
    (folder / "model.pth").write_bytes(b"not weights at all")
    with pytest.raises(NotReady, match="model.pth cannot be loaded"):
        load(folder, None, 1)


def test_a_checkpoint_of_another_model(tmp_path: Path) -> None:
    folder = models.vits(tmp_path / "vits")
    torch.save({"model": {"other": torch.zeros(1)}}, folder / "model.pth")
    with pytest.raises(NotReady, match="cannot be loaded: .*[Mm]issing"):
        load(folder, None, 1)


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path(__file__).with_name("run-by-a-checkpoint"),))  # type: ignore[return-value]


def test_a_checkpoint_runs_nothing(tmp_path: Path) -> None:
    folder = models.vits(tmp_path / "vits")
    torch.save({"model": Evil()}, folder / "model.pth")
    with pytest.raises(NotReady, match="cannot be loaded"):
        load(folder, None, 1)
    assert not Path(__file__).with_name("run-by-a-checkpoint").exists()


def test_a_model_that_does_not_say_its_language(tmp_path: Path) -> None:
    folder = models.vits(tmp_path / "vits", languages=())
    with pytest.raises(NotReady, match=r"does not say its language: write it into .*languages"):
        load(folder, None, 1)
    (folder / LANGUAGES).write_text('["ru"]')
    assert load(folder, None, 1).languages == ("ru",)


def test_a_sample_that_cannot_be_used(xtts_folder: Path, tmp_path: Path) -> None:
    studio = xtts_folder / "speakers_xtts.pth"
    aside = studio.rename(tmp_path / "aside") if studio.exists() else None
    short = models.sample(tmp_path / "short.wav", 2.0)
    noise = tmp_path / "noise.wav"
    noise.write_bytes(b"RIFF no sound")
    try:
        for sample, words in (
            (None, "XTTS has nobody's voice: .*--speaker"),
            (short, "shorter than 3 s"),
            (noise, "noise.wav cannot be read"),
            (tmp_path / "none.wav", "none.wav cannot be read"),
        ):
            with pytest.raises(NotReady, match=words):
                load(xtts_folder, sample, 1)
    finally:
        if aside is not None:
            aside.rename(studio)
