from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from app_core.speech.timing.alignment import Alignment, Fit
from app_core.speech.timing.bands import HOPS, Bands
from app_core.speech.timing.retiming import Pause, retimed, retimed_words
from app_core.speech.timing.warping import warp
from app_core.speech.voices import espeak
from app_core.speech.voices.espeak import SAMPLE_RATE, EspeakVoice
from app_core.types import Phoneme, Prosody, Speech, Word
from tests.fakes import spoken_by

TEXTS = {
    "en": "Most people believe that a map of my village is a mirror of the modern world. Bob made"
    " a big boat. We bought some apples, pears and plums at the market before lunch.",
    "ru": "Мама мыла раму в большом белом доме. Папа купил много яблок, а потом пошёл домой."
    " Погода была прекрасная, и мы поехали к морю вместе с бабушкой.",
    "kk": "Сәлем, менің атым Бекзат. Бүгін ауа райы өте жақсы болып тұр. Біз мектепке бірге"
    " барамыз.",
}
OTHER = {
    "en": "The quarterly report shows a rise in exports. Seven students failed their exam.",
    "ru": "Квартальный отчёт показал рост экспорта. Семь студентов не сдали экзамен вчера.",
    "kk": "Тоқсандық есеп экспорттың өсуін көрсетті. Жеті студент кеше сынақтан өтпеді.",
}


def said(text: str, language: str, variant: str = "", speed: float = 1.0) -> list[Speech]:
    """By the usual voice, or by another person."""
    voice, *rest = espeak._VOICES[language]
    person = f"{voice.split('+')[0]}+{variant}" if variant else voice
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(espeak._VOICES, language, (person, *rest))  # type: ignore[arg-type]
        return list(spoken_by(EspeakVoice(), text, language, Prosody(speed)))


class Recorded:
    """Another person says a text, with pauses of ``gap_s`` before each piece."""

    def __init__(self, speeches: list[Speech], gap_s: tuple[float, ...] = (2.3, 0.0, 1.1)) -> None:
        parts: list[np.ndarray] = []
        self.phonemes: list[Phoneme] = []
        self.pauses: list[tuple[float, float]] = []
        at = 0.0
        for index, speech in enumerate(speeches):
            gap = np.zeros(int(gap_s[index % len(gap_s)] * SAMPLE_RATE), np.float32)
            self.pauses.append((at, at + len(gap) / SAMPLE_RATE))
            at += len(gap) / SAMPLE_RATE
            assert speech.phonemes is not None
            self.phonemes += [Phoneme(p.ipa, at + p.start_s, at + p.end_s) for p in speech.phonemes]
            parts += [gap, speech.pcm]
            at += len(speech.pcm) / SAMPLE_RATE
        self.pcm = np.concatenate(parts)

    def noisy(self, decibels: float) -> Recorded:
        noise = np.random.default_rng(0).normal(size=len(self.pcm)).astype(np.float32)
        level = np.sqrt(np.mean(self.pcm**2) / 10 ** (decibels / 10))
        self.pcm = (self.pcm + noise * np.float32(level)).astype(np.float32)
        return self

    def blocks(self, length: int = 9000) -> Iterator[np.ndarray]:
        for start in range(0, len(self.pcm), length):
            yield self.pcm[start : start + length]


def align(recorded: Recorded, text: str, language: str) -> tuple[list[Speech], Fit]:
    fit = Fit()
    spoken = spoken_by(EspeakVoice(), text, language)
    found = list(Alignment(recorded.blocks(), SAMPLE_RATE, spoken, fit))
    np.testing.assert_array_equal(np.concatenate([s.pcm for s in found]), recorded.pcm)
    assert [speech.index for speech in found] == list(range(len(found)))
    for speech in found:
        covers(speech)
    return found, fit


def covers(speech: Speech) -> None:
    """Phonemes tile the sound; words lie in it, in order."""
    seconds = len(speech.pcm) / speech.sample_rate
    at = 0.0
    for phoneme in speech.phonemes or ():
        assert phoneme.start_s == pytest.approx(at, abs=1e-9)
        assert phoneme.end_s >= phoneme.start_s
        at = phoneme.end_s
    assert speech.phonemes is None or at == pytest.approx(seconds, abs=1e-9)
    before = 0.0
    for word in speech.words:
        assert before - 1e-9 <= word.start_s <= word.end_s <= seconds + 1e-9
        before = word.start_s


