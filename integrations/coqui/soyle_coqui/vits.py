"""VITS, and MMS, which is VITS as Fairseq writes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from TTS.config import load_config
from TTS.tts.configs.vits_config import VitsConfig
from TTS.tts.models.vits import Vits

from soyle_coqui.errors import NotReady
from soyle_coqui.model_folder import LANGUAGES
from soyle_coqui.text import cut

if TYPE_CHECKING:
    from soyle_coqui.model_folder import ModelFolder
    from soyle_coqui.wav import Float32

_BESIDE = ("speakers_file", "language_ids_file")
_LIMIT = 400  # characters: longer sentences take memory by the square


class VitsVoice:
    """A piece comes whole."""

    streams = False

    def __init__(self, folder: ModelFolder) -> None:
        self.name, self.licence = folder.name, folder.licence
        self._model = _open(folder)
        if torch.cuda.is_available():
            self._model.cuda()
        several = self._model.args.use_language_embedding  # else Coqui calls the only one English
        names = self._model.language_manager.name_to_id if several else ()
        self._model_languages = tuple(names)
        self.languages = self._model_languages or folder.languages
        if not self.languages:
            raise NotReady(
                f"the model in {folder.path} does not say its language: write it into"
                f' {folder.path / LANGUAGES}, such as ["kk"]'
            )
        self.speakers = tuple(getattr(self._model.speaker_manager, "name_to_id", None) or ())
        self.sample_rate = int(self._model.config.audio["sample_rate"])
        self._alphabet = frozenset(self._model.tokenizer.characters.vocab)
        self._length_scale = float(self._model.length_scale)

    def cut(self, text: str, language: str) -> list[str]:
        """Without pieces of which the model's alphabet has no letter."""
        return [piece for piece in cut(text, _LIMIT) if self._sayable(piece, language)]

    def speak(self, piece: str, language: str, speaker: str, speed: float) -> Iterator[Float32]:
        self._model.length_scale = self._length_scale / speed
        named: dict[str, Any] = {}
        if language in self._model_languages:
            named["language"] = language
        if self.speakers:
            named["speaker"] = speaker or self.speakers[0]
        with torch.inference_mode():
            sound = self._model.synthesize(piece, **named)["wav"]
        yield np.asarray(sound, np.float32).reshape(-1)

    def _sayable(self, piece: str, language: str) -> bool:
        tokenizer = self._model.tokenizer
        if tokenizer.use_phonemes:
            return True
        if tokenizer.text_cleaner is not None:
            piece = tokenizer.text_cleaner(piece, lang=language)
        return any(letter.isalnum() and letter in self._alphabet for letter in piece)


def _open(folder: ModelFolder) -> Any:
    if folder.kind == "mms":
        model = Vits(VitsConfig())
        model.load_fairseq_checkpoint(model.config, folder.checkpoint, eval=True)
        return model
    config = load_config(folder.path / "config.json")
    for part in (config, config.model_args):
        for name in _BESIDE:
            _find_beside(part, name, folder.path)
    model = Vits(config)
    model.load_checkpoint(config, folder.checkpoint, eval=True)
    model.disc = None  # only for training
    return model


def _find_beside(part: Any, name: str, folder: Path) -> None:
    """A config names files as they lay where the model was trained."""
    given = getattr(part, name, None)
    if isinstance(given, str) and given and (folder / Path(given).name).is_file():
        setattr(part, name, str(folder / Path(given).name))
