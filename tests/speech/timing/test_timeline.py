from __future__ import annotations

import numpy as np
import pytest

from app_core.speech.timing.timeline import timeline
from app_core.types import Float32, Phoneme

RATE = 1000


def tone(seconds: float, level: float = 0.3) -> Float32:
    return (level * np.sin(np.arange(round(seconds * RATE)) * 1.9)).astype(np.float32)


def silence(seconds: float) -> Float32:
    return np.zeros(round(seconds * RATE), np.float32)


def shown(phonemes: list[Phoneme]) -> list[tuple[str, float]]:
    return [(phoneme.ipa, round(phoneme.start_s, 3)) for phoneme in phonemes]


def covers(phonemes: list[Phoneme], seconds: float) -> bool:
    ends = [0.0, *(phoneme.end_s for phoneme in phonemes)]
    return [p.start_s for p in phonemes] == ends[:-1] and ends[-1] == pytest.approx(seconds)


def test_the_sound_is_covered_and_labels_are_cleaned() -> None:
    events = [(20, "ˈa"), (120, "ː"), (150, "(en)"), (150, "ˌz"), (250, ""), (350, "")]
    found = timeline(events, tone(0.4), RATE, "ru")
    assert shown(found) == [("", 0.0), ("aː", 0.02), ("z", 0.15), ("", 0.25)]
    assert covers(found, 0.4)


def test_no_events_is_silence() -> None:
    assert timeline([], silence(0.2), RATE, "en") == [Phoneme("", 0.0, 0.2)]
    assert timeline([], silence(0.0), RATE, "en") == []


def test_a_micro_pause_belongs_to_the_sound_before() -> None:
    found = timeline([(0, "s"), (100, ""), (120, "a")], tone(0.3), RATE, "ru")
    assert shown(found) == [("s", 0.0), ("a", 0.12)]


def test_vowel_letters_get_their_ipa_value_by_language() -> None:
    events = [(0, "y"), (100, "(en)"), (100, "u"), (200, "(ru)"), (200, 'u"')]
    assert [ipa for ipa, _ in shown(timeline(events, tone(0.3), RATE, "ru"))] == ["ɨ", "u", "ʉ"]
    events = [(0, "ˈu"), (100, "ʊ"), (200, "ə"), (300, "ɵ")]
    kazakh = timeline(events, tone(0.4), RATE, "kk")
    assert [ipa for ipa, _ in shown(kazakh)] == ["ʏ", "ʊ", "ɯ", "ɵ"]


def test_a_voiceless_stop_starts_at_its_closure_and_parts_at_its_burst() -> None:
    pcm = np.concatenate([tone(0.1), tone(0.05, 0.005), tone(0.03, 0.05), tone(0.12)])
    found = timeline([(0, "a"), (150, "p"), (180, "o")], pcm, RATE, "ru")
    assert shown(found) == [("a", 0.0), ("p", 0.1), ("o", 0.16)]
    found = timeline([(0, "a"), (150, "t"), (180, "o")], pcm, RATE, "ru")
    assert shown(found) == [("a", 0.0), ("t", 0.1), ("o", 0.18)]


def test_a_stop_after_a_sounding_vowel_stays() -> None:
    found = timeline([(0, "a"), (150, "t"), (180, "o")], tone(0.3), RATE, "ru")
    assert shown(found) == [("a", 0.0), ("t", 0.15), ("o", 0.18)]


def test_a_stop_takes_at_most_its_closure_from_a_pause() -> None:
    pcm = np.concatenate([silence(0.3), tone(0.2)])
    found = timeline([(300, "p"), (330, "a")], pcm, RATE, "en")
    assert found[0] == Phoneme("", 0.0, 0.21)
    assert covers(found, 0.5)


def test_the_way_out_of_a_nasal_belongs_to_the_vowel() -> None:
    pcm = np.concatenate([tone(0.08, 0.05), tone(0.12, 0.4)])
    assert shown(timeline([(0, "m"), (110, "a")], pcm, RATE, "kk")) == [("m", 0.0), ("a", 0.08)]
    quiet = timeline([(0, "m"), (110, "a")], tone(0.2), RATE, "kk")
    assert shown(quiet) == [("m", 0.0), ("a", 0.11)]


def test_a_glide_after_a_labial_is_not_part_of_its_closure() -> None:
    events = [(0, "v"), (100, "ʲ"), (150, "i"), (200, "t"), (250, "ʲ"), (280, "i")]
    found = timeline(events, tone(0.4), RATE, "ru")
    assert [ipa for ipa, _ in shown(found)] == ["v", "j", "i", "tʲ", "i"]


def test_unordered_and_late_events_do_no_harm() -> None:
    found = timeline([(50, "a"), (40, "o"), (900, "u")], tone(0.2), RATE, "en")
    assert covers(found, 0.2)
