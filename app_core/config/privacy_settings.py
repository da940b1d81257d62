"""The settings of what people see, what is written down of them, and how long it stays."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field


class PrivacySettings(BaseModel):
    label_synthetic: bool = Field(
        False, description="Draw a small label that says so into every picture, true or false"
    )
    audit_log: Path | None = Field(
        None,
        description="File that gets a line for each render and session: who, when, which face and"
        " voice, how long, never the text; empty: the log",
    )
    avatar_life_days: Annotated[float, Field(ge=0)] = Field(
        0.0,
        description="Faces that clients added and nobody used for this long are removed, days;"
        " 0: never",
    )
