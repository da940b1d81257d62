"""When lips close, against when the sounds m, b and p are said.

With the text: each sentence is said by a voice whose times are known, and timed as if they were not
(`PieceTiming`), whole and in parts of a quarter of a second. Without it: the same sound by the
network that hears. Truth: hibari's durations less the 60 ms by which its graph is late, each
closure moved to the dip of the sound beside it; the segments that Debian's flite and festival
print. Voices that are not installed are left out; hibari's durations need the package onnx.

python -m benchmarks.alignment [--sentences 30]
"""

from __future__ import annotations

import argparse
import importlib.util
from typing import TYPE_CHECKING, Any

import numpy as np

from app_core.speech.level.mastering import Mastering
from app_core.speech.level.voice_level import VoiceLevel
from app_core.speech.text.reading import TextReader
from app_core.speech.timing.piece_timing import PieceTiming
from app_core.speech.voices.espeak import EspeakVoice
from benchmarks.table import end, show
from tools.articulation_net import debian_speech
from tools.articulation_net.evaluation import measured
from tools.articulation_net.hibari_speech import HibariVoice
from tools.articulation_net.texts import held_out, sentences
from tools.articulation_net.utterance import Utterance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app_core.types import Float32

HIBARI = "hibari"
VOICES = (HIBARI, *debian_speech.VALIDATION, *debian_speech.TEST)
NEAR_S = 0.04
PART_S = 0.25


def utterances(voice: str, count: int) -> Iterator[Utterance]:
    """Sentences that the network was not trained on, each of one piece."""
    language = "en" if voice == HIBARI else debian_speech.FESTIVAL.get(voice.split(" ")[1], "en")
    known = [text for text in sentences(language) if held_out(text)]
    texts = [text for text in known if len(list(TextReader().read(text, language))) == 1][:count]
    if voice != HIBARI:
        yield from debian_speech.spoken(voice, texts)
    elif importlib.util.find_spec("onnx"):
        yield from HibariVoice().spoken(texts, np.random.default_rng(1))


def closures(said: Utterance, part_s: float | None) -> Float32:
    """The middles of the m, b and p of the text, seconds, as the lips get them."""
    (piece,) = TextReader().read(said.text, said.language)
    known = next(EspeakVoice().speak(piece))
    mastering, timing = Mastering(VoiceLevel(), said.rate), PieceTiming(known, said.rate)
    size = len(said.pcm) if part_s is None else int(part_s * said.rate)
    found: list[float] = []
    begun = 0.0
    for at in range(0, len(said.pcm), size):
        last = at + size >= len(said.pcm)
        timed = timing.push(mastering.push(said.pcm[at : at + size], last=last), last=last)
        for phoneme in timed.phonemes if timed else ():
            if phoneme.ipa.startswith(("m", "b", "p")):
                found.append(begun + (phoneme.start_s + phoneme.end_s) / 2)
        begun += len(timed.pcm) / said.rate if timed else 0.0
    return np.array(found, np.float32) + np.float32(mastering.dropped / said.rate)


def offsets(said: list[Utterance], part_s: float | None) -> tuple[float, float, float]:
    """The part of all m, b and p with the middle of a closure within NEAR_S, the median of what
    the middles are apart, and the median with its sign: above 0 the lips are late. Seconds."""
    apart: list[float] = []
    near: list[bool] = []
    for utterance in said:
        lips = closures(utterance, part_s)
        for start, stop in utterance.seals():
            off = lips - (start + stop) / 2
            apart.append(float(off[np.abs(off).argmin()]) if len(off) else np.inf)
            near.append(bool(np.any((lips > start - NEAR_S) & (lips < stop + NEAR_S))))
    return float(np.mean(near)), float(np.median(np.abs(apart))), float(np.median(apart))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=30)
    count = parser.parse_args().sentences
    rows: list[list[object]] = []
    figures: dict[str, Any] = {}
    for voice in VOICES:
        said = list(utterances(voice, count))
        if not said:
            print(f"{voice} is not installed")
            continue
        sounds = sum(len(utterance.seals()) for utterance in said)
        whole, streamed = offsets(said, None), offsets(said, PART_S)
        heard = measured(said)
        rows.append(
            [
                voice,
                len(said),
                sounds,
                100 * whole[0],
                1000 * whole[1],
                1000 * whole[2],
                100 * streamed[0],
                1000 * streamed[1],
                100 * heard.recall,
                100 * heard.false_share,
            ]
        )
        figures[voice] = {
            "sentences": len(said),
            "sounds": sounds,
            "text_within_40_ms": round(whole[0], 3),
            "text_median_s": round(whole[1], 4),
            "text_late_s": round(whole[2], 4),
            "streamed_within_40_ms": round(streamed[0], 3),
            "heard_found": round(heard.recall, 3),
            "heard_false": round(heard.false_share, 3),
        }
    show(
        "m, b and p: closures by the text (whole, in parts) and by the sound alone",
        [
            "voice", "sentences", "sounds", "in 40 ms %", "apart ms", "late ms",
            "parts %", "apart ms", "heard %", "false %",
        ],
        rows,
    )  # fmt: skip
    end("alignment", {"voices": figures})


if __name__ == "__main__":
    main()
