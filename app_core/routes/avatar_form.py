"""The form of POST /api/avatars, as it is described to developers."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class AvatarForm(BaseModel):
    """multipart/form-data"""

    file: bytes = Field(
        description="A photo (JPEG, PNG, WebP, HEIC) or a clip (MP4, MOV, WebM) of a face",
        json_schema_extra={"format": "binary"},
    )
    consent: Literal["true"] = Field(
        description="true: whoever is seen has agreed to be made to speak"
    )
    name: str = Field(default="", max_length=80, description="For people; else the file's name")
    id: str | None = Field(
        default=None, pattern="^[a-z0-9-]{1,64}$", description="For programs; else made of the name"
    )
    face: str | None = Field(
        default=None,
        pattern=r"^([0-9]{1,2}|[0-9]{1,5}(\.[0-9]{1,3})?,[0-9]{1,5}(\.[0-9]{1,3})?)$",
        description="Which face, when there are several: a number from 0, the largest face first,"
        " or x,y: the one nearest to that point, in pixels of the file's picture as it is shown,"
        " turned by rotate; else the largest",
    )
    rotate: Literal["0", "90", "180", "270"] | None = Field(
        default=None,
        description="Degrees clockwise, beyond what the file itself says; else the picture is"
        " turned until its face is upright",
    )
