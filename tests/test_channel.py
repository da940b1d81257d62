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
