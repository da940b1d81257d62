from __future__ import annotations

import os
from pathlib import Path

import pytest

from app_core.storage.marks import Marks
from app_core.storage.spool import Spool
from app_core.types import Sentence, VoiceFallback, Word

NOWHERE = Path("/dev/null/folder")
"""No folder can be made there."""


def said(count: int) -> list[Sentence | Word]:
    words = [Word(f"сөз-{n}", n / 7, (n + 1) / 7, n, n + 3) for n in range(count)]
    return [Sentence(0, "бүтін", 0.0, count / 7), *words]


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path)


def test_what_is_away_takes_no_memory_and_is_read_as_it_was(spool: Spool) -> None:
    marks: Marks[Sentence | Word] = Marks()
    marks += said(500)
    before = marks.nbytes
    assert marks.in_memory == before > 100_000
    marks.put_away(spool)
    assert (marks.in_memory, len(marks)) == (0, 501)
    assert 0 < marks.nbytes < before
    assert marks[:] == list(marks) == said(500)
    assert (marks[3], marks[499:]) == (said(500)[3], said(500)[499:])
    spool.close()


def test_a_thread_that_is_late_adds_to_what_is_away(spool: Spool) -> None:
    marks: Marks[Sentence | Word | VoiceFallback] = Marks(said(2))
    marks.put_away(spool)
    late = VoiceFallback("piper:x", "espeak:en", "voice_late", 0.125)
    marks.append(late)
    marks += [Word("more", 1.0, 2.0)]
    assert marks[:] == [*said(2), late, Word("more", 1.0, 2.0)]
    assert (len(marks), marks[3:]) == (5, marks[:][3:])
    spool.close()


def test_their_room_is_given_back(spool: Spool) -> None:
    one, other = Marks(said(50)), Marks(said(9))
    one.put_away(spool)
    other.put_away(spool)
    one.release()
    other.release()
    assert (len(one), one[:], one.nbytes, spool._end) == (0, [], 0, 0)
    spool.close()
    assert other[:] == []


def test_without_a_place_they_stay(tmp_path: Path) -> None:
    marks = Marks(said(4))
    marks.put_away(Spool(NOWHERE))
    assert (marks[:], marks.in_memory) == (said(4), 2000)


def test_none_take_no_file(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    Marks().put_away(Spool(tmp_path))
    assert len(os.listdir("/proc/self/fd")) == before