def on_the_clock(speeches: list[Speech]) -> list[Phoneme]:
    found, at = [], 0.0
    for speech in speeches:
        for phoneme in speech.phonemes or ():
            found.append(Phoneme(phoneme.ipa, at + phoneme.start_s, at + phoneme.end_s))
        at += len(speech.pcm) / speech.sample_rate
    return found


def sealed(phonemes: list[Phoneme]) -> np.ndarray:
    return np.array([(p.start_s + p.end_s) / 2 for p in phonemes if p.ipa and p.ipa[0] in "mbp"])


def close_enough(found: list[Speech], recorded: Recorded) -> float:
    """Which part of the m, b and p are within 40 ms of where they are."""
    centres = sealed(on_the_clock(found))
    wanted = sealed(recorded.phonemes)
    assert len(wanted) >= 12
    away = np.abs(wanted[:, None] - centres[None]).min(1)
    return float((away <= 0.04).mean())


@pytest.mark.parametrize("language", list(TEXTS))
@pytest.mark.parametrize(
    ("variant", "speed", "decibels"),
    [("m3", 1.0, None), ("m7", 0.8, None), ("f2", 1.3, None), ("croak", 1.0, 20), ("m3", 1.2, 10)],
    ids=["a man", "slower", "faster", "hoarse", "noise"],
)
def test_lips_close_where_another_voice_closes_them(
    language: str, variant: str, speed: float, decibels: float | None
) -> None:
    recorded = Recorded(said(TEXTS[language], language, variant, speed))
    if decibels is not None:
        recorded.noisy(decibels)
    found, fit = align(recorded, TEXTS[language], language)
    assert fit.found == fit.characters > 0
    assert close_enough(found, recorded) >= 0.9


@pytest.mark.parametrize("language", list(TEXTS))
def test_pauses_of_the_speaker_are_silent(language: str) -> None:
    recorded = Recorded(said(TEXTS[language], language, "m3"))
    found, _ = align(recorded, TEXTS[language], language)
    silent = [p for p in on_the_clock(found) if not p.ipa]
    for start, end in recorded.pauses:
        if end - start > 0.2:
            inside = sum(max(0, min(end, p.end_s) - max(start, p.start_s)) for p in silent)
            assert inside >= end - start - 0.06


@pytest.mark.parametrize("language", list(TEXTS))
def test_another_text_is_noticed(language: str) -> None:
    recorded = Recorded(said(TEXTS[language], language, "m3"))
    found, fit = align(recorded, OTHER[language], language)
    assert fit.found == 0
    assert fit.characters > 0
    assert not any(speech.text for speech in found)
    assert any(speech.phonemes is None for speech in found)


def test_a_text_that_ends_early_leaves_the_rest_to_the_sound() -> None:
    whole = said(TEXTS["ru"], "ru", "m3") + said(OTHER["ru"], "ru", "m3")
    recorded = Recorded(whole)
    found, fit = align(recorded, TEXTS["ru"], "ru")
    assert fit.found == fit.characters
    spoken = [speech for speech in found if speech.text]
    assert "".join(s.text for s in spoken) == "".join(s.text for s in said(TEXTS["ru"], "ru"))
    assert found[-1].phonemes is None
    heard_s = sum(len(speech.pcm) for speech in found[: found.index(spoken[-1]) + 1]) / SAMPLE_RATE
    start_s, end_s = recorded.pauses[len(said(TEXTS["ru"], "ru"))]
    assert start_s - 0.4 < heard_s < end_s + 0.1


def test_words_before_the_text_begins_are_passed_over() -> None:
    recorded = Recorded(
        said("Добрый вечер, дорогие друзья.", "ru", "m3")[:1] + said(TEXTS["ru"], "ru", "m3")
    )
    found, fit = align(recorded, TEXTS["ru"], "ru")
    assert fit.found == fit.characters
    assert found[-1].text


def test_words_are_where_they_are_said() -> None:
    speeches = said(TEXTS["en"], "en", "m3", 0.9)
    recorded = Recorded(speeches)
    found, _ = align(recorded, TEXTS["en"], "en")
    wanted, got = [], []
    for sources, into in ((found, got), (speeches, wanted)):
        at = 0.0
        for index, speech in enumerate(sources):
            if sources is speeches:
                at = recorded.pauses[index][1]
            into += [(word.text, at + word.start_s) for word in speech.words]
            at += len(speech.pcm) / SAMPLE_RATE
    assert [text for text, _ in got] == [text for text, _ in wanted]
    away = np.array([abs(a - b) for (_, a), (_, b) in zip(got, wanted, strict=True)])
    assert np.mean(away < 0.08) >= 0.9


