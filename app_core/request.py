"""What a client may ask for: the models that validate, and how a refusal reads."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
)

from app_core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

SMALLEST, LARGEST = 128, 1920
_SIZE = re.compile(r"(\d{3,4})x(\d{3,4})")


def _size(value: str) -> str:
    if value == "auto":
        return value
    match = _SIZE.fullmatch(value)
    sides = [int(side) for side in match.groups()] if match else []
    if not sides or any(s % 2 or not SMALLEST <= s <= LARGEST for s in sides):
        raise ValueError(f"must be auto or WxH with even sides {SMALLEST}..{LARGEST}")
    return value


def _uuid(value: str) -> str:
    try:
        return str(uuid.UUID(value))
    except ValueError:
        raise ValueError("must be a UUID") from None


def _trimmed(value: str) -> str:
    trimmed = value.strip()
    if not trimmed:
        raise ValueError("must not be empty")
    return trimmed


Size = Annotated[StrictStr, AfterValidator(_size)]
Speed = Annotated[float, Field(ge=0.5, le=2.0, allow_inf_nan=False, strict=True)]


class RenderRequest(BaseModel):
    """The fields that every render has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Annotated[StrictStr, AfterValidator(_trimmed)]
    language: Literal["ru", "kk", "en"] = "ru"
    avatar: StrictStr | None = None
    voice: StrictStr | None = None
    model: StrictStr = "auto"
    size: Size = "auto"
    fps: Annotated[StrictInt, Field(ge=10, le=60)] = 25
    speed: Speed = 1.0
    job_id: Annotated[StrictStr, AfterValidator(_uuid)] | None = None

    @classmethod
    def parse(cls, fields: Any) -> Self:
        """From a JSON value. Raises BadInput that names the field."""
        if not isinstance(fields, dict):
            raise BadInput("The request must be a JSON object")
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            raise _refusal(error) from error

    @classmethod
    def parse_query(cls, fields: Mapping[str, str]) -> Self:
        """From the strings of a query. Raises BadInput that names the field."""
        try:
            return cls.model_validate_strings(dict(fields))
        except ValidationError as error:
            raise _refusal(error) from error

    @property
    def live(self) -> bool:
        """Frames follow the clock: each at its time, late ones dropped."""
        return False

    @property
    def still(self) -> bool:
        """On the avatar's still, though it has a clip."""
        return False

    @property
    def hasty(self) -> bool:
        """Small batches only."""
        return False

    def pixels(self, auto: tuple[int, int] | None) -> tuple[int, int] | None:
        """(width, height), or ``auto`` where the client left it open."""
        if self.size == "auto":
            return auto
        width, _, height = self.size.partition("x")
        return int(width), int(height)


class MjpegRequest(RenderRequest):
    size: Size = "512x512"
    low_latency: StrictBool = False
    pace: Literal["realtime", "asap"] = "realtime"

    @property
    def live(self) -> bool:
        return self.pace == "realtime"

    @property
    def hasty(self) -> bool:
        return self.low_latency


class GenerateRequest(RenderRequest):
    static_mode: StrictBool = True

    @property
    def still(self) -> bool:
        return self.static_mode


def _refusal(error: ValidationError) -> BadInput:
    first = error.errors()[0]
    field = str(first["loc"][0]) if first["loc"] else None
    kind, message = first["type"], str(first["msg"])
    if kind == "missing":
        sentence = f"'{field}' is required"
    elif kind == "extra_forbidden":
        sentence = f"'{field}' is not a field of this request"
    else:
        message = message.removeprefix("Value error, ").removeprefix("Input should be ")
        verb = "" if message.startswith("must") else "must be "
        sentence = f"'{field}' {verb}{message}"
    return BadInput(sentence, field=field)
