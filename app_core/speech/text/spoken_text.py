"""A whole text as it is said, and which of its written words each part of that stands for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from app_core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app_core.speech.text.piece import Piece, ReadWord


@dataclass(frozen=True, slots=True)
class SpokenText:
    said: str
    """On one line, with the marks that make pauses."""
    words: tuple[ReadWord, ...]
    """In order."""

    @classmethod
    def of(cls, pieces: Iterator[Piece]) -> SpokenText:
        """Raises BadInput when there is nothing to say."""
        read = list(something(pieces))
        said = " ".join(" ".join(piece.said for piece in read).split())
        return cls(said, tuple(word for piece in read for word in piece.words))


def something(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The same pieces; only the first is read before they are asked for. Raises BadInput when
    there is none."""
    first = next(pieces, None)
    if first is None:
        raise nothing_to_say()
    return chain([first], pieces)


def check_length(text: str, most: int) -> None:
    """Raises BadInput; spaces around the text do not count."""
    if len(text.strip()) > most:
        raise BadInput(f"'text' is longer than {most} characters", field="text")


def nothing_to_say() -> BadInput:
    return BadInput("There is nothing to say in this text", field="text")
