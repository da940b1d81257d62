"""hibari: a natural English voice whose network comes inside its package. It runs on one core."""

from __future__ import annotations

import importlib.util
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app_core.errors import Cancelled, SoyleError, Unsayable, VoiceFailed, kind_or_words
from app_core.media.tempo import stretched
from app_core.speech.synthesizer import check_wanted
from app_core.speech.voices.found import Found, Missing
from app_core.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app_core.cancel_scope import Stale
    from app_core.media.ffmpeg import Ffmpeg
    from app_core.speech.text.piece import Piece
    from app_core.types import Float32, Prosody

_VOICE = "heart"
"""The one in the package. By its name alone hibari would download any other."""
_SEED = 1
"""Of the noise in the sound: the same text is the same sound, bit by bit."""
_SLOWER = ((0.5, 0.61, 0.70, 0.80, 0.95, 1.0), (0.5, 0.6, 0.7, 0.8, 0.9, 1.0))
"""How fast it speaks, and what it must be asked for (measured). Faster than its own it cannot:
it rounds each phoneme to 25 ms, and between 1.16 and 1.5 there is nothing."""
_WARM_UP = "Ready, Zyxwen?"
"""With a word that no lexicon has, so that the net that spells such words is loaded too."""
_LINK = re.compile(r"[\[\]]")
"""``[word](/phonemes/)`` would be read as an order."""
_ENDLESS = re.compile(r"[^\W\d_]{25}")
"""Of a word that no lexicon has it spells some 25 phonemes, and no more (measured)."""
_LATIN_END = "\u0250"
_NOTHING = "hibari finds nothing in the text that it can say."


class HibariVoice:
    id = "hibari"
    languages: tuple[str, ...] = ("en",)
    sample_rate = 24000
    name = "Hibari Heart"
    engine = "hibari"
    licence = weights_licence = "Apache-2.0"
    pitched = False
    streams = False

    def __init__(self, ffmpeg: Callable[[], Ffmpeg]) -> None:
        """``ffmpeg`` makes speech faster."""
        self._ffmpeg = ffmpeg
        self._loading, self._turns = threading.Lock(), Turns("The voice", VoiceFailed)
        self._loaded: Any = None

    def warm(self) -> None:
        self._hibari()

    def synthesize(self, piece: Piece, prosody: Prosody, stale: Stale) -> Iterator[Float32]:
        """A part for each sentence, the same whenever it is asked for. Any number of threads, of
        which one works: two at once would make both late."""
        check_wanted(self, piece, stale)
        said = _readable(piece.said)
        if not any(map(str.isalnum, said)):
            raise Unsayable(_NOTHING)
        if _ENDLESS.search(said):
            raise Unsayable("hibari drops the end of a word as long as one in this text.")
        own = float(np.interp(prosody.speed, *_SLOWER))
        parts = self._hibari().stream(said, speed=own, seed=_SEED)
        silent = True
        while (pcm := self._next(parts, len(said), stale)) is not None:
            silent = False
            yield self._faster(pcm, prosody.speed)
            if stale():
                raise Cancelled("Nobody waits for the speech any more")
        if silent:
            raise Unsayable(_NOTHING)

    def _next(self, parts: Iterator[Float32], length: int, stale: Stale) -> Float32 | None:
        with self._turns.turn(length, stale):
            try:
                return next(parts, None)
            except Exception as error:  # ONNX Runtime has types of its own
                raise VoiceFailed(f"hibari failed: {kind_or_words(error)}") from error

    def _faster(self, pcm: Float32, speed: float) -> Float32:
        try:
            return stretched(pcm, self.sample_rate, max(speed, 1.0), self._ffmpeg())
        except SoyleError as error:
            raise VoiceFailed(f"hibari cannot be made faster: {error}") from error

    def _hibari(self) -> Any:
        with self._loading:
            if self._loaded is None:
                try:
                    self._loaded = _load()
                except Exception as error:  # an import, a file or ONNX Runtime
                    raise VoiceFailed(f"hibari cannot be loaded: {error}") from error
            return self._loaded


def hibari_voices(ffmpeg: Callable[[], Ffmpeg]) -> Found:
    """The English voice, where its package is installed whole."""
    for package in ("hibari", "onnxruntime"):
        if importlib.util.find_spec(package) is None:
            why = f"The package {package} is not installed: pip install hibari-tts==0.2.1"
            return Found(missing=(Missing(HibariVoice.id, why),))
    if not _network().is_file():
        why = f"{_network()} is missing: pip install --force-reinstall hibari-tts==0.2.1"
        return Found(missing=(Missing(HibariVoice.id, why),))
    return Found((HibariVoice(ffmpeg),))


def _network() -> Path:
    spec = importlib.util.find_spec("hibari")
    folder = Path(spec.origin).parent if spec and spec.origin else Path()
    return folder / "assets" / "hibari.onnx"


def _load() -> Any:
    """Ready for its first text. The file is named, so hibari has nothing to look for elsewhere."""
    from hibari import Hibari

    loaded = Hibari(voice=_VOICE, model=str(_network()), threads=1)
    for _ in loaded.stream(_WARM_UP, seed=_SEED):
        pass
    return loaded


def _readable(said: str) -> str:
    """Without letters of other alphabets, of which it makes noise."""
    return "".join(char for char in _LINK.sub("", said) if char < _LATIN_END or not char.isalpha())
