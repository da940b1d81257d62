"""Terms that a user agrees to by a command, never a program for the user."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

from soyle_coqui.errors import NotReady

NAME = "soyle-licence.json"
_COQUIS_OWN = "tos_agreed.txt"
"""What Coqui's own program writes after its question has been answered with yes."""


@dataclass(frozen=True, slots=True)
class Licence:
    id: str
    about: str
    url: str


CPML = Licence(
    "CPML", "Coqui Public Model License, non-commercial", "https://tts-hub.github.io/cpml"
)
CC_BY_NC = Licence(
    "CC-BY-NC-4.0",
    "Creative Commons, non-commercial",
    "https://creativecommons.org/licenses/by-nc/4.0/",
)


def agreed(folder: Path, licence: Licence) -> bool:
    if licence is CPML and (folder / _COQUIS_OWN).is_file():
        return True
    try:
        told = json.loads((folder / NAME).read_text("utf-8"))
        return bool(told["licence"] == licence.id)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def agree(folder: Path, licence: Licence) -> None:
    """The user has said so. Raises OSError."""
    told = {"licence": licence.id, "url": licence.url, "agreed": time.strftime("%Y-%m-%d")}
    (folder / NAME).write_text(json.dumps(told, indent=2) + "\n", "utf-8")


def require(folder: Path, licence: Licence, pulled_as: str) -> None:
    """Raises NotReady with the command by which a user agrees."""
    if not agreed(folder, licence):
        raise NotReady(
            f"the licence of the model in {folder} has not been agreed to:"
            f" {licence.id} ({licence.about}, {licence.url}). To agree, in integrations/coqui:"
            f" .venv/bin/python -m soyle_coqui pull {pulled_as} --accept-licence --to {folder}"
        )
