"""XTTS: it takes anybody's voice from a sample, and speaks while it thinks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from TTS.config import load_config
from TTS.tts.models.xtts import Xtts

from soyle_coqui.errors import NotReady
from soyle_coqui.speaker_sample import Latents, take
from soyle_coqui.text import cut

if TYPE_CHECKING:
    from soyle_coqui.model_folder import ModelFolder
    from soyle_coqui.wav import Float32

SAMPLE = "sample.wav"
_CHUNK_TOKENS = 20  # 0.9 s
_SLOWEST_CHARS_PER_S = 5.0  # a model that does not find the end is stopped there
_LEAST_S = 2.0
_DEFAULT_LIMIT = 180


class XttsVoice:
    streams = True

    def __init__(self, folder: ModelFolder, sample: Path | None) -> None:
        self.name, self.licence = folder.name, folder.licence
        config = load_config(folder.path / "config.json")
        self._config, self._model = config, Xtts(config)
        self._model.load_checkpoint(config, checkpoint_dir=str(folder.path), eval=True)
        if torch.cuda.is_available():
            self._model.cuda()
        known = self._model.tokenizer.char_limits
        self.languages = tuple(code for code in config.languages if code.split("-")[0] in known)
        self.sample_rate = int(config.model_args.output_sample_rate)
        self._voices = self._open_voices(folder, sample)
        self.speakers = tuple(self._voices)

    def _open_voices(self, folder: ModelFolder, sample: Path | None) -> dict[str, Latents]:
        """The user's sample first, then the speakers that come with the model."""
        voices: dict[str, Latents] = {}
        if sample is None and (folder.path / SAMPLE).is_file():
            sample = folder.path / SAMPLE
        if sample is not None:
            voices["sample"] = take(self._model, folder, sample)
        manager = getattr(self._model, "speaker_manager", None)
        for name, pair in (manager.speakers if manager is not None else {}).items():
            voices[name] = Latents(pair["gpt_cond_latent"], pair["speaker_embedding"])
        if not voices:
            raise NotReady(
                "XTTS has nobody's voice: name a sound file of 6 to 30 s of one person by --speaker"
                f" (in Soyle: COQUI_SPEAKER), or put it at {folder.path / SAMPLE}"
            )
        return voices

    def cut(self, text: str, language: str) -> list[str]:
        limits = self._model.tokenizer.char_limits
        return cut(text, limits.get(language.split("-")[0], _DEFAULT_LIMIT))

    def speak(self, piece: str, language: str, speaker: str, speed: float) -> Iterator[Float32]:
        latents = self._voices[speaker or self.speakers[0]]
        parts: Any = self._model.inference_stream(
            piece,
            language,
            latents.gpt,
            latents.speaker,
            stream_chunk_size=_CHUNK_TOKENS,
            speed=speed,
            temperature=self._config.temperature,
            length_penalty=self._config.length_penalty,
            repetition_penalty=self._config.repetition_penalty,
            top_k=self._config.top_k,
            top_p=self._config.top_p,
        )
        left = int((_LEAST_S + len(piece) / _SLOWEST_CHARS_PER_S) / speed * self.sample_rate)
        try:
            for part in parts:
                sound = np.asarray(part.detach().cpu().numpy(), np.float32).reshape(-1)[:left]
                left -= len(sound)
                yield sound
                if left <= 0:
                    return
        finally:
            parts.close()