def test_a_long_silence_is_given_out_as_it_comes() -> None:
    speeches = said("Привет, мама.", "ru", "m3")
    recorded = Recorded(speeches, (95.0,))
    fit = Fit()
    taken = 0

    def blocks() -> Iterator[np.ndarray]:
        nonlocal taken
        for block in recorded.blocks():
            taken += len(block)
            yield block

    first = next(iter(Alignment(blocks(), SAMPLE_RATE, iter(speeches), fit)))
    assert [p.ipa for p in first.phonemes or ()] == [""]
    assert taken < 12 * SAMPLE_RATE


@pytest.mark.parametrize("pcm", [np.zeros(5), np.zeros(30_000), np.full(30_000, 0.5)])
def test_a_sound_without_a_voice_is_given_out_whole(pcm: np.ndarray) -> None:
    recorded = Recorded(said("Да.", "ru"))
    recorded.pcm = pcm.astype(np.float32)
    _, fit = align(recorded, "Мама мыла раму.", "ru")
    assert fit.found == 0


def test_a_text_without_words_leaves_all_to_the_sound() -> None:
    recorded = Recorded(said("Привет, мама.", "ru", "m3"))
    found, fit = align(recorded, "...", "ru")
    assert fit.characters == 0
    assert all(speech.phonemes is None for speech in found)


def test_bands_do_not_depend_on_the_blocks() -> None:
    pcm = np.random.default_rng(0).normal(size=30_001).astype(np.float32) * 0.1
    whole, cut = Bands(22_050, 48_000), Bands(22_050, 48_000)
    expected = whole.push(pcm, last=True)
    edges = [0, 7, 150, 151, 9000, 30_000, 30_001]
    got = [cut.push(pcm[a:b]) for a, b in zip(edges, edges[1:], strict=False)]
    got.append(cut.push(np.zeros(0, np.float32), last=True))
    np.testing.assert_allclose(np.concatenate(got), expected, atol=1e-4)
    assert len(expected) == 30_001 * HOPS // 22_050


def test_a_chord_has_the_same_levels_at_every_rate() -> None:
    def levels(rate: int) -> np.ndarray:
        clock = np.arange(rate)[:, None] / rate
        chord = np.sin(2 * np.pi * np.arange(100, 3500, 90) * clock).sum(1) / 50
        return Bands(rate, 8000).push(chord.astype(np.float32), last=True)[10:-10].mean(0)

    for rate in (8000, 22_050, 44_100, 48_000):
        assert np.abs(levels(rate) - levels(16_000)).max() < 0.5


def test_warping_undoes_a_stretch_and_finds_an_open_end() -> None:
    rng = np.random.default_rng(0)
    rows = np.cumsum(rng.normal(size=(200, 8)), 0).astype(np.float32)
    slow = np.repeat(rows, [1 + (k % 2) for k in range(200)], 0)
    places = np.searchsorted(
        np.repeat(np.arange(200), [1 + (k % 2) for k in range(200)]), range(200)
    )
    found = warp(rows, slow, open_end=False)
    assert np.abs(found.places - places).max() <= 1.5
    assert found.cost < 0.01
    longer = np.concatenate([slow, 50 + np.cumsum(rng.normal(size=(150, 8)), 0)]).astype(np.float32)
    open_ended = warp(rows, longer, open_end=True)
    assert np.abs(open_ended.places - places).max() <= 1.5


def twice(second: float) -> float:
    return 2 * second


def test_a_pause_inside_a_sound_leaves_it_the_longer_part() -> None:
    phonemes = [Phoneme("a", 0.0, 0.5), Phoneme("m", 0.5, 0.75), Phoneme("", 0.75, 1.0)]
    found = retimed(phonemes, twice, [Pause(0.7, 0.9)], 2.0)
    assert found == [
        Phoneme("a", 0.0, 0.7),
        Phoneme("", 0.7, 0.9),
        Phoneme("m", 0.9, 1.5),
        Phoneme("", 1.5, 2.0),
    ]


def test_words_begin_and_end_outside_of_pauses() -> None:
    words = (Word("один", 0.0, 0.4), Word("два", 0.4, 0.9))
    found = retimed_words(words, twice, [Pause(0.7, 1.0)], 2.0)
    assert found == (Word("один", 0.0, 0.7), Word("два", 1.0, 1.8))
