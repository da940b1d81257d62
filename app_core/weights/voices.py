"""The files of voices that are no part of the program: whether they are here, and bringing them."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from app_core.errors import BadInput, Conflict, DiskFull, ModelFailed
from app_core.weights.download import WebFile, digest, download, mebibytes
from app_core.weights.turn import turn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app_core.cancel_scope import Stale
    from app_core.weights.download import Progress

Note = Literal["from_lessac", "no_licence_stated"]
NOTES: dict[Note, str] = {
    "from_lessac": "it was trained further from the voice lessac, whose recordings allow no "
    "commercial use; whether that binds this voice too is an open question",
    "no_licence_stated": "nobody has stated a licence for its recordings",
}
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class VoiceFile:
    name: str
    web: WebFile


@dataclass(frozen=True, slots=True)
class VoiceWeights:
    """What is brought in one go: one voice, or several that share a file."""

    id: str
    """``engine`` or ``engine:voice``; the ids of its voices begin with it."""
    name: str
    """For a person."""
    engine: str
    languages: tuple[str, ...]
    licence: str
    """SPDX identifier of the engine's code."""
    weights_licence: str
    """SPDX identifier, or what their publisher says."""
    commercial: bool | None
    """Whether the weights may be used for gain; None where nobody has made that clear."""
    folder: str
    """Below the folder of models."""
    files: tuple[VoiceFile, ...]
    """The largest last: a voice whose last file is here is whole. Empty when ``how`` is not."""
    module: str
    """What must be importable for it to speak; empty: nothing."""
    mend: str
    """The command that brings ``module``."""
    notes: tuple[Note, ...] = ()
    """What else a person should know of its licence."""
    how: str = ""
    """The command that brings it, where that is another's work."""
    elsewhere_size: int = 0
    """Bytes of what that command brings."""

    @property
    def size(self) -> int:
        """Bytes, without the few of files whose size only their server knows."""
        return self.elsewhere_size or sum(file.web.size or 0 for file in self.files)

    def owns(self, voice_id: str) -> bool:
        return voice_id == self.id or voice_id.startswith(f"{self.id}:")

    def missing_module(self) -> str:
        """The command that brings what it needs beside its files; empty when nothing is missing."""
        there = not self.module or importlib.util.find_spec(self.module) is not None
        return "" if there else self.mend

    def terms(self) -> str:
        """Its licences in a sentence."""
        terms = f"code {self.licence}, weights {self.weights_licence}"
        use = {True: "", False: ", non-commercial", None: ", commercial use not clear"}
        return terms + use[self.commercial]


def installed(voice: VoiceWeights, models: Path) -> bool:
    """Whether its files are, by their sizes."""
    paths = [(file, models / voice.folder / file.name) for file in voice.files]
    return bool(paths) and all(_right_size(file, path) for file, path in paths)


def faults(voice: VoiceWeights, models: Path) -> list[str]:
    """A sentence for each file that is missing or is not what it should be."""
    found = []
    for file in voice.files:
        path = models / voice.folder / file.name
        expected = file.web.sha256 or recorded(path)
        if not path.is_file():
            found.append(f"{path} is missing")
        elif expected is None:
            found.append(f"{path} has no sha256 on record: remove it and pull {voice.id} again")
        elif not _right_size(file, path) or digest(path) != expected:
            was = "that it should be" if file.web.sha256 else "that was first pulled"
            found.append(f"{path} is not the file {was}")
    return found


def partly_here(voice: VoiceWeights, models: Path) -> bool:
    return any((models / voice.folder / file.name).is_file() for file in voice.files)


def check_terms(voice: VoiceWeights, *, accepted: bool) -> None:
    """Raises BadInput (field ``accept_licence``) when somebody must agree first, and Conflict for
    what is brought by other means."""
    if voice.how:
        raise Conflict(f"{voice.id} is not brought by this but by: {voice.how}")
    if voice.commercial is False and not accepted:
        raise BadInput(
            f"The weights of {voice.id} are under {voice.weights_licence}, which allows no "
            "commercial use: whoever brings them must accept it",
            field="accept_licence",
        )


def bring(
    voice: VoiceWeights,
    models: Path,
    say: Callable[[str], None],
    progress: Progress,
    stale: Stale,
    reserve: int = 0,
) -> None:
    """Downloads what is not here or not right, the largest file last, and leaves ``reserve`` bytes
    of the disk. Who comes second waits for the first, also in another process. Raises as
    ``download``.
    """
    folder = models / voice.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelFailed(f"{folder} cannot be made: {error}") from error
    with turn(folder, say, stale):
        if not faults(voice, models):
            say(f"{voice.id}: here already, {mebibytes(voice.size)}")
            return
        say(f"{voice.id}: {mebibytes(voice.size)}, {voice.terms()}")
        done = 0
        for file in voice.files:
            tell = _shifted(progress, done, voice)
            _bring(voice, file, folder / file.name, say, tell, stale, reserve)
            done += file.web.size or 0
    for note in voice.notes:
        say(f"{voice.id}: {NOTES[note]}")


def _shifted(progress: Progress, before: int, voice: VoiceWeights) -> Progress:
    """Of one file, as progress of all."""

    def tell(done: int, total: int | None) -> None:
        progress(min(before + done, voice.size), voice.size)

    return tell


def _bring(
    voice: VoiceWeights,
    file: VoiceFile,
    path: Path,
    say: Callable[[str], None],
    progress: Progress,
    stale: Stale,
    reserve: int,
) -> None:
    known = recorded(path)
    expected = file.web.sha256 or known
    if expected and _right_size(file, path) and digest(path) == expected:
        progress(file.web.size or 0, file.web.size)
        return
    found = download(replace(file.web, sha256=expected), path, progress, stale, reserve)
    what = f"{voice.id}: {path}, {mebibytes(path.stat().st_size)}"
    if file.web.sha256:
        say(f"{what}, sha256 is right")
    elif known:
        say(f"{what}, sha256 is that of the first pull")
    else:
        _record(path, found)
        say(f"{what}, sha256 {found} recorded on this pull, not checked against anybody")


def _right_size(file: VoiceFile, path: Path) -> bool:
    return path.is_file() and file.web.size in (None, path.stat().st_size)


def recorded(path: Path) -> str | None:
    """The sha256 that the first pull of a file found, where nobody had told it."""
    try:
        text = _record_of(path).read_text("ascii", "replace")
    except OSError:
        return None
    found = text.partition(" ")[0]
    return found if len(found) == 64 and _HEX.issuperset(found) else None


def _record(path: Path, sha256: str) -> None:
    """As sha256sum writes it, so that it can be checked without us."""
    beside = path.with_name(f".{path.name}.sha256.part")
    try:
        beside.write_text(f"{sha256}  {path.name}\n", "ascii")
        os.replace(beside, _record_of(path))
    except OSError as error:
        raise DiskFull(f"{_record_of(path)} cannot be written: {error}") from error


def _record_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")
