"""A voice made of a synthesizer that knows nothing of mouths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app_core.cancel_scope import never
from app_core.errors import Cancelled, VoiceFailed
from app_core.speech.ahead import Ahead
from app_core.speech.level.mastering import Mastering
from app_core.speech.level.mastering import warm as warm_mastering
from app_core.speech.level.voice_level import VoiceLevel
from app_core.speech.pauses import lead_s, pause_s
from app_core.speech.timing.piece_timing import PieceTiming, Timed
from app_core.speech.timing.warping import warm as warm_warping
from app_core.types import PLAIN, Phoneme, Prosody, Speech

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app_core.cancel_scope import Stale
    from app_core.speech.synthesizer import Synthesizer
    from app_core.speech.text.piece import Piece
    from app_core.speech.voice import Voice
    from app_core.types import Float32

_LEAST_S = 0.03
"""Of sound, for a piece in which there is a word: a voice that gives less has said nothing."""


class AlignedVoice:
    """Its sound is levelled and trimmed; its phonemes and words are timed against the same piece
    by a voice that knows its own."""

    def __init__(self, synthesizer: Synthesizer, known: Voice) -> None:
        """``known`` speaks every language that ``synthesizer`` speaks."""
        self._synthesizer, self._known = synthesizer, known
        self.id, self.name, self.engine = synthesizer.id, synthesizer.name, synthesizer.engine
        self.languages, self.sample_rate = synthesizer.languages, synthesizer.sample_rate
        self.licence = synthesizer.licence
        self.weights_licence = synthesizer.weights_licence
        self.pitched = synthesizer.pitched
        self._levels = {name: VoiceLevel.of(self.id, name) for name in self.languages}
        self._slowness = dict.fromkeys(self.languages, 1.0)

    def warm(self) -> None:
        """Raises VoiceFailed or VoiceUnreachable."""
        warm_mastering()
        warm_warping()
        self._known.warm()
        self._synthesizer.warm()

    def close(self) -> None:
        """Ends what the synthesizer keeps open."""
        getattr(self._synthesizer, "close", bool)()

    def speak(
        self, piece: Piece, prosody: Prosody = PLAIN, stale: Stale = never
    ) -> Iterator[Speech]:
        """Parts that end with a word where sound arrives while it is made; else one part."""
        if stale():
            raise Cancelled("Nobody waits for the speech any more")
        samples = 0
        for timed in self._timed(piece, prosody, stale):
            samples += len(timed.pcm)
            written = piece.written
            if timed.words:
                start, end = timed.words[0].start, timed.words[-1].end
                written = written[start - piece.start : end - piece.start]
            yield Speech(
                piece.index,
                written if timed.words else "",
                timed.pcm,
                self.sample_rate,
                timed.phonemes,
                timed.words,
            )
        if samples < _LEAST_S * self.sample_rate and piece.words:
            raise VoiceFailed(f"The voice {self.id} said nothing")

    def _timed(self, piece: Piece, prosody: Prosody, stale: Stale) -> Iterator[Timed]:
        """With the silence around the piece."""
        plain = Prosody(prosody.speed)
        known = Ahead(lambda: next(iter(self._known.speak(piece, plain, stale))), "known-speech")
        try:
            yield from self._laid(known, piece, prosody, stale)
        finally:
            known.join()

    def _laid(
        self, known: Ahead[Speech], piece: Piece, prosody: Prosody, stale: Stale
    ) -> Iterator[Timed]:
        """What the synthesizer gives, onto the ``known`` speech."""
        timing: PieceTiming | None = None
        lead = lead_s(piece)
        said = 0
        for pcm, last in self._mastered(piece, prosody, stale):
            if timing is None and len(pcm):
                spoken = known.result()
                assert spoken is not None
                timing = PieceTiming(spoken, self.sample_rate, self._slowness[piece.language])
            timed = timing.push(pcm, last=last) if timing else None
            if timed is not None:
                said += len(timed.pcm)
                yield _with_silence(timed, lead, self.sample_rate)
                lead = 0.0
        if timing is not None:
            self._slowness[piece.language] = timing.slowness
        pause = int(pause_s(piece, prosody) * self.sample_rate)
        if said and pause:
            silence = [Phoneme("", 0.0, pause / self.sample_rate)]
            yield Timed(np.zeros(pause, np.float32), silence, ())

    def _mastered(
        self, piece: Piece, prosody: Prosody, stale: Stale
    ) -> Iterator[tuple[Float32, bool]]:
        """And whether that is the last part."""
        mastering = Mastering(self._levels[piece.language], self.sample_rate)
        parts = self._synthesizer.synthesize(piece, prosody, stale)
        try:
            if not self._synthesizer.streams:
                whole = np.concatenate([np.zeros(0, np.float32), *parts])
                yield mastering.push(whole, last=True), True
                return
            for pcm in parts:
                yield mastering.push(pcm), False
            yield mastering.push(np.zeros(0, np.float32), last=True), True
        finally:
            getattr(parts, "close", bool)()


def _with_silence(timed: Timed, seconds: float, sample_rate: int) -> Timed:
    """``seconds`` of it before."""
    samples = int(seconds * sample_rate)
    if not samples:
        return timed
    moved_s = samples / sample_rate
    return Timed(
        np.concatenate([np.zeros(samples, np.float32), timed.pcm]),
        [Phoneme("", 0.0, moved_s), *(phoneme.moved(moved_s) for phoneme in timed.phonemes)],
        tuple(word.moved(moved_s) for word in timed.words),
    )
