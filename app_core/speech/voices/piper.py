"""Piper: voices of the files in one folder, by ONNX Runtime. Each speaker of a file is a voice."""

from __future__ import annotations

import importlib.util
import logging
import re
import threading
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from app_core.cores import affinity
from app_core.errors import Cancelled, Unsayable, VoiceFailed, kind_or_words
from app_core.speech.synthesizer import check_wanted
from app_core.speech.voices.espeak_spelling import spelling
from app_core.speech.voices.found import Found, Missing
from app_core.speech.voices.piper_description import PiperDescription, read_description
from app_core.speech.voices.piper_stress import with_stresses

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from app_core.cancel_scope import Stale
    from app_core.speech.text.piece import Piece
    from app_core.types import Float32, Prosody

logger = logging.getLogger(__name__)

FOLDER = "piper"
"""Below ``MODELS_DIR``; ``<name>.onnx`` and ``<name>.onnx.json`` lie in it."""
_MOST_LISTED = 32
"""Speakers of one file: a file of 904 would bury all other voices."""
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,63}", re.ASCII)
_BRACKETS = str.maketrans("[]", "  ")
"""What stands in ``[[ ]]`` Piper takes for phonemes."""
_WARM_UP = {"ru": "мама", "kk": "ана", "en": "mother"}
_UNKNOWN = "see its MODEL_CARD"
_NO_LICENCES: Mapping[str, str] = MappingProxyType({})


class PiperNetwork:
    """One file, loaded by the first text that one of its speakers says."""

    def __init__(self, path: Path, description: PiperDescription) -> None:
        self.name = path.stem
        self.description = description
        self._path = path
        self._loading = threading.Lock()
        self._loaded: Any = None

    def voice(self) -> Any:
        """Piper's own. Raises VoiceFailed that names the file."""
        with self._loading:
            if self._loaded is None:
                try:
                    self._loaded = self._load()
                except Exception as error:  # an import, or ONNX Runtime, which has its own types
                    why = "bring it again (python app.py models pull), or take it away"
                    raise VoiceFailed(f"{self._path} cannot be loaded: {why}. {error}") from error
            return self._loaded

    def _load(self) -> Any:
        import onnxruntime
        import piper

        # It warns of each sound that a voice lacks.
        logging.getLogger("piper").setLevel(logging.ERROR)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(2, len(affinity()))
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(
            str(self._path), options, providers=["CPUExecutionProvider"]
        )
        wanted = {"input", "input_lengths", "scales"}
        if self.description.num_speakers > 1:
            wanted.add("sid")
        inputs = {given.name for given in session.get_inputs()}
        if inputs != wanted:
            raise ValueError(f"A Piper voice takes {sorted(wanted)}, and this {sorted(inputs)}.")
        config = piper.PiperConfig.from_dict(self.description.model_dump())
        return piper.PiperVoice(session=session, config=config)


class PiperVoice:
    """One speaker. Any number of threads: ONNX Runtime takes them side by side."""

    engine = "piper"
    licence = "GPL-3.0-or-later"
    pitched = False
    streams = False

    def __init__(self, network: PiperNetwork, speaker: str, weights_licence: str) -> None:
        """``speaker``: a name of its description; empty where there is one alone."""
        self._network, description = network, network.description
        self._speaker = description.speakers[speaker] if speaker else None
        self.id = f"piper:{network.name}" + (f":{speaker}" if speaker else "")
        self.languages: tuple[str, ...] = (description.language,)
        self.sample_rate = description.audio.sample_rate
        self.name = f"Piper {network.name}" + (f" {speaker}" if speaker else "")
        self.weights_licence = weights_licence

    def warm(self) -> None:
        voice = self._network.voice()
        for phonemes in self._phonemes(voice, _WARM_UP[self.languages[0]], ()):
            self._sound(voice, phonemes, 1.0)

    def synthesize(self, piece: Piece, prosody: Prosody, stale: Stale) -> Iterator[Float32]:
        """A part for each sentence that Piper sees, never twice the same: its networks add noise.
        Raises VoiceFailed, or Cancelled when ``stale`` says so."""
        check_wanted(self, piece, stale)
        voice = self._network.voice()
        stresses = piece.stresses if piece.language == "ru" else ()
        plain = piece.said.translate(_BRACKETS)
        said, _ = spelling(plain, piece.language, (), lambda word: word)
        silent = True
        for phonemes in self._phonemes(voice, said, stresses):
            if not any(map(str.isalpha, phonemes)):
                continue
            if stale():
                raise Cancelled("Nobody waits for the speech any more")
            silent = False
            yield self._sound(voice, phonemes, prosody.speed)
        if silent:
            raise Unsayable(f"{self.id} finds nothing in the text that it can say.")

    def _phonemes(self, voice: Any, said: str, stresses: Iterable[int]) -> list[list[str]]:
        try:
            return with_stresses(said, stresses, voice.phonemize)
        except RuntimeError as error:  # its espeak-ng does not have the language's variant
            raise VoiceFailed(f"{self.id} failed: {error}") from error

    def _sound(self, voice: Any, phonemes: list[str], speed: float) -> Float32:
        import piper

        own = self._network.description.inference
        config = piper.SynthesisConfig(
            speaker_id=self._speaker,
            length_scale=own.length_scale / speed,
            noise_scale=own.noise_scale,
            noise_w_scale=own.noise_w,
            normalize_audio=False,  # it would make a whisper as loud as a shout
        )
        try:
            made = voice.phoneme_ids_to_audio(voice.phonemes_to_ids(phonemes), config)
        except Exception as error:  # ONNX Runtime has types of its own
            raise VoiceFailed(f"{self.id} failed: {kind_or_words(error)}") from error
        pcm: Float32 = np.atleast_1d(made).astype(np.float32)
        if pcm.ndim != 1 or not np.isfinite(pcm).all():
            raise VoiceFailed(f"{self.id} failed: what it made is no sound.")
        return pcm


def piper_voices(models_dir: Path, licences: Mapping[str, str] = _NO_LICENCES) -> Found:
    """The speakers of the files in the folder, in order of their names; nothing is loaded yet.

    ``licences`` of the weights, by ``piper:<name of the file>``.
    """
    folder = models_dir / FOLDER
    paths = sorted(folder.glob("*.onnx"))
    if not paths:
        return Found(
            missing=(Missing("piper", f"No voice is in {folder}: python app.py models list"),)
        )
    for package in ("piper", "onnxruntime"):
        if importlib.util.find_spec(package) is None:
            why = f"The package {package} is not installed: pip install piper-tts==1.8.0"
            return Found(missing=(Missing("piper", why),))
    voices: list[PiperVoice] = []
    missing: list[Missing] = []
    for path in paths:
        if not _NAME.fullmatch(path.stem):
            missing.append(Missing("piper", f"{path} has a name that no voice can have."))
            continue
        try:
            description = read_description(path.with_name(path.name + ".json"))
        except VoiceFailed as error:
            missing.append(Missing(f"piper:{path.stem}", str(error)))
            continue
        network = PiperNetwork(path, description)
        speakers = list(description.speakers) or [""]
        if len(speakers) > _MOST_LISTED:
            logger.info("%s: the first %d of its speakers are voices", path.name, _MOST_LISTED)
        licence = licences.get(f"piper:{path.stem}", _UNKNOWN)
        voices += [PiperVoice(network, name, licence) for name in speakers[:_MOST_LISTED]]
    return Found(tuple(voices), tuple(missing))
