"""Sound from outside, however it is cut, and what does not fit."""

from __future__ import annotations

import numpy as np

from app_core.sessions.pcm_feed import MOST_RATE, MOST_S, PcmFeed

RATE = 8000


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_samples_come_out_as_they_went_in_wherever_they_are_cut() -> None:
    samples = np.arange(-500, 500, dtype="<i2")
    data = samples.tobytes()
    feed, found = PcmFeed("u", RATE), []
    for at in range(0, len(data), 7):
        feed.push(data[at : at + 7])
        if (pcm := feed.take(0)) is not None:
            found.append(pcm)
    feed.end()
    while (pcm := feed.take(0)) is not None:
        found.append(pcm)
    assert np.array_equal(np.rint(np.concatenate(found) * 32768).astype(np.int16), samples)
    assert feed.over


def test_half_a_sample_at_the_end_is_nothing() -> None:
    feed = PcmFeed("u", RATE)
    feed.push(b"\1\0\2")
    feed.end()
    assert feed.take(0) is not None
    assert feed.take(0) is None
    assert feed.over


def test_what_has_no_room_is_dropped_and_counted() -> None:
    feed = PcmFeed("u", MOST_RATE)
    second = bytes(2 * MOST_RATE)
    for _ in range(int(MOST_S)):
        assert feed.room()
        feed.push(second)
    assert not feed.room()
    feed.push(second)
    assert feed.dropped_s == 1.0
    assert feed.take(0, most_s=2.0) is not None
    assert feed.room()
    feed.end()
    feed.push(second)
    assert feed.dropped_s == 2.0


def test_the_room_is_shared_with_the_others() -> None:
    other = int(2 * MOST_S * MOST_RATE)
    assert not PcmFeed("u", RATE, elsewhere=lambda: other).room()
    assert PcmFeed("u", RATE, elsewhere=lambda: other - 1).room()


def test_a_sound_that_had_to_wait_has_not_ended() -> None:
    time = Time()
    feed = PcmFeed("u", RATE, silent_s=5.0, clock=time)
    feed.push(bytes(4 * RATE))
    time.now = 100.0
    assert feed.take(0) is not None
    assert not feed.ended
    time.now = 104.0
    assert feed.take(0) is not None
    assert feed.take(0) is None
    assert not feed.ended


def test_a_sound_that_stays_away_has_ended() -> None:
    time = Time()
    feed = PcmFeed("u", RATE, silent_s=5.0, clock=time)
    feed.push(bytes(4))
    assert feed.take(0) is not None
    time.now = 4.0
    assert feed.take(0) is None
    assert not feed.ended
    assert feed.quiet_s == 4.0
    time.now = 6.0
    assert feed.take(0) is None
    assert feed.ended
    feed.push(bytes(4))
    assert feed.take(0) is None
