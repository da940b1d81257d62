"""Silero: the Russian and Kazakh speakers of one free file, by torch."""

from __future__ import annotations

import importlib.util
import threading
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from app_core.cancel_scope import never
from app_core.errors import SoyleError, Unsayable, VoiceFailed
from app_core.media.tempo import stretched
from app_core.speech.synthesizer import check_wanted
from app_core.speech.text.piece import Piece
from app_core.speech.voices.found import Found, Missing
from app_core.speech.voices.silero_accentor import RussianAccentor
from app_core.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from app_core.cancel_scope import Stale
    from app_core.media.ffmpeg import Ffmpeg
    from app_core.types import Float32, Prosody

FILE = "silero/v5_cis_base_nostress.jit"
"""Below ``MODELS_DIR``."""
_RUSSIAN = (
    "aigul albina alexandr alfia alfia2 bogdan dmitriy eduard ekaterina gamat igor karina kejilgan"
    " kermen marat miyau nurgul oksana onaoy ramilia roman safarhuja saida sibday vika zara zhadyra"
    " zhazira zinaida"
).split()
"""In the file's order."""
_SPEAKERS = {
    **{f"ru_{name}": number for number, name in enumerate(_RUSSIAN, start=20)},
    "kaz_zhadyra": 13,
    "kaz_zhazira": 14,
}
_LANGUAGES = {"ru": "ru", "kaz": "kk"}
_SYMBOLS = "!'+,-.:;?hабвгдежзийклмнопрстуфхцчшщъыьэюяёєіїјўґғҕҗҙқҝҡңҥҫүұҳҷҹһӑӗәӝӟӣӥӧөӯӱӳӵӏ—… "
_IDS = {symbol: number for number, symbol in enumerate(_SYMBOLS, start=3) if symbol != "h"}
"""Of what Russian and Kazakh are written with."""
_START, _END = 2, 1
_ALIKE = str.maketrans({"–": "—", "―": "—", "‑": "-", "’": "'", "\n": " ", "\u00a0": " "})
_SHORT = 10
"""Characters: shorter texts lose a sound where they do not end as sentences do."""
_PULL = "python app.py models pull silero"
_WARM_UP = {"ru": "мама", "kk": "ана"}


class SileroNetwork:
    """The file, loaded by the first text, and who is next: torch already uses several cores."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turns = Turns("The voice", VoiceFailed)
        self._loading = threading.Lock()
        self._loaded: Any = None
        self._accentor = RussianAccentor()

    def sound(self, piece: Piece, speaker: int, stale: Stale) -> Float32:
        """48 kHz. Raises VoiceFailed, or Cancelled when ``stale`` says so."""
        network = self._network()
        with self._turns.turn(len(piece.said), stale):
            said = piece.said
            if piece.language == "ru":
                said = self._accentor.marked(said, piece.stresses, stale)
            return self._run(network, _ids(said), speaker)

    def _run(self, network: Any, ids: list[int], speaker: int) -> Float32:
        import torch

        try:
            with torch.inference_mode():
                made = network(torch.tensor([ids]), torch.tensor([speaker]))
                pcm: Float32 = made.reshape(-1).to(torch.float32).numpy()
        except Exception as error:  # whatever a file of another kind does
            last = (str(error).strip().splitlines() or [""])[-1]
            raise VoiceFailed(f"Silero failed: {last}") from error
        if not np.isfinite(pcm).all():
            raise VoiceFailed("Silero failed: what it made is no sound.")
        return pcm

    def _network(self) -> Any:
        with self._loading:
            if self._loaded is None:
                try:
                    self._loaded = self._load()
                except Exception as error:  # an import, or a file that is cut or of another kind
                    why = f"bring it again: {_PULL}"
                    raise VoiceFailed(f"{self._path} cannot be loaded: {why}") from error
            return self._loaded

    def _load(self) -> Any:
        import torch

        # A TorchScript archive, which holds no classes of Python, so weights_only has nothing to do
        # here; and no client names the file.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return torch.jit.load(self._path, map_location="cpu").eval()  # type: ignore[no-untyped-call]


class SileroVoice:
    sample_rate = 48000
    engine = "silero"
    licence = weights_licence = "MIT"
    pitched = False
    streams = False

    def __init__(self, network: SileroNetwork, speaker: str, ffmpeg: Callable[[], Ffmpeg]) -> None:
        """``ffmpeg`` makes speech faster and slower, which the file cannot."""
        prefix, _, name = speaker.partition("_")
        self.id = f"silero:{speaker}"
        self.languages: tuple[str, ...] = (_LANGUAGES[prefix],)
        self.name = f"Silero {name.capitalize()}"
        self._network, self._ffmpeg = network, ffmpeg
        self._number = _SPEAKERS[speaker]

    def warm(self) -> None:
        language = self.languages[0]
        said = _WARM_UP[language]
        self._network.sound(Piece(0, language, said, said, ()), self._number, never)

    def synthesize(self, piece: Piece, prosody: Prosody, stale: Stale) -> Iterator[Float32]:
        """One part. Live speech comes first, and one text at a time.
        Raises VoiceFailed, or Cancelled when ``stale`` says so."""
        check_wanted(self, piece, stale)
        if not any(char in _IDS for char in piece.said.lower() if char.isalpha()):
            raise Unsayable(f"{self.id} finds nothing in the text that it can say.")
        pcm = self._network.sound(piece, self._number, stale)
        try:
            pcm = stretched(pcm, self.sample_rate, prosody.speed, self._ffmpeg())
        except SoyleError as error:
            raise VoiceFailed(f"{self.id} failed: {error}") from error
        yield pcm


def silero_voices(models_dir: Path, ffmpeg: Callable[[], Ffmpeg]) -> Found:
    """Its speakers of Russian and Kazakh, where the file and torch are here."""
    path = models_dir / FILE
    if not path.is_file():
        return Found(missing=(Missing("silero", f"{path} is not here: {_PULL}"),))
    if importlib.util.find_spec("torch") is None:
        why = "torch, which runs it, is not installed: pip install torch==2.13.0"
        return Found(missing=(Missing("silero", why),))
    network = SileroNetwork(path)
    return Found(tuple(SileroVoice(network, speaker, ffmpeg) for speaker in _SPEAKERS))


def _ids(said: str) -> list[int]:
    """Numbers of the symbols that it knows; the others are left out."""
    text = said.lower().translate(_ALIKE).strip()
    if len(text) < _SHORT and not text.endswith((".", "!", "?", "…")):
        text = text.rstrip(" ,;:—-") + "."
    return [_START, *(_IDS[char] for char in text if char in _IDS), _END]
