"""The settings as one object."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from app_core.config.access_settings import AccessSettings, is_loopback
from app_core.config.cluster_settings import ClusterSettings
from app_core.config.device_settings import DeviceSettings
from app_core.config.live_settings import LiveSettings
from app_core.config.privacy_settings import PrivacySettings
from app_core.config.share_settings import ShareSettings
from app_core.config.storage_settings import StorageSettings
from app_core.voice_server import JsonObject, NamedVoices, WebAddress

VERSION = "0.1.0"
ROOT = Path(__file__).resolve().parents[2]

_SECRETS = (
    *("API_TOKEN", "VOICE_SERVER_KEY", "VOICE_SERVER_URL", "VOICE_SERVER_FIELDS"),
    *("TURN_PASSWORD", "TURN_SECRET", "CLUSTER_SECRET"),
)
"""Settings that are not shown in an error: their values, or parts of these, may be secrets."""


class ConfigError(Exception):
    """A setting that cannot be used, named."""


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ")


def _under_root(value: str | Path) -> Path:
    try:
        return ROOT / Path(value).expanduser()  # an absolute path stays as it is
    except RuntimeError as error:
        raise ValueError("there is no home folder to put for ~") from error


class Config(
    DeviceSettings,
    LiveSettings,
    ShareSettings,
    StorageSettings,
    AccessSettings,
    PrivacySettings,
    ClusterSettings,
):
    """``from_env`` reads each field from the variable of the same name in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    listen: str = Field(
        "127.0.0.1:5000,127.0.0.1:3000",
        description="Addresses to listen on, host:port, separated by commas",
    )
    avatar_dir: Path = Field(Path("avatar"), description="Folder with one folder for each avatar")
    models_dir: Path = Field(
        Path("models"), description="Folder of the networks that `app.py models pull` brings"
    )
    avatar: str = Field("aigul", description="The avatar that speaks when a request names none")
    base_video_path: Path | None = Field(
        None,
        description="Clip or photo that speaks on /api/lipsync/video; empty: the avatar's clip",
    )
    model: str = Field(
        "auto", description="Lip-sync model: viseme, wav2lip, or auto: the best that runs here"
    )
    models: str = Field(
        "",
        description="Lip-sync models to load side by side, separated by commas, the default first;"
        " empty: that of MODEL",
    )
    model_runtime: Literal["auto", "cuda", "openvino", "torch"] = Field(
        "auto", description="What runs a network: cuda, openvino, torch, or auto: the fastest here"
    )
    model_precision: Literal["auto", "full", "half"] = Field(
        "auto", description="Precision of a network: full, half, or auto: half on a GPU"
    )
    mouth_offset: Annotated[float, Field(ge=-5, le=5)] = Field(
        0.0, description="How much later than its sound Wav2Lip's mouth comes, frames"
    )
    voice: str = Field(
        "", description="Voice that speaks the languages it knows when a request names none"
    )
    voice_ru: str = Field(
        "",
        description="Voices that speak Russian, the first that works, separated by commas; empty:"
        " the best that is here; espeak comes last in any case",
    )
    voice_kk: str = Field("", description="The same for Kazakh")
    voice_en: str = Field("", description="The same for English")
    voice_patience_s: Annotated[float, Field(gt=0)] = Field(
        3.0, description="For the first sound of a live sentence, before the next voice says it, s"
    )
    voice_cache_mb: Annotated[int, Field(ge=0)] = Field(
        32, description="Sentences as they were last said, kept to be said again, MiB"
    )
    voice_server_url: WebAddress = Field(
        "", description="Speech server that makes voices, an http or https address; empty: none"
    )
    voice_server_form: Literal["openai", "plain"] = Field(
        "openai",
        description="How it is asked: openai: POST <url>/v1/audio/speech;"
        ' plain: POST <url> with {"text", "lang"}',
    )
    voice_server_key: str = Field(
        "", repr=False, description="Bearer key for the speech server; empty: none"
    )
    voice_server_model: str = Field(
        "tts-1", description="Model that the speech server is asked for, in the form openai"
    )
    voice_server_voices: NamedVoices = Field(
        "",
        description="Its voices, language=name separated by commas, as ru=alloy,en=nova;"
        " empty: its own in ru, kk and en",
    )
    voice_server_format: Literal["wav", "pcm", "mp3", "flac", "opus", "aac"] = Field(
        "wav",
        description="What it is asked to send, in the form openai: wav or pcm (both come as they"
        " are made), mp3, flac, opus or aac",
    )
    voice_server_fields: JsonObject = Field(
        "",
        description='More fields of each request to it, a JSON object as {"stream": true};'
        " empty: none",
    )
    voice_server_timeout_s: Annotated[float, Field(gt=0, le=600)] = Field(
        20.0, description="A speech server that sends nothing for this long is left, seconds"
    )
    coqui_model: Path | None = Field(
        None,
        description="Folder of a Coqui model that a speech server of ours speaks with, see"
        " integrations/coqui; empty: none",
    )
    coqui_speaker: Path | None = Field(
        None,
        description="Sound file of the person whose voice XTTS takes, 6 to 30 s; empty: sample.wav"
        " in the model's folder",
    )
    dictionary: Path | None = Field(
        None,
        description="File of readings, a line `word = reading` each, + before a stressed vowel;"
        " empty: none",
    )
    sway: bool = Field(True, description="Breath, sway and blinks for still avatars, true or false")
    ffmpeg: str = Field("", description="Path of ffmpeg; empty: the better of system and pip")
    max_jobs: Annotated[int, Field(ge=1, le=1024)] = Field(
        48, description="Renders at once, count; measured capacity may refuse earlier"
    )
    cpu_share: Annotated[float, Field(gt=0, le=1)] = Field(
        0.75, description="Part of the cores that live renders may fill, 0..1"
    )
    max_text_chars: Annotated[int, Field(ge=1, le=100_000)] = Field(
        5000, description="Longest text of one request, characters"
    )
    max_clip_s: Annotated[int, Field(ge=1, le=7200)] = Field(
        1800, description="Longest clip that is imported, seconds"
    )
    max_pixels: Annotated[int, Field(ge=4096)] = Field(
        50_000_000, description="Largest photo that is imported, pixels"
    )
    max_clip_pixels: Annotated[int, Field(ge=4096)] = Field(
        9_500_000, description="Largest pictures of a clip that is imported, pixels; 4K fits"
    )
    import_nvdec: bool = Field(
        False, description="Decode imported clips on an NVIDIA GPU if there is one, true or false"
    )
    jpeg_quality: Annotated[int, Field(ge=10, le=100)] = Field(
        85, description="Quality of MJPEG pictures, 10..100"
    )
    max_upload_mb: Annotated[int, Field(ge=1)] = Field(
        512, description="Largest photo or clip that can be uploaded, MiB"
    )
    max_audio_s: Annotated[int, Field(ge=1, le=86_400)] = Field(
        1800, description="Longest recording that can be uploaded to be said, seconds"
    )
    send_timeout_s: Annotated[float, Field(gt=0)] = Field(
        10.0, description="A client that takes nothing for this long is gone, seconds"
    )
    work_dir: Path | None = Field(
        None, description="Folder for files while they are made; empty: the system's"
    )
    place: str = ""
    """This replica's name in a cluster, 8 hex digits; empty without one."""
    log_level: str = Field("info", description="debug, info, warning or error")
    log_format: Literal["line", "json"] = Field(
        "line", description="line for a person, json for a collector of logs"
    )

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.lower() not in {"debug", "info", "warning", "error"}:
            raise ValueError("must be debug, info, warning or error")
        return value.lower()

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        for address in value.split(","):
            host, _, port = address.strip().rpartition(":")
            if not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
                raise ValueError(f"'{address.strip()}' is not host:port")
        return value

    @field_validator("api_token", "voice_server_key", "cluster_secret")
    @classmethod
    def _sendable(cls, value: str) -> str:
        if not all("!" <= letter <= "~" for letter in value):
            raise ValueError("must be visible ASCII characters, which any client can send")
        return value

    @field_validator(
        "avatar_dir",
        "models_dir",
        "base_video_path",
        "work_dir",
        "coqui_model",
        "coqui_speaker",
        "dictionary",
        "api_token_file",
        "audit_log",
        mode="before",
    )
    @classmethod
    def _from_root(cls, value: Any, info: ValidationInfo) -> Any:
        """Every path by one rule: empty is unset, ``~`` is the home, the rest is under ROOT."""
        if isinstance(value, str) and not value.strip():
            value = cls.model_fields[info.field_name or ""].default
        return value if value is None else _under_root(value)

    @field_validator("models")
    @classmethod
    def _each_once(cls, value: str) -> str:
        names = [name.strip() for name in value.split(",")] if value.strip() else []
        if "auto" in names or not all(names) or len(set(names)) < len(names):
            raise ValueError("must be names of different models; auto is for MODEL")
        return ",".join(names)

    @field_validator("ffmpeg")
    @classmethod
    def _command_or_path(cls, value: str) -> str:
        """A name without a slash is looked for where commands are."""
        value = value.strip()
        return str(_under_root(value)) if "/" in value or value.startswith("~") else value

    @classmethod
    def setting_names(cls) -> list[str]:
        """Of the fields that the environment sets: those that say what they are for."""
        return [name for name, field in cls.model_fields.items() if field.description]

    @classmethod
    def from_env(cls, environ: dict[str, str] | None = None) -> Self:
        """Raises ConfigError that names the variable."""
        source = os.environ if environ is None else environ
        names = cls.setting_names()
        given = {name: source[name.upper()] for name in names if name.upper() in source}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            first = error.errors()[0]
            if not first["loc"]:  # of more than one setting: it names them itself
                raise ConfigError(_sentence(first["msg"])) from error
            name = str(first["loc"][0]).upper()
            shown = "(not shown)" if name in _SECRETS else repr(source.get(name))
            raise ConfigError(f"{name}={shown}: {_sentence(first['msg'])}") from error

    @property
    def addresses(self) -> list[tuple[str, int]]:
        pairs = (address.strip().rpartition(":") for address in self.listen.split(","))
        return [(host.strip("[]"), int(port)) for host, _, port in pairs]

    @property
    def reached_by_others(self) -> bool:
        """From beyond this machine: it listens there, or a proxy passes requests on."""
        return bool(self.trusted_proxies.strip()) or not all(
            is_loopback(host) for host, _ in self.addresses
        )

    @property
    def model_names(self) -> tuple[str, ...]:
        """The models to load, the default first; ``auto`` is the best that runs here."""
        return tuple(self.models.split(",")) if self.models else (self.model,)

    @property
    def voice_chains(self) -> dict[str, list[str]]:
        """Ids of voices by language; a language without any is left out."""
        chains = {"ru": self.voice_ru, "kk": self.voice_kk, "en": self.voice_en}
        named = {
            language: [voice.strip() for voice in chain.split(",") if voice.strip()]
            for language, chain in chains.items()
        }
        return {language: ids for language, ids in named.items() if ids}
