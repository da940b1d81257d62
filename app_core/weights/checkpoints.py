"""The checkpoints of lip-sync networks: bringing, importing and checking them."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app_core.errors import BadInput, ModelFailed
from app_core.weights.containers import read_about, save_state, tensors_sha256
from app_core.weights.download import Bar, WebFile, digest, download, mebibytes
from app_core.weights.turn import turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from app_core.weights.containers import Tensors

    Read = Callable[[Path], Tensors]
    """The tensors of a file, in the network's own order. Raises OSError, or BadInput that names
    what is wrong with them for the network that they should be for."""

WAV2LIP_FOLDER = "wav2lip"
"""Of its checkpoints, in the folder of models."""
LICENCE = "no licence file; its authors allow personal, research and non-commercial use only"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A published file that can be downloaded."""

    name: str
    about: str
    url: str
    size: int
    sha256: str

    @property
    def file(self) -> str:
        return self.url.rpartition("/")[2]


_SOURCE = "https://huggingface.co/camenduru/Wav2Lip/resolve/main/checkpoints"
PUBLISHED = (
    Checkpoint(
        "wav2lip_gan",
        "Wav2Lip with a visual discriminator: sharper",
        f"{_SOURCE}/wav2lip_gan.pth",
        435_801_865,
        "ca9ab7b7b812c0e80a6e70a5977c545a1e8a365a6c49d5e533023c034d7ac3d8",
    ),
    Checkpoint(
        "wav2lip",
        "Wav2Lip without one: closer to the sound",
        f"{_SOURCE}/wav2lip.pth",
        435_807_851,
        "b78b681b68ad9fe6c6fb1debc6ff43ad05834a8af8a62ffc4167b7b34ef63c37",
    ),
)


def kept(models: Path) -> list[Path]:
    """The checkpoints that were imported."""
    return sorted((models / WAV2LIP_FOLDER).glob("*.safetensors"))


def published(name: str) -> Checkpoint | None:
    return next((known for known in PUBLISHED if known.name == name), None)


def described(models: Path) -> Iterator[str]:
    """A line for each that is here or can be downloaded."""
    here = {path.stem: path for path in kept(models)}
    for known in PUBLISHED:
        state = "here" if here.pop(known.name, None) else "missing"
        yield f"{known.name}  {state}  {mebibytes(known.size)}  {LICENCE}  {known.about}"
    for name, path in here.items():
        yield f"{name}  here  {mebibytes(path.stat().st_size)}  {LICENCE}  imported: {path}"


def bring(checkpoint: Checkpoint, models: Path, say: Callable[[str], None], read: Read) -> None:
    """Downloads and imports it, unless it is here. Who comes second waits for the first, also in
    another process. Raises ModelFailed, DiskFull or BadInput."""
    with turn(models / WAV2LIP_FOLDER, say):
        _bring(checkpoint, models, say, read)


def _bring(checkpoint: Checkpoint, models: Path, say: Callable[[str], None], read: Read) -> None:
    target = models / WAV2LIP_FOLDER / f"{checkpoint.name}.safetensors"
    if target.is_file():
        say(f"{checkpoint.name}: here already, {target}")
        return
    say(f"{checkpoint.name}: {checkpoint.about}; {LICENCE}")
    source = target.with_name(checkpoint.file)
    download(WebFile(checkpoint.url, checkpoint.size, checkpoint.sha256), source, Bar(say))
    try:
        import_checkpoint(source, models, say, read)
    finally:
        source.unlink(missing_ok=True)


def import_checkpoint(source: Path, models: Path, say: Callable[[str], None], read: Read) -> Path:
    """Brings what ``read`` reads of a file into our own container, once.

    Raises BadInput that names what is wrong with it, or ModelFailed.
    """
    if importlib.util.find_spec("torch") is None:
        raise ModelFailed("Importing weights needs torch: pip install -r requirements.txt")
    try:
        found = digest(source)
        names = {known.sha256: known.name for known in PUBLISHED}
        name = names.get(found, source.stem)
        state = read(source)
        target = models / WAV2LIP_FOLDER / f"{name}.safetensors"
        target.parent.mkdir(parents=True, exist_ok=True)
        about = {
            "source": source.name,
            "source_sha256": found,
            "tensors_sha256": tensors_sha256(state),
        }
        save_state(state, target, about)
    except OSError as error:
        raise ModelFailed(f"{source} was not imported: {error}") from error
    known = "the published file" if found in names else "not a published file that we know"
    say(f"{name}: {target}, from {source.name} ({known}); {LICENCE}")
    return target


def faults(path: Path, read: Read) -> list[str]:
    """Empty for an imported checkpoint whose every tensor is as it was."""
    try:
        if read_about(path).get("tensors_sha256") != tensors_sha256(read(path)):
            return [f"{path} is not what was imported"]
    except (BadInput, OSError) as error:
        return [f"{path}: {error}"]
    return []
