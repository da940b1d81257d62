"""Speech of Debian's flite and festival, with the phoneme times that they print.

Needs the packages flite, festival, festvox-ru, festvox-us-slt-hts and festvox-kdlpc16k.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import soundfile

from app_core.types import Phoneme
from tools.articulation_net.utterance import Utterance

if TYPE_CHECKING:
    from collections.abc import Iterator

FLITE = ("awb", "rms", "kal16", "slt")
FESTIVAL = {
    "ked_diphone": "en",
    "cmu_us_slt_arctic_hts": "en",
    "msu_ru_nsh_clunits": "ru",
}
TRAINING = {"flite kal16": 300, "flite awb": 190, "flite rms": 230}
"""Voices made of recordings, and how many sentences of each are trained on."""
VALIDATION = ("festival ked_diphone",)
"""The threshold is chosen on this one."""
TEST = ("flite slt", "festival cmu_us_slt_arctic_hts", "festival msu_ru_nsh_clunits")
"""Nothing is chosen on these: the speakers slt and nsh are heard nowhere else."""

Marks = list[tuple[str, float]]
"""The label and the end, in seconds, of each sound."""

_TIMEOUT_S = 300
_ENGLISH = dict(
    aa="ɑ", ae="æ", ah="ʌ", ao="ɔ", aw="aʊ", ax="ə", axr="ɚ", ay="aɪ", b="b", ch="tʃ", d="d",
    dh="ð", dx="ɾ", eh="ɛ", el="l", em="m", en="n", er="ɝ", ey="eɪ", f="f", g="ɡ", hh="h", hv="h",
    ih="ɪ", ix="ɪ", iy="i", jh="dʒ", k="k", l="l", m="m", n="n", nx="n", ng="ŋ", ow="oʊ", oy="ɔɪ",
    p="p", r="ɹ", s="s", sh="ʃ", t="t", th="θ", uh="ʊ", uw="u", v="v", w="w", y="j", z="z", zh="ʒ",
)  # fmt: skip
_RUSSIAN = dict(
    a="ɐ", aa="a", ay="ə", ae="ə", e="e", ee="e", i="i", ii="i", o="o", oo="o", u="u", uu="u",
    y="ɨ", yy="ɨ", ur="u", c="ts", ch="tʃ", h="x", hh="x", j="j", sch="ɕ", sh="ʃ", zh="ʒ",
)  # fmt: skip
_PAUSES = ("pau", "ssil", "h#", "brth")


def spoken(voice: str, texts: list[str]) -> Iterator[Utterance]:
    """``voice`` as in VALIDATION and TEST. Nothing where the engine is not installed."""
    engine, name = voice.split(" ")
    if shutil.which(engine) is None:
        return
    language = FESTIVAL.get(name, "en")
    with tempfile.TemporaryDirectory() as folder:
        say = _flite if engine == "flite" else _festival
        marks = say(name, texts, Path(folder))
        for place, text in enumerate(texts):
            pcm, rate = soundfile.read(Path(folder) / f"{place}.wav", dtype="float32")
            phonemes = _phonemes(marks[place], language, len(pcm) / rate)
            yield Utterance(voice, language, text, pcm, rate, phonemes)


def _flite(name: str, texts: list[str], folder: Path) -> list[Marks]:
    found = []
    for place, text in enumerate(texts):
        wave = str(folder / f"{place}.wav")
        command = ["flite", "-voice", name, "-psdur", "-t", text, "-o", wave]
        said = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=True
        )
        marks = (token.rsplit(":", 1) for token in said.stdout.split())
        found.append([(label, float(end)) for label, end in marks])
    return found


def _festival(name: str, texts: list[str], folder: Path) -> list[Marks]:
    """All of the texts by one process: a voice takes seconds to load."""
    rows = [f"(voice_{name})"]
    for place, text in enumerate(texts):
        plain = text.replace("\\", "").replace('"', "")
        rows.append(f'(set! said (SynthText "{plain}"))')
        rows.append(f'(utt.save.wave said "{folder}/{place}.wav")')
        rows.append(f'(utt.save.segs said "{folder}/{place}.seg")')
    script = folder / "say.scm"
    script.write_text("\n".join(rows), encoding="utf-8")
    command = ["festival", "-b", str(script)]
    subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=True)
    found = []
    for place in range(len(texts)):
        lines = (folder / f"{place}.seg").read_text(encoding="utf-8").splitlines()[1:]
        fields = [line.split() for line in lines if line.strip()]
        found.append([(row[2], float(row[0])) for row in fields])
    return found


def _phonemes(marks: Marks, language: str, end_s: float) -> tuple[Phoneme, ...]:
    names = _RUSSIAN if language == "ru" else _ENGLISH
    start, found = 0.0, []
    for label, end in marks:
        ipa = "" if label in _PAUSES else names.get(label, label[0])
        if end > start:
            found.append(Phoneme(ipa, start, end))
            start = end
    if end_s > start:
        found.append(Phoneme("", start, end_s))
    return tuple(found)
