from __future__ import annotations

import threading

import numpy as np
import pytest

from app_core.errors import Cancelled, VoiceFailed
from app_core.speech.text.piece import Piece
from app_core.speech.voices import espeak
from app_core.speech.voices.espeak import EspeakVoice
from app_core.types import Float32, Prosody, Speech
from tests.fakes import spoken_by

TEXTS = {
    "ru": "Привет, мама была дома. Пётр купил хлеб!",
    "kk": "Сәлем, бүгін ауа райы жақсы. Мұғалім кітап оқып отыр.",
    "en": "Hello, my baby found the wave. Peter picked a map.",
}
VOWELS = set("aɑæeɛɜəiɪɨouʊʉyʏøɵɯʌɐɔ")


def spoken(language: str, speed: float = 1.0) -> list[Speech]:
    return list(spoken_by(EspeakVoice(), TEXTS[language], language, Prosody(speed)))


@pytest.mark.parametrize("language", TEXTS)
def test_pieces_have_sound_and_phonemes(language: str) -> None:
    found = spoken(language)
    assert [speech.index for speech in found] == [0, 1]
    for speech in found:
        assert speech.text in TEXTS[language]
        assert speech.pcm.dtype == np.float32 and speech.sample_rate == 22050
        assert 0.4 < np.abs(speech.pcm).max() <= 0.9
        phonemes = speech.phonemes
        assert phonemes is not None and len(phonemes) > 10
        ends = [0.0, *(phoneme.end_s for phoneme in phonemes)]
        assert [phoneme.start_s for phoneme in phonemes] == ends[:-1]
        assert ends[-1] == pytest.approx(len(speech.pcm) / speech.sample_rate)


@pytest.mark.parametrize("language", TEXTS)
def test_phonemes_lie_where_their_sound_is(language: str) -> None:
    power: dict[bool, list[float]] = {True: [], False: []}
    for speech in spoken(language):
        for phoneme in speech.phonemes or ():
            start, end = (int(t * 22050) for t in (phoneme.start_s, phoneme.end_s))
            if phoneme.ipa == "" or phoneme.ipa[0] in VOWELS:
                power[phoneme.ipa != ""].append(float(np.mean(speech.pcm[start:end] ** 2)))
    assert len(power[True]) > 8 and len(power[False]) >= 3
    assert np.median(power[True]) > 300 * np.median(power[False])
    assert np.percentile(power[True], 10) > 10 * max(power[False])


@pytest.mark.parametrize("language", TEXTS)
def test_a_sentence_ends_in_its_own_pause(language: str) -> None:
    for speech in spoken(language):
        assert speech.phonemes is not None
        last = speech.phonemes[-1]
        assert last.ipa == "" and last.end_s - last.start_s == pytest.approx(0.3, abs=0.001)


def test_a_clause_has_a_shorter_pause_than_a_sentence() -> None:
    text = "когда солнце только вставало над широкой степью, " * 3 + "мы вышли из дома."
    found = list(spoken_by(EspeakVoice(), text, "ru"))
    pauses = [s.phonemes[-1].end_s - s.phonemes[-1].start_s for s in found if s.phonemes]
    assert len(found) >= 2
    assert pauses[0] == pytest.approx(0.15, abs=0.001)
    assert pauses[-1] == pytest.approx(0.3, abs=0.001)


def test_speed_shortens_speech() -> None:
    lengths = [sum(len(speech.pcm) for speech in spoken("en", speed)) for speed in (0.5, 1.0, 2.0)]
    assert lengths[0] > 1.4 * lengths[1] and lengths[1] > 1.4 * lengths[2]


def pitch_hz(pcm: Float32) -> float:
    """The median over windows that have one, by autocorrelation."""
    found = []
    taper = np.hanning(1400)
    alone = np.fft.irfft(np.abs(np.fft.rfft(taper, 4096)) ** 2)
    for start in range(0, len(pcm) - 1400, 256):
        power = np.abs(np.fft.rfft(pcm[start : start + 1400] * taper, 4096)) ** 2
        alike = np.fft.irfft(power) / (alone + 1e-9 * alone[0])
        period = 30 + int(np.argmax(alike[30:450]))
        if alike[period] > 0.5 * alike[0] > 1e-3:
            found.append(22050 / period)
    assert len(found) > 50
    return float(np.median(found))


