"""Speech of hibari, a natural English voice, with the phoneme times that its graph keeps."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app_core.lipsync.viseme.visemes import CLOSING
from app_core.types import Phoneme
from tools.articulation_net.utterance import Utterance

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from app_core.types import Float32

_FRAME = 600
"""Samples a unit of duration."""
_LATE_S = 0.06
"""Its sounds come so much before the times of its graph."""
_LETTERS = {
    "A": "eɪ", "I": "aɪ", "W": "aʊ", "O": "oʊ", "Y": "ɔɪ", "ʤ": "dʒ", "ʧ": "tʃ", "T": "ɾ",
    "Q": "əʊ", "ᵊ": "ə", "ᵻ": "ɪ",
}  # fmt: skip
_MARKS = frozenset("ˈˌːʰʲ")
_PAUSES = frozenset(';:,.!?—…"()“” ')
"""Silence, when it is long."""
_PITCHES, _SPEEDS = (0.55, 1.15), (0.8, 1.3)
_STOPS, _CLOSURE_S = ("p", "b"), 0.12
_SNAP_S, _SNAP_STEP_S, _SNAP_PRICE_DB = 0.04, 0.005, 3.0
"""Its times come in steps of 25 ms: closed lips move to the dip of the sound beside them."""
_SHORT_SPACE = 3


class HibariVoice:
    """hibari with its durations, at any pitch: its filters stay, so the mouth stays as it is."""

    def __init__(self) -> None:
        import onnx
        from hibari import Hibari
        from hibari.voices import voice_path

        graph = onnx.load(voice_path("heart"))
        clips = [node for node in graph.graph.node if node.op_type == "Clip"]
        if len(clips) != 1:
            raise ValueError(f"{len(clips)} clips in hibari's graph: its durations are elsewhere")
        graph.graph.output.append(
            onnx.helper.make_tensor_value_info(clips[0].output[0], onnx.TensorProto.FLOAT, None)
        )
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "timed.onnx")
            onnx.save(graph, path)
            self._voice: Any = Hibari(voice="heart", model=path)
        self._names = {number: letter for letter, number in self._voice.vocab.items()}

    def spoken(self, texts: Iterable[str], random: np.random.Generator) -> Iterator[Utterance]:
        for text in texts:
            for said in self._voice.phonemize(text):
                pitch = 1.0 if random.random() < 0.3 else float(random.uniform(*_PITCHES))
                pcm, phonemes = self._say(said, float(random.uniform(*_SPEEDS)), pitch, random)
                rate = self._voice.sample_rate
                phonemes = snapped(phonemes, pcm, rate)
                yield Utterance("hibari", "en", text, pcm, rate, phonemes)

    def _say(
        self, said: str, speed: float, pitch: float, random: np.random.Generator
    ) -> tuple[Float32, tuple[Phoneme, ...]]:
        from hibari import dsp

        ids = self._voice.ids(said)
        asked = {"ids": np.array([ids], np.int64), "speed": np.array([speed], np.float32)}
        *parts, frames = self._voice.sess.run(None, asked)
        *envelopes, f0 = (part[0] for part in parts)
        pcm = dsp.synth(*envelopes, f0 * np.float32(pitch), random).astype(np.float32)
        names = [self._names.get(number, "") if number else "" for number in ids]
        return pcm, _timed(names, np.ravel(frames), pcm, self._voice.sample_rate)


def _timed(names: list[str], frames: Float32, pcm: Float32, rate: int) -> tuple[Phoneme, ...]:
    """Phonemes over the whole of ``pcm``. A short space belongs to the sound before it, and so
    does the breath after a stop; the lips that a stop closes part after ``_CLOSURE_S``."""
    ends = np.cumsum(frames) * _FRAME / rate
    if abs(ends[-1] - len(pcm) / rate) > _FRAME / rate:
        raise ValueError(f"hibari's durations last {ends[-1]} s, its sound {len(pcm) / rate} s")
    sounds: list[tuple[str, float]] = []
    for name, length, end in zip(names, np.ravel(frames), ends.tolist(), strict=True):
        short = name == " " and length <= _SHORT_SPACE
        if sounds and (name in _MARKS or short):
            sounds[-1] = (sounds[-1][0], end)
        elif name in _PAUSES or not name:
            sounds.append(("", end))
        else:
            sounds.append((_LETTERS.get(name, name), end))
    start, found = 0.0, []
    for place, (ipa, end) in enumerate(sounds):
        stop = len(pcm) / rate if place == len(sounds) - 1 else max(start, end - _LATE_S)
        if ipa in _STOPS and stop - start > _CLOSURE_S:
            found.append(Phoneme(ipa, start, start + _CLOSURE_S))
            start, ipa = start + _CLOSURE_S, "h"
        found.append(Phoneme(ipa, start, stop))
        start = stop
    return tuple(phoneme for phoneme in found if phoneme.end_s > phoneme.start_s)


def snapped(phonemes: tuple[Phoneme, ...], pcm: Float32, rate: int) -> tuple[Phoneme, ...]:
    """With each m, b and p where the sound dips, at most _SNAP_S away."""
    power = np.cumsum(
        np.concatenate([[0.0], np.square(np.diff(pcm, prepend=pcm[:1]), dtype=float)])
    )
    shifts = np.arange(-_SNAP_S, _SNAP_S + 1e-6, _SNAP_STEP_S)
    found = list(phonemes)
    for place in range(1, len(found) - 1):
        before, sound, after = found[place - 1 : place + 2]
        if sound.ipa[:1] not in CLOSING or not sound.ipa:
            continue
        middles = (sound.start_s + sound.end_s) / 2 + shifts
        edges = np.clip(((middles[:, None] + (-0.02, 0.02)) * rate).astype(int), 0, len(pcm))
        level = 10 * np.log10(np.diff(power[edges], axis=1)[:, 0] + 1e-9)
        shift = float(shifts[np.argmin(level + _SNAP_PRICE_DB * (shifts / _SNAP_S) ** 2)])
        start = max(sound.start_s + shift, before.start_s + 0.01)
        end = min(sound.end_s + shift, after.end_s - 0.01)
        if end - start > 0.02:
            found[place - 1] = replace(before, end_s=start)
            found[place] = replace(sound, start_s=start, end_s=end)
            found[place + 1] = replace(after, start_s=end)
    return tuple(found)
