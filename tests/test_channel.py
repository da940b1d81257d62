from __future__ import annotations

import threading

import pytest

from app_core.channel import Channel, ChannelClosed, ChannelFull


def test_items_come_in_order_and_then_the_end() -> None:
    channel: Channel[int] = Channel(3)
    for item in (1, 2, 3):
        channel.put(item)
    channel.close()
    assert [channel.get(1) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(ChannelClosed):
        channel.get(1)


def test_full_refuses_and_room_counts() -> None:
    channel: Channel[int] = Channel(1)
    assert channel.room() == 1
    channel.put(1)
    assert channel.room() == 0
    with pytest.raises(ChannelFull):
        channel.put(2)
    channel.get(1)
    assert channel.room() == 1


def test_the_first_close_wins() -> None:
    channel: Channel[int] = Channel(1)
    channel.put(1)
    channel.close(ValueError("first"))
    channel.close()
    assert channel.get(1) == 1, "what waits is read before the error"
    with pytest.raises(ValueError, match="first"):
        channel.get(1)
    assert channel.room() == 0


def test_a_late_error_does_not_replace_a_clean_end() -> None:
    channel: Channel[int] = Channel(1)
    channel.close()
    channel.close(ValueError("late"))
    with pytest.raises(ChannelClosed):
        channel.get(1)


def test_every_wait_ends() -> None:
    channel: Channel[int] = Channel(1)
    with pytest.raises(TimeoutError):
        channel.get(0.01)


def test_close_wakes_a_sleeping_reader() -> None:
    channel: Channel[int] = Channel(1)
    ended = threading.Event()

    def read() -> None:
        with pytest.raises(ChannelClosed):
            channel.get(30)
        ended.set()

    reader = threading.Thread(target=read)
    reader.start()
    channel.close()
    assert ended.wait(5)
    reader.join()


def test_close_now_throws_away_what_waits() -> None:
    channel: Channel[int] = Channel(1)
    channel.put(1)
    channel.close(ValueError("now"), now=True)
    with pytest.raises(ValueError, match="now"):
        channel.get(1)


def test_what_nobody_takes_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("app_core.channel.time.monotonic", lambda: now)
    channel: Channel[int] = Channel(4)
    now = 5.0
    assert channel.untaken_s == 0.0, "there is nothing to take"
    assert not channel.visited
    channel.put(1)
    now = 6.0
    channel.put(2)
    now = 8.0
    assert channel.untaken_s == 3.0
    channel.get(0.0)
    assert channel.visited
    now = 10.0
    assert channel.untaken_s == 2.0, "since the last one was taken"
    channel.get(0.0)
    now = 50.0
    channel.close()
    now = 60.0
    assert channel.untaken_s == 0.0, "its reader is through"


@pytest.mark.parametrize("now_too", [True, False])
def test_a_failure_that_nobody_takes_is_known(
    monkeypatch: pytest.MonkeyPatch, now_too: bool
) -> None:
    now = 1.0
    monkeypatch.setattr("app_core.channel.time.monotonic", lambda: now)
    channel: Channel[int] = Channel(4)
    channel.close(ValueError("why"), now=now_too)
    now = 4.0
    assert channel.untaken_s == 3.0
    with pytest.raises(ValueError):
        channel.get(0.0)
    assert channel.untaken_s == 0.0


def test_items_thrown_away_are_waited_for_by_nobody() -> None:
    channel: Channel[int] = Channel(4)
    channel.put(1)
    channel.close(now=True)
    assert channel.untaken_s == 0.0
