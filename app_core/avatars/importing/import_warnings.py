"""What an import saw that a person should know: stable words, and a sentence for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app_core.face.flaws import BLURRED, DARK, SECOND_FACE, SMALL, TURNED

if TYPE_CHECKING:
    from collections.abc import Iterable

TRUNCATED, ROTATED = "truncated", "rotated"

SENTENCES = {
    SECOND_FACE: "There is another face in the picture; 'face' chooses which one speaks.",
    SMALL: "The face is small, so the mouth will be coarse; come closer to the camera.",
    DARK: "The face is dark; more light makes a better mouth.",
    TURNED: "The face is turned aside; the mouth looks best from the front.",
    BLURRED: "The face is blurred; the drawn mouth may look sharper than the rest.",
    TRUNCATED: "The clip is cut off; what could be read of it is used.",
    ROTATED: "The picture lay on its side and was set upright by its face; 'rotate' turns it.",
}


def described(codes: Iterable[str]) -> list[dict[str, str]]:
    """As clients see them; words that nobody knows any more are left out."""
    return [{"code": code, "sentence": SENTENCES[code]} for code in codes if code in SENTENCES]
