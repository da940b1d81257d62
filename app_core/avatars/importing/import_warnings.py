"""What an import saw that a person should know: stable words, and a sentence for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app_core.face.flaws import BLURRED, DARK, SECOND_FACE, SMALL, TURNED

if TYPE_CHECKING:
    from collections.abc import Iterable

TRUNCATED = "truncated"
ROTATED, WAS_UPSIDE_DOWN = "rotated", "was_upside_down"
"""How the picture lay that was turned."""
SIDEWAYS, UPSIDE_DOWN = "sideways", "upside_down"
"""How the face still lies."""

SENTENCES = {
    SECOND_FACE: "There is another face in the picture; 'face' chooses which one speaks.",
    SMALL: "The face is small, so the mouth will be coarse; come closer to the camera.",
    DARK: "The face is dark; more light makes a better mouth.",
    TURNED: "The face is turned aside; the mouth looks best from the front.",
    BLURRED: "The face is blurred; the drawn mouth may look sharper than the rest.",
    TRUNCATED: "The clip is cut off; what could be read of it is used.",
    ROTATED: "The picture lay on its side and was set upright by its face; 'rotate' turns it.",
    WAS_UPSIDE_DOWN: "The picture was upside down and was set upright by its face;"
    " 'rotate' turns it.",
    SIDEWAYS: "The face lies on its side, so the mouth will be wrong; 'rotate' turns it.",
    UPSIDE_DOWN: "The face is upside down, so the mouth will be wrong; 'rotate' turns it.",
}


def of_turning(turned: int, lies: int) -> list[str]:
    """Of a picture that was turned by so many quarters, in which the face lies by so many."""
    was = {1: ROTATED, 2: WAS_UPSIDE_DOWN, 3: ROTATED}.get(turned % 4)
    left = {1: SIDEWAYS, 2: UPSIDE_DOWN, 3: SIDEWAYS}.get(lies % 4)
    return [code for code in (was, left) if code is not None]


def described(codes: Iterable[str]) -> list[dict[str, str]]:
    """As clients see them; words that nobody knows any more are left out."""
    return [{"code": code, "sentence": SENTENCES[code]} for code in codes if code in SENTENCES]
