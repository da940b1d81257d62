"""What a client may ask of an avatar: its mouth moved by hand, its picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from app_core.landmarks import LIP_POINTS
from app_core.request import parsed, parsed_query

if TYPE_CHECKING:
    from collections.abc import Mapping

Point = Annotated[
    list[FiniteFloat],
    Field(min_length=2, max_length=2, description="x and y, pixels of the still"),
]
Curve = Annotated[
    list[Point],
    Field(min_length=LIP_POINTS, max_length=LIP_POINTS, description="From the left to the right"),
]
Gain = Annotated[FiniteFloat, Field(ge=0.2, le=2.0)]


class MouthPoints(BaseModel):
    """The five points that the others follow, or whole curves; left and right are the viewer's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    corner_left: Point | None = None
    corner_right: Point | None = None
    upper: Point | None = Field(default=None, description="Middle of the upper lip's upper edge")
    lower: Point | None = Field(default=None, description="Middle of the lower lip's lower edge")
    seam: Point | None = Field(default=None, description="Where the lips meet, in the middle")
    lip_upper_outer: Curve | None = None
    lip_upper_inner: Curve | None = None
    lip_lower_inner: Curve | None = None
    lip_lower_outer: Curve | None = None


class Gains(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    jaw: Gain | None = Field(default=None, description="How far the jaw moves; 1 as it was made")
    open: Gain | None = Field(default=None, description="How far the lips open; 1 as it was made")


class MouthRequest(BaseModel):
    """The mouth of an avatar, changed by hand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    points: MouthPoints | None = Field(
        default=None, description="Where the lips are in the still; those left out stay"
    )
    gains: Gains | None = Field(default=None, description="Those left out stay")

    @classmethod
    def parse(cls, fields: Any) -> Self:
        """From a JSON value. Raises BadInput that names the field."""
        return parsed(cls, fields)


class PreviewQuery(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    size: Annotated[int, Field(ge=32, le=1920)] = Field(
        default=512, description="Longest side, pixels; never larger than the still"
    )
    square: bool = Field(default=False, description="Cut as the square pictures of live routes")

    @classmethod
    def parse_query(cls, fields: Mapping[str, str]) -> Self:
        """From the strings of a query. Raises BadInput that names the field."""
        return parsed_query(cls, fields)