@pytest.mark.parametrize("semitones", [-12, -5, 7, 12])
@pytest.mark.parametrize(
    ("language", "text"),
    [("ru", "Мама мыла раму, а мы ели малину."), ("en", "My rainbow lay low.")],
)
def test_pitch_is_in_semitones_and_the_speed_stays(
    language: str, text: str, semitones: float
) -> None:
    usual, changed = (
        np.concatenate([s.pcm for s in spoken_by(EspeakVoice(), text * 2, language, prosody)])
        for prosody in (Prosody(), Prosody(pitch=semitones))
    )
    assert 12 * np.log2(pitch_hz(changed) / pitch_hz(usual)) == pytest.approx(semitones, abs=0.8)
    assert len(changed) == pytest.approx(len(usual), rel=0.08)


def test_nothing_speakable_gives_nothing() -> None:
    assert list(spoken_by(EspeakVoice(), "!!! 😀", "ru")) == []


def test_four_threads_do_not_disturb_each_other() -> None:
    alone = {language: [speech.phonemes for speech in spoken(language)] for language in TEXTS}
    wrong: list[str] = []

    def speak(language: str) -> None:
        for _ in range(5):
            found = spoken(language)
            for speech, expected in zip(found, alone[language], strict=True):
                same = [p.ipa for p in speech.phonemes or ()] == [p.ipa for p in expected or ()]
                if not same:
                    wrong.append(language)

    threads = [threading.Thread(target=speak, args=(name,)) for name in ("ru", "kk", "en", "ru")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert not wrong


def test_pieces_of_two_texts_may_alternate() -> None:
    first, second = (
        spoken_by(EspeakVoice(), TEXTS[language], language) for language in ("ru", "en")
    )
    texts = [next(stream).text for stream in (first, second, first, second)]
    assert texts[0] + " " + texts[2] == TEXTS["ru"]
    assert texts[1] + " " + texts[3] == TEXTS["en"]


def test_failures_name_espeak(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(VoiceFailed, match="espeak-ng.*'de'"):
        next(EspeakVoice().speak(Piece(0, "de", "Hallo.", "Hallo", ())))
    monkeypatch.setitem(espeak._VOICES, "en", ("no-such-voice", 160, 1.0))
    with pytest.raises(VoiceFailed, match="espeak-ng failed.*no-such-voice.*voice"):
        next(spoken_by(EspeakVoice(), "Hello", "en"))
    monkeypatch.setattr(espeak, "_LIBRARY", espeak._Library())
    monkeypatch.setattr(espeak.espeakng_loader, "get_library_path", lambda: "/nowhere/espeak.so")
    with pytest.raises(VoiceFailed, match="espeak-ng cannot be loaded.*nowhere"):
        next(spoken_by(EspeakVoice(), "Привет", "ru"))


def test_speech_that_nobody_wants_any_more_ends_between_pieces() -> None:
    stale = False
    pieces = spoken_by(EspeakVoice(), TEXTS["en"], "en", stale=lambda: stale)
    assert next(pieces).text == "Hello, my baby found the wave."
    stale = True
    with pytest.raises(Cancelled):
        next(pieces)


def test_speech_that_nobody_wants_any_more_waits_for_no_turn() -> None:
    asked: list[bool] = []

    def stale() -> bool:
        asked.append(True)
        return len(asked) > 1  # wanted when it begins, not any more while it waits

    with espeak._LIBRARY._turns.turn(1), pytest.raises(Cancelled):
        next(spoken_by(EspeakVoice(), TEXTS["en"], "en", stale=stale))


@pytest.mark.parametrize(("language", "text"), TEXTS.items())
@pytest.mark.parametrize("speed", [0.75, 1.5, 2.0])
def test_speed_is_what_was_asked(language: str, text: str, speed: float) -> None:
    voice = EspeakVoice()
    usual, changed = (
        sum(len(speech.pcm) for speech in spoken_by(voice, text, language, Prosody(asked)))
        for asked in (1.0, speed)
    )
    assert usual / changed == pytest.approx(speed, rel=0.12)
