"""A person's voice out of a sound file, kept on disk for the next start."""

from __future__ import annotations

import hashlib
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import soundfile
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from soyle_coqui.errors import NotReady

if TYPE_CHECKING:
    from soyle_coqui.model_folder import ModelFolder

logger = logging.getLogger(__name__)

CACHE = ".voices"
_RATE = 22050
_LEAST_S, _MOST_S = 3.0, 30
_CHUNK_S = 6


@dataclass(frozen=True, slots=True)
class Latents:
    gpt: Any
    """Tensor (1, prompt tokens, channels)."""
    speaker: Any
    """Tensor (1, channels, 1)."""


def take(model: Any, folder: ModelFolder, sample: Path) -> Latents:
    """Raises NotReady when the file cannot be used."""
    path = folder.path / CACHE / f"{_key(folder, sample)}.safetensors"
    try:
        kept = load_file(path)
        return Latents(kept["gpt"], kept["speaker"])
    except (OSError, SafetensorError, KeyError):
        made = _make(model, sample)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(exist_ok=True)
        save_file({"gpt": made.gpt, "speaker": made.speaker}, partial)
        partial.replace(path)
    except (OSError, SafetensorError) as error:
        logger.warning("the voice of the sample is not kept: %s", error)
    return made


def _key(folder: ModelFolder, sample: Path) -> str:
    """Of the sound and of the model that hears it."""
    stat = folder.checkpoint.stat()
    seen = hashlib.sha256(f"{stat.st_size} {stat.st_mtime_ns} {_MOST_S} {_CHUNK_S} ".encode())
    try:
        with sample.open("rb") as file:
            while block := file.read(1 << 20):
                seen.update(block)
    except OSError as error:
        raise NotReady(f"the sample {sample} cannot be read: {error.strerror}") from error
    return seen.hexdigest()


def _make(model: Any, sample: Path) -> Latents:
    import torchaudio

    try:
        with soundfile.SoundFile(sample) as file:
            rate = file.samplerate
            sound = file.read(frames=_MOST_S * rate, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise NotReady(f"the sample {sample} cannot be read: {error}") from error
    if len(sound) < _LEAST_S * rate:
        raise NotReady(f"the sample {sample} is shorter than {_LEAST_S:.0f} s; 6 to 30 s are best")
    mono = torch.from_numpy(sound.mean(axis=1)).unsqueeze(0)
    mono = torchaudio.functional.resample(mono, rate, _RATE).clip(-1, 1)
    with torch.inference_mode():
        gpt = model.get_gpt_cond_latents(mono, _RATE, length=_MOST_S, chunk_length=_CHUNK_S)
        speaker = model.get_speaker_embedding(mono, _RATE)
    return Latents(gpt.cpu().contiguous().clone(), speaker.cpu().contiguous().clone())
