"""Queues as they are in the books: who finds no server, and how much longer a job takes."""

from __future__ import annotations

from functools import lru_cache

MOST_LOAD = 0.97
"""Of the cores. Above that a queue has no end; live frames are given up instead."""


def erlang_b(servers: int, load: float) -> float:
    """Part of those who come that find no server free (M/M/c/c); ``load`` in erlangs."""
    blocked = 1.0
    for count in range(1, servers + 1):
        blocked = load * blocked / (count + load * blocked)
    return blocked


def erlang_c(servers: int, load: float) -> float:
    """Part of those who come that have to wait (M/M/c), 0..1."""
    blocked = erlang_b(servers, load)
    return servers * blocked / (servers - load * (1 - blocked))


@lru_cache(maxsize=65_536)
def stretch(servers: int, load: float) -> float:
    """How many times as long work takes beside ``load`` that shares ``servers`` equally with it
    (M/M/c, processor sharing: the mean)."""
    load = min(load, MOST_LOAD * servers)
    return 1.0 + erlang_c(servers, load) / (servers - load)
