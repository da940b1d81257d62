"""An id out of a name that a person gave."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 64
_LATIN = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюяәғқңөұүһі",
        "a b v g d e yo zh z i i k l m n o p r s t u f kh ts ch sh shch _ y _ e yu ya"
        " a g q n o u u h i".replace("_", "").split(" "),
        strict=True,
    )
)


def slug(name: str) -> str:
    """Lower-case Latin letters, digits and hyphens; ``avatar`` when nothing of it is left."""
    latin = "".join(_LATIN.get(letter, letter) for letter in name.casefold())
    plain = unicodedata.normalize("NFKD", latin).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48].strip("-") or "avatar"


def free_id(wanted: str, taken: Callable[[str], bool]) -> str:
    """``wanted``, or with the first number behind it that is not taken."""
    found, number = wanted, 1
    while taken(found):
        number += 1
        found = f"{wanted[: LONGEST - 6]}-{number}"
    return found
