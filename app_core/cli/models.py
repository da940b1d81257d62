"""The command that brings, imports and checks the files of networks and voices.

python app.py models list
python app.py models pull NAME ... [--accept-licence]
python app.py models import FILE
python app.py models verify
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from app_core.cancel_scope import never
from app_core.errors import BadInput, Conflict, DiskFull, ModelFailed, NotFound
from app_core.weights import checkpoints, voices
from app_core.weights.catalogue import KNOWN, faults, known, pull
from app_core.weights.download import Bar, mebibytes
from app_core.weights.voice_catalogue import VOICES, voice_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app_core.weights.containers import Tensors
    from app_core.weights.voices import VoiceWeights

ACCEPT = "--accept-licence"
USAGE = f"usage: python app.py models list | pull NAME ... [{ACCEPT}] | import FILE | verify"


def say_aloud(sentence: str) -> None:
    """To the terminal, at once."""
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def command(
    arguments: list[str],
    models: Path,
    say: Callable[[str], None] = say_aloud,
    catalogue: Sequence[VoiceWeights] = VOICES,
) -> int:
    """Runs what follows ``models`` on the command line; ``catalogue`` has the voices that can be
    brought. Returns the exit status."""
    match arguments:
        case ["list"]:
            for weights in KNOWN:
                state = "missing" if faults(weights, models) else "here"
                size, licence = mebibytes(weights.size), weights.licence
                say(f"{weights.name}  {state}  {size}  {licence}  {weights.about}")
            for sentence in checkpoints.described(models):
                say(sentence)
            for voice in catalogue:
                say(_described(voice, models))
            return 0
        case ["pull", *words] if names := [word for word in words if word != ACCEPT]:
            accepted = ACCEPT in words
            return max(_pull(name, models, say, catalogue, accepted) for name in names)
        case ["import", file]:
            return _tried(
                lambda: checkpoints.import_checkpoint(Path(file), models, say, _read_state), say
            )
        case ["verify"]:
            wrong = [fault for weights in KNOWN for fault in faults(weights, models)]
            for path in checkpoints.kept(models):
                wrong += checkpoints.faults(path, _read_state)
            for voice in catalogue:
                if voices.partly_here(voice, models):
                    wrong += voices.faults(voice, models)
            for sentence in wrong or ["every file is what it should be"]:
                say(sentence)
            return 1 if wrong else 0
        case _:
            say(USAGE)
            return 2


def _read_state(path: Path) -> Tensors:
    from app_core.lipsync.wav2lip.checkpoint import read_state

    return read_state(path)


def _described(voice: VoiceWeights, models: Path) -> str:
    state = "here" if voices.installed(voice, models) else "elsewhere" if voice.how else "missing"
    languages = "+".join(voice.languages)
    line = f"{voice.id}  {state}  {mebibytes(voice.size)}  {voice.terms()}  a voice, {languages}"
    how = f"; brought by: {voice.how}" if voice.how else ""
    return f"{line}: {voice.name}{how}"


def _pull(
    name: str,
    models: Path,
    say: Callable[[str], None],
    catalogue: Sequence[VoiceWeights],
    accepted: bool,
) -> int:
    published = checkpoints.published(name)
    if published is not None:
        return _tried(lambda: checkpoints.bring(published, models, say, _read_state), say)
    if ":" in name or any(voice.owns(name) for voice in catalogue):
        return _tried(lambda: _bring(name, models, say, catalogue, accepted), say)
    try:
        weights = known(name)
    except NotFound as error:
        say("; ".join([str(error), f"voices: {', '.join(voice.id for voice in catalogue)}"]))
        return 1
    try:
        pull(weights, models, say)
    except ModelFailed as error:
        say("; ".join(filter(None, [str(error), weights.without])))
        return 1
    return 0


def _bring(
    name: str,
    models: Path,
    say: Callable[[str], None],
    catalogue: Sequence[VoiceWeights],
    accepted: bool,
) -> None:
    voice = voice_weights(name, catalogue)
    try:
        voices.check_terms(voice, accepted=accepted)
    except BadInput as error:
        raise BadInput(f"{error}: python app.py models pull {voice.id} {ACCEPT}") from error
    voices.bring(voice, models, say, Bar(say), never)
    if missing := voice.missing_module():
        say(f"{voice.id}: to speak it also needs {voice.module}: {missing}")


def _tried(work: Callable[[], object], say: Callable[[str], None]) -> int:
    try:
        work()
    except (BadInput, Conflict, DiskFull, ModelFailed, NotFound) as error:
        say(str(error))
        return 1
    return 0
