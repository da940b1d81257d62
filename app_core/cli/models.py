"""The command that brings, imports and checks the files of networks.

python app.py models list
python app.py models pull NAME
python app.py models import FILE
python app.py models verify
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from app_core.errors import BadInput, ModelFailed, NotFound
from app_core.weights import checkpoints
from app_core.weights.catalogue import KNOWN, faults, known, pull
from app_core.weights.download import mebibytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.weights.containers import Tensors

USAGE = "usage: python app.py models list | pull NAME | import FILE | verify"


def say_aloud(sentence: str) -> None:
    """To the terminal, at once."""
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def command(arguments: list[str], models: Path, say: Callable[[str], None] = say_aloud) -> int:
    """Runs what follows ``models`` on the command line. Returns the exit status."""
    match arguments:
        case ["list"]:
            for weights in KNOWN:
                state = "missing" if faults(weights, models) else "here"
                size, licence = mebibytes(weights.size), weights.licence
                say(f"{weights.name}  {state}  {size}  {licence}  {weights.about}")
            for sentence in checkpoints.described(models):
                say(sentence)
            return 0
        case ["pull", name]:
            return _pull(name, models, say)
        case ["import", file]:
            return _tried(
                lambda: checkpoints.import_checkpoint(Path(file), models, say, _read_state), say
            )
        case ["verify"]:
            wrong = [fault for weights in KNOWN for fault in faults(weights, models)]
            for path in checkpoints.kept(models):
                wrong += checkpoints.faults(path, _read_state)
            for sentence in wrong or ["every file is what it should be"]:
                say(sentence)
            return 1 if wrong else 0
        case _:
            say(USAGE)
            return 2


def _read_state(path: Path) -> Tensors:
    from app_core.lipsync.wav2lip.checkpoint import read_state

    return read_state(path)


def _pull(name: str, models: Path, say: Callable[[str], None]) -> int:
    published = checkpoints.published(name)
    if published is not None:
        return _tried(lambda: checkpoints.bring(published, models, say, _read_state), say)
    try:
        weights = known(name)
    except NotFound as error:
        say(str(error))
        return 1
    try:
        pull(weights, models, say)
    except ModelFailed as error:
        say("; ".join(filter(None, [str(error), weights.without])))
        return 1
    return 0


def _tried(work: Callable[[], object], say: Callable[[str], None]) -> int:
    try:
        work()
    except (BadInput, ModelFailed) as error:
        say(str(error))
        return 1
    return 0
