from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from app_core.lipsync.viseme.articulation import CLOSE, JAW, OPEN, ROUND, TRACKS, TUCK, WIDE
from app_core.lipsync.viseme.features import Articulation
from app_core.speech.voices.espeak import EspeakVoice
from app_core.types import Float32, Phoneme, Speech, frame_count
from tests.fakes import spoken_by

TEXTS = {
    "ru": "Мама мыла раму, а папа читал книгу у окна. Пожалуйста, подождите. Бобы вам любы?",
    "kk": "Менің атым Айгүл, мен мұғалім болып жұмыс істеймін. Апам кітап оқыды. Бүгін бәрі жақсы.",
    "en": "Five brave women have moved above the village. My puppy is happy! Bob, keep a map.",
}
RATE = 1000


@cache
def spoken(language: str) -> tuple[Speech, ...]:
    return tuple(spoken_by(EspeakVoice(), TEXTS[language], language))


def joined(pieces: tuple[Speech, ...]) -> Speech:
    phonemes, start_s = [], 0.0
    for speech in pieces:
        phonemes += [
            Phoneme(p.ipa, start_s + p.start_s, start_s + p.end_s) for p in speech.phonemes or ()
        ]
        start_s += len(speech.pcm) / speech.sample_rate
    pcm = np.concatenate([speech.pcm for speech in pieces])
    return Speech(0, "", pcm, pieces[0].sample_rate, phonemes)


def tracks(*pieces: Speech, fps: int = 25) -> Float32:
    stream = Articulation(fps)
    return np.concatenate([*map(stream.push, pieces), stream.finish()])


def said(*sounds: tuple[str, float], level: float = 0.3) -> Speech:
    """A speech of sounds and their seconds, with a steady tone for each."""
    ends = np.cumsum([seconds for _, seconds in sounds])
    starts = [0.0, *ends[:-1]]
    phonemes = [
        Phoneme(ipa, start, end)
        for (ipa, _), start, end in zip(sounds, starts, ends.tolist(), strict=True)
    ]
    pcm = level * np.sin(np.arange(round(ends[-1] * RATE)) * 1.9)
    return Speech(0, "", pcm.astype(np.float32), RATE, phonemes)


@pytest.mark.parametrize("fps", [24, 25, 30, 60])
@pytest.mark.parametrize("language", TEXTS)
def test_every_closure_owns_a_frame(language: str, fps: int) -> None:
    whole = joined(spoken(language))
    found = tracks(whole, fps=fps)
    moments = (np.arange(len(found)) + 0.5) / fps
    closures = [p for p in whole.phonemes or () if p.ipa and p.ipa[0] in "mbp"]
    assert len(closures) >= 8
    for phoneme in closures:
        near = np.abs(moments - (phoneme.start_s + phoneme.end_s) / 2) < 0.04
        shut = (found[near, CLOSE] == 1) & (found[near, OPEN] == 0)
        assert shut.any(), phoneme


@pytest.mark.parametrize("language", TEXTS)
def test_the_mouth_moves_smoothly_and_opens(language: str) -> None:
    found = tracks(*spoken(language))
    steps = np.abs(np.diff(found, axis=0)).max(0)
    assert steps[OPEN] <= 0.4501 and steps[JAW] <= 0.3001
    assert steps[WIDE] <= 0.4 and steps[ROUND] <= 0.4
    assert found[:, OPEN].max() > 0.6 and found[:, ROUND].max() > 0.5
    assert found.min(0)[WIDE] < -0.3 and (np.delete(found, WIDE, 1) >= 0).all()
    assert found.max() <= 1


@pytest.mark.parametrize("fps", [24, 25, 60])
@pytest.mark.parametrize("language", TEXTS)
def test_frames_do_not_depend_on_the_cut(language: str, fps: int) -> None:
    pieces = spoken(language)
    assert len(pieces) > 2
    whole = joined(pieces)
    found = tracks(*pieces, fps=fps)
    assert np.allclose(found, tracks(whole, fps=fps), atol=1e-5)
    assert found.dtype == np.float32
    assert found.shape == (frame_count(len(whole.pcm), whole.sample_rate, fps), len(TRACKS))


