"""A synthesizer that only makes sound becomes a voice: level, silence, times, parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from app_core.cancel_scope import Stale
from app_core.errors import Cancelled, VoiceFailed, VoiceUnreachable
from app_core.speech.aligned_voice import AlignedVoice
from app_core.speech.level.loudness import LoudnessMeter
from app_core.speech.speaker import Speaker
from app_core.speech.text.piece import Piece
from app_core.speech.text.reading import TextReader
from app_core.speech.voices import espeak
from app_core.speech.voices.espeak import EspeakVoice
from app_core.types import Float32, Prosody, Speech

RATE = 22050
TEXT = (
    "Good morning, my people. The big parrot 5 km from Paris costs 10 000 $, maybe more,"
    " but Bob buys no bread."
)


class Person:
    """A man's voice of espeak-ng as sound alone, with silence around it, softly."""

    id = "person"
    languages = ("ru", "kk", "en")
    sample_rate = RATE
    name = engine = "Person"
    licence = weights_licence = "MIT"
    pitched = False

    def __init__(
        self, *, streams: bool = False, fail_after_s: float | None = None, gain: float = 0.1
    ) -> None:
        self.streams, self.fail_after_s, self.gain = streams, fail_after_s, gain
        self.closed = 0

    def warm(self) -> None:
        pass

    def synthesize(self, piece: Piece, prosody: Prosody, stale: Stale) -> Iterator[Float32]:
        voice, *rest = espeak._VOICES[piece.language]
        with pytest.MonkeyPatch.context() as patch:
            other: Any = (voice.partition("+")[0] + "+m3", *rest)
            patch.setitem(espeak._VOICES, piece.language, other)
            (speech,) = EspeakVoice().speak(piece, prosody)
        silence = np.zeros(RATE // 2, np.float32)
        pcm = np.concatenate([silence, speech.pcm, silence]) * np.float32(self.gain)
        try:
            for at in range(0, len(pcm), RATE // 4):
                if stale():
                    raise Cancelled("person: nobody listens")
                if self.fail_after_s is not None and at >= self.fail_after_s * RATE:
                    raise VoiceUnreachable("person: hung up")
                yield pcm[at : at + RATE // 4]
        finally:
            self.closed += 1


def said(voice: AlignedVoice, text: str = TEXT, language: str = "en") -> list[Speech]:
    return list(Speaker.alone(voice, language).speak(text))


@pytest.mark.parametrize("streams", [False, True])
def test_all_of_a_text_has_sound_phonemes_and_words_as_written(streams: bool) -> None:
    person = Person(streams=streams)
    found = said(AlignedVoice(person, EspeakVoice()))
    known = said_by_espeak()
    words = [(w.text, w.start, w.end) for speech in found for w in speech.words]
    assert words == [(w.text, w.start, w.end) for speech in known for w in speech.words]
    assert ("10 000 $,", TEXT.index("10"), TEXT.index("10") + 9) in words
    ipa = "".join(p.ipa for speech in found for p in speech.phonemes or ())
    lips = [c for c in ipa if c in "mbp"]
    wanted = [c for speech in known for p in speech.phonemes or () for c in p.ipa if c in "mbp"]
    assert lips == wanted
    for speech in found:
        assert speech.phonemes
        assert speech.phonemes[-1].end_s == pytest.approx(len(speech.pcm) / RATE, abs=1e-6)
    assert (len(found) > 6) == streams
    assert person.closed == 2


def said_by_espeak() -> list[Speech]:
    return list(Speaker.alone(EspeakVoice(), "en").speak(TEXT))


def test_silence_around_is_cut_and_pauses_are_ours() -> None:
    found = said(AlignedVoice(Person(), EspeakVoice()))
    pcm = np.concatenate([speech.pcm for speech in found])
    loud = np.flatnonzero(np.abs(pcm) > 0.02)
    assert loud[0] < 0.15 * RATE
    assert 0.25 * RATE < len(pcm) - loud[-1] < 0.45 * RATE


def test_a_soft_voice_is_as_loud_as_any() -> None:
    for gain in (0.1, 0.9):
        meter = LoudnessMeter(RATE)
        for speech in said(AlignedVoice(Person(gain=gain), EspeakVoice())):
            meter.push(speech.pcm)
        assert meter.lufs() == pytest.approx(-18.0, abs=1.0)


def test_another_voice_goes_on_from_the_word_at_which_a_stream_broke_off() -> None:
    broken = AlignedVoice(Person(streams=True, fail_after_s=3.0), EspeakVoice())
    speaker = Speaker(TextReader(), lambda _: [broken, EspeakVoice()], "en")
    text = "The big parrot from Paris costs a lot of money, maybe more, but Bob buys no bread."
    found = list(speaker.speak(text))
    assert {speech.voice for speech in found} == {"person", "espeak"}
    assert [w.text for speech in found for w in speech.words] == text.split()


def test_a_voice_that_says_nothing_has_failed() -> None:
    class Mute(Person):
        def synthesize(self, piece: Piece, prosody: Prosody, stale: Stale) -> Iterator[Float32]:
            yield np.zeros(RATE, np.float32)

    for streams in (False, True):
        with pytest.raises(VoiceFailed, match="person said nothing"):
            said(AlignedVoice(Mute(streams=streams), EspeakVoice()))


def test_a_listener_who_leaves_closes_the_synthesizer() -> None:
    person = Person(streams=True)
    speeches = Speaker.alone(AlignedVoice(person, EspeakVoice()), "en").speak(TEXT)
    next(speeches)
    assert person.closed == 0
    speeches.close()  # type: ignore[attr-defined]
    assert person.closed == 1


@pytest.mark.parametrize(("language", "text"), [("ru", "Да."), ("kk", "Иә!"), ("en", "Oh.")])
def test_a_word_alone(language: str, text: str) -> None:
    for streams in (False, True):
        found = said(AlignedVoice(Person(streams=streams), EspeakVoice()), text, language)
        assert [w.text for speech in found for w in speech.words] == [text]
        assert any(p.ipa for speech in found for p in speech.phonemes or ())
