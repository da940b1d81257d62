"""How soon each voice that is here is heard: cold, in a process of its own, and warm.

From the text to the first sound, reading included; the sound is what the engine gives, before it is
levelled and timed. `load` is what `warm` takes at the start of a server, `memory` what it keeps.

python -m benchmarks.first_sound [--voice ID] [--count 20] [--models DIR] [--all-speakers]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app_core.cancel_scope import never
from app_core.config import Config
from app_core.media.ffmpeg import find_ffmpeg
from app_core.speech.text.reading import TextReader
from app_core.speech.voices.espeak import EspeakVoice
from app_core.speech.voices.hibari import hibari_voices
from app_core.speech.voices.piper import piper_voices
from app_core.speech.voices.silero import silero_voices
from app_core.types import PLAIN
from benchmarks.table import end, show
from benchmarks.texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app_core.speech.synthesizer import Synthesizer
    from app_core.speech.text.piece import Piece
    from app_core.types import Float32

SHORT = {"ru": "Добрый день!", "kk": "Қайырлы күн!", "en": "Hello, world!"}
_PATIENCE_S = 300.0
_MEBIBYTE = 2**20


class Espeak:
    """Its sound alone, as the other engines give it."""

    def __init__(self) -> None:
        self._voice = EspeakVoice()
        self.id, self.languages = self._voice.id, self._voice.languages
        self.sample_rate = self._voice.sample_rate

    def warm(self) -> None:
        self._voice.warm()

    def synthesize(self, piece: Piece, *_: object) -> Iterator[Float32]:
        return (speech.pcm for speech in self._voice.speak(piece))


def voices(models: Path) -> tuple[dict[str, Espeak | Synthesizer], list[str]]:
    """Those that are here, and why others are not."""
    engines = (
        hibari_voices(find_ffmpeg),
        piper_voices(models),
        silero_voices(models, find_ffmpeg),
    )
    here: list[Espeak | Synthesizer] = [Espeak(), *(v for found in engines for v in found.voices)]
    return {voice.id: voice for voice in here}, [
        f"{missing.id}: {missing.why}" for found in engines for missing in found.missing
    ]


def first_sound_s(
    voice: Espeak | Synthesizer, reader: TextReader, text: str, language: str
) -> float:
    begun = time.perf_counter()
    piece = next(reader.read(text, language))
    next(iter(voice.synthesize(piece, PLAIN, never)))
    return time.perf_counter() - begun


def whole(voice: Espeak | Synthesizer, reader: TextReader, text: str, language: str) -> float:
    """Seconds of work for a second of speech."""
    begun, samples = time.perf_counter(), 0
    for piece in reader.read(text, language):
        samples += sum(len(part) for part in voice.synthesize(piece, PLAIN, never))
    return (time.perf_counter() - begun) * voice.sample_rate / samples


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * 4096


def cold(voice_id: str, models: Path) -> dict[str, float]:
    """In this process, which has spoken nothing yet."""
    voice = voices(models)[0][voice_id]
    language = voice.languages[0]
    reader = TextReader()
    list(reader.read(SHORT[language], language))
    before = resident()
    begun = time.perf_counter()
    voice.warm()
    load_s = time.perf_counter() - begun
    after_load_s = first_sound_s(voice, reader, SHORT[language], language)
    kept = (resident() - before) / _MEBIBYTE
    return {"load_s": load_s, "after_load_s": after_load_s, "memory_mib": kept}


def measured(voice_id: str, models: Path, count: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.first_sound", "--cold", voice_id]
    done = subprocess.run(
        [*command, "--models", str(models)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.decode(errors="replace").strip().splitlines()[-1])
    figures: dict[str, Any] = json.loads(done.stdout)
    voice = voices(models)[0][voice_id]
    reader = TextReader()
    voice.warm()
    for language in voice.languages:
        times = {
            name: [first_sound_s(voice, reader, text, language) for _ in range(count + 2)][2:]
            for name, text in (("short", SHORT[language]), ("fifty", TEXTS[language]))
        }
        figures[language] = {
            "short_median_s": float(np.median(times["short"])),
            "fifty_median_s": float(np.median(times["fifty"])),
            "fifty_p95_s": float(np.percentile(times["fifty"], 95)),
            "work_for_a_second_s": whole(voice, reader, TEXTS[language], language),
        }
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voice", action="append", help="an id; none: all")
    parser.add_argument("--count", type=int, default=20, help="texts for each figure")
    parser.add_argument("--models", type=Path, default=Config.from_env().models_dir)
    parser.add_argument("--all-speakers", action="store_true", help="not the first of each file")
    parser.add_argument("--cold", metavar="ID", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.cold:
        print(json.dumps(cold(chosen.cold, chosen.models)))
        return
    here, missing = voices(chosen.models)
    ids = chosen.voice or list(here if chosen.all_speakers else _one_of_each(here))
    rows, figures = [], {}
    for voice_id in ids:
        found = figures[voice_id] = measured(voice_id, chosen.models, chosen.count)
        for language in here[voice_id].languages:
            warm = found[language]
            spans = [found["load_s"], found["after_load_s"], *list(warm.values())[:3]]
            row = [voice_id, language, *(span * 1000 for span in spans)]
            rows.append([*row, warm["work_for_a_second_s"], found["memory_mib"]])
    show(
        f"From the text to the first sound, ms, {chosen.count} texts for each figure",
        ["voice", "language", "load", "cold", "short", "50 words", "p95", "work/s", "memory MiB"],
        rows,
    )
    for line in missing:
        print(line)
    end("first_sound", {"count": chosen.count, "voices": _rounded(figures)})


def _one_of_each(here: dict[str, Espeak | Synthesizer]) -> list[str]:
    """The speakers of one network and language differ in nothing that is measured here."""
    first: dict[tuple[str, ...], str] = {}
    for voice_id, voice in here.items():
        engine, _, rest = voice_id.partition(":")
        file = rest.partition(":")[0] if engine == "piper" else ""
        first.setdefault((engine, file, *voice.languages), voice_id)
    return list(first.values())


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return round(value, 4)


if __name__ == "__main__":
    main()
