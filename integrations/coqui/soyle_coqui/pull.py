"""Brings a model into a folder, after the user has agreed to its licence."""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from soyle_coqui.errors import NotReady
from soyle_coqui.licence import CC_BY_NC, CPML, Licence, agree, agreed
from soyle_coqui.model_folder import examine

ROOT = Path(__file__).resolve().parents[3]
SUMS = "sha256.json"
_BLOCK = 1 << 20
_TIMEOUT_S = 30.0
_PARTIAL, _PAST_END = 206, 416

Say = Callable[[str], None]


class PullFailed(Exception):
    """Says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Model:
    about: str
    size: str
    licence: Licence
    source: str
    files: tuple[str, ...]
    """Below ``source``, in the order in which they are brought."""
    archive: str = ""
    """A .tar.gz below ``source`` that holds them."""


MODELS = {
    "xtts": Model(
        "XTTS v2: 17 languages with Russian and English, anybody's voice from a sample",
        "1.9 GB",
        CPML,
        "https://huggingface.co/tts-hub/XTTS-v2/resolve/main",
        ("config.json", "vocab.json", "speakers_xtts.pth", "model.pth"),
    ),
    "mms-kaz": Model(
        "MMS: Kazakh",
        "145 MB",
        CC_BY_NC,
        "https://dl.fbaipublicfiles.com/mms/tts",
        ("config.json", "vocab.txt", "G_100000.pth"),
        "kaz.tar.gz",
    ),
}


def pull(name: str, folder: Path | None, accept: bool, source: str, say: Say) -> None:
    """Goes on where it broke off. Files that are here already are left as they are.

    Raises PullFailed.
    """
    if name not in MODELS:
        raise PullFailed(f"There is no model {name}; there are: {', '.join(MODELS)}")
    model, licence = MODELS[name], MODELS[name].licence
    folder = (folder or ROOT / "models" / "coqui" / name).expanduser().resolve()
    say(f"{name}: {model.about}; {model.size}; licence {licence.id}: {licence.about}")
    say(f"{name}: the terms are at {licence.url}")
    if not accept and not agreed(folder, licence):
        raise PullFailed(f"{name}: read them; if you agree, add --accept-licence")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        agree(folder, licence)
        source = source.rstrip("/") or model.source
        missing = [file for file in model.files if not (folder / file).is_file()]
        if missing and model.archive:
            path = folder / model.archive
            _bring(f"{source}/{model.archive}", path, say)
            _unpack(path, missing, folder)
            path.unlink()
        else:
            for file in missing:
                _bring(f"{source}/{file}", folder / file, say)
        if missing:
            _record(folder, missing, say)
        examine(folder)
    except (OSError, HTTPException, tarfile.TarError) as error:
        raise PullFailed(f"{name}: it was not brought: {error}; asking again goes on") from error
    except NotReady as error:
        raise PullFailed(f"{name}: {error}") from error
    say(f"{name}: it is in {folder}. In Soyle's .env: COQUI_MODEL={folder}")


def _bring(url: str, path: Path, say: Say) -> None:
    """What there is of it lies at ``path.part`` until it is whole."""
    part = path.with_name(f"{path.name}.part")
    have = part.stat().st_size if part.is_file() else 0
    asked = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.urlopen(asked, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code == _PAST_END and have:  # whole already, or of another file: once more
            part.unlink()
        raise
    with answer:
        resumed = answer.status == _PARTIAL
        done = have if resumed else 0
        length = answer.headers.get("Content-Length")
        size = done + int(length) if length and length.isdigit() else None
        shown = -1
        with part.open("ab" if resumed else "wb") as file:
            while block := answer.read(_BLOCK):
                file.write(block)
                done += len(block)
                if size and (percent := 100 * done // size) // 5 != shown:
                    shown = percent // 5
                    say(f"{path.name} {percent} %")
    if size is not None and done < size:
        raise OSError(f"the connection broke off after {done} of {size} bytes of {path.name}")
    part.replace(path)


def _unpack(archive: Path, names: list[str], folder: Path) -> None:
    """Only the files that are asked for, whatever folder they lie in."""
    left = set(names)
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            name = Path(member.name).name
            stream = tar.extractfile(member) if member.isfile() and name in left else None
            if stream is None:
                continue
            part = folder / f"{name}.part"
            with stream, part.open("wb") as file:
                shutil.copyfileobj(stream, file, _BLOCK)
            part.replace(folder / name)
            left.discard(name)
    if left:
        raise OSError(f"{archive.name} has no {', '.join(sorted(left))}")


def _record(folder: Path, names: list[str], say: Say) -> None:
    """Nobody but the publisher knows these sums: they tell a later change, not a wrong source."""
    sums = {}
    for name in names:
        seen = hashlib.sha256()
        with (folder / name).open("rb") as file:
            while block := file.read(_BLOCK):
                seen.update(block)
        sums[name] = seen.hexdigest()
        say(f"{name}: sha256 {sums[name]}, recorded now, compared with nothing")
    (folder / SUMS).write_text(json.dumps(sums, indent=2) + "\n", "utf-8")
