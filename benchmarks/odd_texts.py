"""Texts that nobody writes but who wants to be slow: one unit, or a few, without end.

Signs, letters, digits and pieces of markup are repeated to 5000 characters, alone and in random
company, and read in each language. None may take longer than LONGEST_S of processor time; a usual
text takes 50 ms.

python -m benchmarks.odd_texts [--seconds 120] [--seed 1]
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import time
from typing import TYPE_CHECKING

from app_core.speech.text.reading import LANGUAGES, TextReader
from benchmarks.table import end, show

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE = 5000
LONGEST_S = 0.3
GIVEN_UP_S = 10.0
SHOWN = 15
_SIGNS = r"""!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~ «»“”„’…–—°№₸€½²×÷−"""
_BLANKS = ["\n", "\t", "\xa0", "\u202f", "\u200b", "\u0301", "\xad", "\u202e"]
_LETTERS = list("aéйәзXIVqж漢ب１٣Ⅳ①𝐇ﬁ😀0157")
_PIECES = (
    "1. 1, 1: 1/ 1- a. й. т. т.е. г. ж. 1-й III IV. &amp; &# <b> </b> <!-- --> <script> ``` [a]("
    " ]( ![ ** __ ~~ \\( \\) $$ \\frac{ {1} http:// www. a@ @b.c .com км/ кг 5% $5 +7 (727) 10:"
    " || |- == A. А. AT& x^ x_ aй St. e.g. 1st 1990s -5 1e5 0x :: // ?! ... 's ің -ші (a a)"
).split(" ")
_SPACED = ["1 ", " 1", "дом ", "the ", "және ", ". ", ", ", "; ", "\n- ", "\n1. ", "\n# ", "\n> "]
UNITS = [*_SIGNS, *_BLANKS, *_LETTERS, *_PIECES, *_SPACED]


class _GivenUp(Exception):
    pass


def _give_up(*_: object) -> None:
    raise _GivenUp


def texts(dice: random.Random) -> Iterator[tuple[tuple[str, ...], str]]:
    """Units, and the text that they make. Those of one come first; then without end."""
    for unit in UNITS:
        many = unit * (SIZE // len(unit))
        yield (unit,), many
        yield ("a", unit), "a" + many[:-1]
        yield (unit, "a"), many[:-1] + "a"
    while True:
        units = tuple(dice.choices(UNITS, k=dice.choice([2, 2, 2, 3, 4])))
        whole = "".join(units)
        if dice.random() < 0.3:  # one, and then the others
            half, rest = SIZE // 2, whole[len(units[0]) :]
            yield units, units[0] * (half // len(units[0])) + rest * (half // len(rest))
        else:
            yield units, whole * (SIZE // len(whole))


def spent_s(reader: TextReader, text: str, language: str) -> float:
    """Processor seconds, GIVEN_UP_S at most."""
    signal.setitimer(signal.ITIMER_VIRTUAL, GIVEN_UP_S)
    began_s = time.process_time()
    try:
        for _ in reader.read(text, language):
            continue
    except _GivenUp:
        return GIVEN_UP_S
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return time.process_time() - began_s


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    signal.signal(signal.SIGVTALRM, _give_up)
    reader, seen = TextReader(), []
    reader.warm()
    end_s = time.monotonic() + chosen.seconds
    for units, text in texts(random.Random(chosen.seed)):
        if time.monotonic() > end_s:
            break
        for language in (*LANGUAGES, "auto"):
            seen.append((spent_s(reader, text, language), language, units))
    seen.sort(reverse=True)
    slow = [each for each in seen if each[0] > LONGEST_S]
    show(
        f"The slowest of {len(seen)} readings of {SIZE} characters",
        ["ms", "language", "units"],
        [[round(s * 1000), language, ascii(units)] for s, language, units in seen[:SHOWN]],
    )
    print(f"\n{'FAIL' if slow else 'PASS'}: {len(slow)} took longer than {LONGEST_S * 1000:.0f} ms")
    figures = {"readings": len(seen), "slowest_s": round(seen[0][0], 3), "passed": not slow}
    end("odd_texts", figures)
    return bool(slow)


if __name__ == "__main__":
    sys.exit(main())
