"""What stands beside a Piper voice's network: its rate, its speakers and its sounds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, Field, ValidationError, model_validator

from app_core.errors import VoiceFailed

if TYPE_CHECKING:
    from pathlib import Path

_MOST_BYTES = 1 << 20
_MOST_SPEAKERS = 2000
_SPEAKER = re.compile(r"[A-Za-z0-9][\w.-]{0,63}", re.ASCII)
_LANGUAGES = ("ru", "kk", "en")
_Id = Annotated[int, Field(ge=0, lt=1024)]


class _Audio(BaseModel):
    sample_rate: int = Field(ge=8000, le=48000)


class _Espeak(BaseModel):
    voice: str = Field(pattern=r"^[a-z]{2,3}(-[a-z0-9]{1,8}){0,3}$")
    """espeak-ng would take a path as well."""


class _Inference(BaseModel):
    noise_scale: float = Field(0.667, ge=0, le=3)
    length_scale: float = Field(1.0, ge=0.1, le=10)
    noise_w: float = Field(0.8, ge=0, le=3)


class PiperDescription(BaseModel):
    """Fields that are not here, and so names of other files, are passed over."""

    audio: _Audio
    espeak: _Espeak
    inference: _Inference = _Inference(noise_scale=0.667, length_scale=1.0, noise_w=0.8)
    phoneme_type: Literal["espeak"] = "espeak"
    """The other types read other languages and download what they need."""
    phoneme_id_map: dict[str, list[_Id]] = Field(max_length=1024)
    num_symbols: int = Field(ge=1, le=1024)
    num_speakers: int = Field(1, ge=1, le=_MOST_SPEAKERS)
    speaker_id_map: dict[str, int] = Field({}, max_length=_MOST_SPEAKERS)

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.language not in _LANGUAGES:
            raise ValueError(f"the language is {self.language!r}, not of {', '.join(_LANGUAGES)}")
        if missing := [sign for sign in "_^$" if not self.phoneme_id_map.get(sign)]:
            raise ValueError(f"phoneme_id_map lacks {' '.join(missing)}")
        if max(max(ids, default=0) for ids in self.phoneme_id_map.values()) >= self.num_symbols:
            raise ValueError("phoneme_id_map has numbers that num_symbols does not allow")
        if any(not 0 <= number < self.num_speakers for number in self.speaker_id_map.values()):
            raise ValueError("speaker_id_map has numbers that num_speakers does not allow")
        return self

    @property
    def language(self) -> str:
        return self.espeak.voice.partition("-")[0]

    @property
    def speakers(self) -> dict[str, int]:
        """By the names that are fit for an id; a speaker without one is known by his number.
        Empty where there is one speaker alone."""
        if self.num_speakers == 1:
            return {}
        names = {
            number: name for name, number in self.speaker_id_map.items() if _SPEAKER.fullmatch(name)
        }
        return {names.get(number, str(number)): number for number in range(self.num_speakers)}


def read_description(path: Path) -> PiperDescription:
    """Raises VoiceFailed that names the file."""
    try:
        with path.open("rb") as file:
            written = file.read(_MOST_BYTES + 1)
        if len(written) > _MOST_BYTES:
            raise VoiceFailed(f"{path} is no description of a Piper voice: it is too long.")
        return PiperDescription.model_validate_json(written)
    except OSError as error:
        raise VoiceFailed(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise VoiceFailed(
            f"{path} is damaged or of another kind of voice ({place}: {first['msg']})."
        ) from error