@pytest.mark.parametrize("every", [1, 3, 10])
def test_frames_do_not_depend_on_a_cut_between_sounds(every: int) -> None:
    whole = joined(spoken("ru"))
    phonemes = whole.phonemes or ()
    pieces = []
    for first in range(0, len(phonemes), every):
        part = phonemes[first : first + every]
        start, end = (round(t * whole.sample_rate) for t in (part[0].start_s, part[-1].end_s))
        moved = [
            Phoneme(p.ipa, p.start_s - part[0].start_s, p.end_s - part[0].start_s) for p in part
        ]
        pieces.append(Speech(first, "", whole.pcm[start:end], whole.sample_rate, moved))
    assert np.allclose(tracks(*pieces), tracks(whole), atol=1e-5)


def test_a_seal_shorter_than_a_frame_is_seen() -> None:
    for lead_ms in range(100, 200, 10):
        found = tracks(said(("a", lead_ms / 1000), ("b", 0.03), ("a", 0.3)), fps=10)
        owned = int((lead_ms + 15) / 100)
        assert found[owned, CLOSE] == 1 and found[owned, OPEN] == 0


def test_frames_come_as_soon_as_they_are_settled() -> None:
    stream = Articulation(25)
    speech = said(("", 0.1), ("m", 0.1), ("a", 0.3), ("t", 0.1), ("", 0.4))
    early = stream.push(speech)
    assert len(early) / 25 >= 1.0 - stream.lookahead_s - 1 / 25
    assert len(early) + len(stream.finish()) == 25
    assert np.array_equal(early, tracks(speech)[: len(early)])


def test_a_vowel_of_the_next_piece_is_anticipated() -> None:
    first, second = said(("a", 0.3), ("s", 0.2)), said(("u", 0.3), ("", 0.3))
    together, alone = tracks(first, second), tracks(first)
    assert together[12, ROUND] > alone[12, ROUND] + 0.2
    assert np.allclose(together[:4], alone[:4], atol=1e-5)


def test_no_vowel_between_seals_is_swallowed() -> None:
    found = tracks(said(("", 0.1), *[("m", 0.07), ("a", 0.05)] * 5, ("", 0.3)))
    middles = 0.1 + 0.12 * np.arange(5)
    seals, vowels = ((middles + at) * 25 for at in (0.035, 0.095))
    assert (found[seals.astype(int), CLOSE] == 1).all()
    assert (found[vowels.astype(int), OPEN] > 0.2).all()


def test_lips_round_tuck_and_rest() -> None:
    found = tracks(said(("", 0.2), ("u", 0.2), ("f", 0.2), ("i", 0.2), ("", 0.6)))
    assert found[7, ROUND] > 0.7 and found[7, WIDE] < -0.5
    assert found[12, TUCK] == 1
    assert found[17, WIDE] > 0.5 and found[17, ROUND] < 0.1
    assert np.abs(found[26:]).max() < 0.01


def test_a_short_pause_does_not_close_the_mouth() -> None:
    short = tracks(said(("a", 0.3), ("", 0.05), ("a", 0.3)))
    long = tracks(said(("a", 0.3), ("", 0.4), ("a", 0.3)))
    assert short[:, OPEN].min() > 0.5
    assert long[:, OPEN].min() < 0.05


def test_silence_is_rest() -> None:
    silent = Speech(0, "", np.zeros(RATE, np.float32), RATE, [Phoneme("", 0.0, 1.0)])
    assert not tracks(silent).any()
    assert not tracks(silent, silent).any()
    assert tracks().shape == (0, 8)


def test_a_loud_vowel_opens_wider_than_a_soft_one() -> None:
    loud, soft = said(("e", 0.4), ("", 0.3)), said(("e", 0.4), ("", 0.3), level=0.03)
    found = tracks(loud, soft)
    first, second = found[3:7, JAW].mean(), found[21:24, JAW].mean()
    assert 1.2 < first / second < 1.6


@pytest.mark.parametrize("rate", [8000, 11025, 12345, 44100])
@pytest.mark.parametrize("fps", [24, 25, 30])
def test_frames_tile_the_sound_at_any_rate(rate: int, fps: int) -> None:
    stream = Articulation(fps)
    lengths = [rate + 7, 3, rate // 2, 1, 0]
    count = 0
    for length in lengths:
        phonemes = [Phoneme("a", 0.0, length / rate)]
        count += len(stream.push(Speech(0, "", np.zeros(length, np.float32), rate, phonemes)))
        assert count <= frame_count(sum(lengths), rate, fps)
    assert count + len(stream.finish()) == frame_count(sum(lengths), rate, fps)


def test_one_job_has_one_sample_rate() -> None:
    stream = Articulation(25)
    stream.push(said(("a", 0.5)))
    with pytest.raises(ValueError, match="Hz"):
        stream.push(Speech(1, "", np.zeros(10, np.float32), RATE + 1, []))
