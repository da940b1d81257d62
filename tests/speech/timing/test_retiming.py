from __future__ import annotations

from app_core.speech.timing.retiming import Pause, retimed, retimed_words
from app_core.types import Phoneme, Word


def twice(second: float) -> float:
    return 2 * second


def test_places_in_the_text_stay_where_times_move() -> None:
    words = [Word("Да,", 0.0, 0.5, 3, 6), Word("нет", 0.5, 1.0, 7, 10)]
    found = retimed_words(words, twice, [Pause(0.9, 1.2)], 2.0)
    assert [(word.start, word.end) for word in found] == [(3, 6), (7, 10)]
    assert [(word.start_s, word.end_s) for word in found] == [(0.0, 0.9), (1.2, 2.0)]
    sounds = [Phoneme("d", 0.0, 0.5, 3, 4), Phoneme("a", 0.5, 1.0, 4, 5)]
    heard = retimed(sounds, twice, [Pause(0.9, 1.2)], 2.5)
    assert [(p.ipa, p.start, p.end) for p in heard] == [("d", 3, 4), ("", 0, 0), ("a", 4, 5)]
    assert heard[-1].end_s == 2.5
