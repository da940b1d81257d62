"""Where the stress lies in Russian text, as Silero wants to be told: ``+`` before the vowel."""

from __future__ import annotations

import importlib.util
import logging
from typing import TYPE_CHECKING, Any

from app_core.speech.voices.espeak import russian_stresses

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app_core.cancel_scope import Stale

logger = logging.getLogger(__name__)

_VOWELS = frozenset("аеёиоуыэюя")


class RussianAccentor:
    """The package silero-stress, which tells words apart that are written alike; without it
    espeak-ng's dictionary. For one thread at a time."""

    def __init__(self) -> None:
        self._silero: Any = None
        self._loaded = False

    def load(self) -> None:
        """Once; seconds, and 500 MB of memory, where silero-stress is installed."""
        if self._loaded:
            return
        self._loaded = True
        if importlib.util.find_spec("silero_stress") is None:
            logger.warning(
                "Silero's Russian is stressed by espeak-ng's dictionary, one word of twelve wrong:"
                " pip install torch==2.13.0 silero-stress==1.5"
            )
            return
        import torch

        threads = torch.get_num_threads()
        try:
            from silero_stress import load_accentor

            self._silero = load_accentor("ru")
        except Exception:  # a pickle of classes of its own: anything can be wrong with it
            logger.exception("silero-stress cannot be loaded: espeak-ng's dictionary is used")
        finally:
            torch.set_num_threads(threads)  # its import sets 1 for the whole process

    def marked(self, said: str, stresses: Iterable[int], stale: Stale) -> str:
        """``said`` with a ``+`` before each stressed vowel that is known: those at ``stresses``,
        and in the other words where a dictionary has them."""
        self.load()
        plain = said.replace("+", " ")
        given = [at for at in stresses if plain[at : at + 1].lower() in _VOWELS]
        if self._silero is not None:
            try:
                return str(self._silero(_with_plus(plain, given)))
            except Exception as error:  # of torch, or of its own rules
                logger.warning(
                    "silero-stress failed (%s): espeak-ng stresses", type(error).__name__
                )
        own = {_word_start(plain, at) for at in given}
        found = (at for at in russian_stresses(plain, stale) if _word_start(plain, at) not in own)
        return _with_plus(plain, [*given, *found])


def _with_plus(said: str, places: Iterable[int]) -> str:
    for at in sorted(places, reverse=True):
        said = f"{said[:at]}+{said[at:]}"
    return said


def _word_start(said: str, at: int) -> int:
    while at and said[at - 1].isalpha():
        at -= 1
    return at
