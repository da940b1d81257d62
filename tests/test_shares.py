"""What one client may hold, and how often it may ask."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from app_core.config import Config
from app_core.errors import TooMany
from app_core.shares import Holding, RequestRate, Share, Shares, request_rate_of, shares_of

OUT = {"listen": "0.0.0.0:5000"}


def bound(shares: Shares, kind: Holding) -> int:
    """How many of a kind one owner gets; 0: 300 at least."""
    for count in range(300):
        try:
            shares.take(kind, "a")
        except TooMany:
            return count
    return 0


def test_one_at_its_bound_is_refused_and_another_is_served() -> None:
    shares = Shares({Holding.RENDERS: 2})
    held = [shares.take(Holding.RENDERS, "a") for _ in range(2)]
    with pytest.raises(TooMany, match=r"as many renders .*: 2 \(CLIENT_RENDERS\)") as refused:
        shares.take(Holding.RENDERS, "a")
    assert refused.value.retry_after_s == 5
    with pytest.raises(TooMany):
        shares.check(Holding.RENDERS, "a")
    shares.check(Holding.RENDERS, "b")
    shares.take(Holding.RENDERS, "b")
    shares.take(Holding.UPLOADS, "a")
    held[0].release()
    shares.take(Holding.RENDERS, "a")


def test_a_share_is_given_back_once() -> None:
    shares = Shares({Holding.SESSIONS: 2})
    one, _ = shares.take(Holding.SESSIONS, "a"), shares.take(Holding.SESSIONS, "a")
    for _ in range(3):
        one.release()
    assert shares.held(Holding.SESSIONS, "a") == 1


def test_what_is_kept_is_given_back_only_after_a_failure() -> None:
    shares = Shares({Holding.SESSIONS: 9})
    with shares.take(Holding.SESSIONS, "a").kept():
        pass
    assert shares.held(Holding.SESSIONS, "a") == 1
    with pytest.raises(KeyError), shares.take(Holding.SESSIONS, "a").kept():
        raise KeyError
    with pytest.raises(KeyError), shares.take(Holding.SESSIONS, "a"):
        raise KeyError
    assert shares.held(Holding.SESSIONS, "a") == 1


def test_this_program_and_kinds_without_a_bound_are_free() -> None:
    shares = Shares({Holding.RENDERS: 1, Holding.UPLOADS: 0})
    for kind, owner in ((Holding.RENDERS, ""), (Holding.UPLOADS, "a"), (Holding.SESSIONS, "a")):
        for _ in range(5):
            assert isinstance(shares.take(kind, owner), Share)
        shares.check(kind, owner)


def test_many_at_once_get_no_more_than_the_bound() -> None:
    shares = Shares({Holding.LISTENERS: 7})

    def take(_: int) -> bool:
        try:
            shares.take(Holding.LISTENERS, "a")
        except TooMany:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(take, range(200))) == 7


def test_only_what_is_held_takes_memory() -> None:
    shares = Shares({Holding.UPLOADS: 1})
    for number in range(5000):
        with shares.take(Holding.UPLOADS, f"address {number}"):
            pass
    assert not shares._held


def test_a_minute_s_requests_may_come_at_once_and_come_back_evenly() -> None:
    now = 100.0
    rate = RequestRate(60, lambda: now)
    for _ in range(60):
        rate.count("a")
    for _ in range(3):  # what is refused costs nothing
        with pytest.raises(TooMany, match="60 requests a minute") as refused:
            rate.count("a")
    assert refused.value.retry_after_s == 1
    rate.count("b")
    now += 2.0
    rate.count("a")
    rate.count("a")
    with pytest.raises(TooMany):
        rate.count("a")
    now += 3600.0
    for _ in range(60):
        rate.count("a")
    with pytest.raises(TooMany):
        rate.count("a")


def test_a_slow_rate_says_how_long_to_wait() -> None:
    rate = RequestRate(2, lambda: 0.0)
    rate.count("a")
    rate.count("a")
    with pytest.raises(TooMany) as refused:
        rate.count("a")
    assert refused.value.retry_after_s == 30


def test_a_heavy_request_counts_as_many() -> None:
    now = 0.0
    rate = RequestRate(60, lambda: now)
    rate.count("a", 59)
    rate.count("a", 11)
    with pytest.raises(TooMany) as refused:
        rate.count("a")
    assert refused.value.retry_after_s == 11
    now += 10.5
    with pytest.raises(TooMany):
        rate.count("a")
    now += 0.5
    rate.count("a")
    rate.count("b", 10_000)  # also where there are never so many
    now += 61.0
    rate.count("b")


def test_thousands_of_addresses_do_not_grow_the_table() -> None:
    rate = RequestRate(5, lambda: 0.0, most=100)
    for _ in range(5):
        rate.count("steady")
    for number in range(10_000):
        if number % 50 == 0:
            with pytest.raises(TooMany):
                rate.count("steady")
        rate.count(f"address {number}")
    assert len(rate) == 100


def test_no_bound_where_only_this_machine_reaches() -> None:
    for config in (Config(), Config(listen="[::1]:80,localhost:81")):
        assert not config.reached_by_others
        assert [bound(shares_of(config), kind) for kind in Holding] == [0, 0, 0, 0]
        rate = request_rate_of(config)
        for _ in range(5000):
            rate.count("a")


@pytest.mark.parametrize("reached", [OUT, {"trusted_proxies": "127.0.0.1"}])
def test_a_part_of_what_there_is_where_others_reach(reached: dict[str, str]) -> None:
    config = Config.model_validate({"max_jobs": 5, "max_sessions": 10, **reached})
    assert config.reached_by_others
    found = {kind: bound(shares_of(config), kind) for kind in Holding}
    assert found == {
        Holding.RENDERS: 3,
        Holding.SESSIONS: 5,
        Holding.UPLOADS: 2,
        Holding.LISTENERS: 5,
    }


def test_auto_is_half_of_what_there_really_is_too() -> None:
    def halved(**settings: str) -> list[bool]:
        shares = shares_of(Config.model_validate(settings))
        return [shares.take(kind, "a").halved for kind in Holding]

    assert halved(**OUT) == [True, True, False, False]
    assert halved(**OUT, client_sessions="9") == [True, False, False, False]
    assert halved() == halved(**OUT, client_sessions="0", client_renders="5") == [False] * 4
    assert not shares_of(Config.model_validate(OUT)).take(Holding.SESSIONS, "").halved


def test_numbers_count_everywhere() -> None:
    for more in ({}, OUT):
        config = Config.model_validate({"client_renders": "4", "client_uploads": 0, **more})
        shares = shares_of(config)
        assert (bound(shares, Holding.RENDERS), bound(shares, Holding.UPLOADS)) == (4, 0)
