"""How many lines of the tables in tests/text are read right, by language and kind.

python -m benchmarks.reading [--language ru] [--wrong]
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict

from benchmarks.table import end, show
from tests.text.tables import languages, lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--language", choices=languages(), action="append")
    parser.add_argument("--wrong", action="store_true", help="show the lines that are read wrong")
    args = parser.parse_args()
    rows: list[tuple[object, ...]] = []
    figures = {}
    wrong = []
    for language in args.language or languages():
        table = lines(language)
        table[0].said()  # loads what the language needs
        by_kind: dict[str, list[bool]] = defaultdict(list)
        begun = time.perf_counter()
        for line in table:
            said = line.said()
            by_kind[line.kind].append(line.is_right(said))
            if not by_kind[line.kind][-1]:
                wrong.append((language, line.written, said))
        took_ms = (time.perf_counter() - begun) * 1000
        rows += [(f"{language} {kind}", sum(right), len(right)) for kind, right in by_kind.items()]
        right = sum(sum(each) for each in by_kind.values())
        rows.append((f"{language} all", right, len(table)))
        figures[language] = {
            "right": right,
            "of": len(table),
            "ms_a_line": round(took_ms / len(table), 2),
        }
    show("Lines that are read right", ("kind", "right", "of"), rows)
    if args.wrong:
        for row in wrong:
            print(*row, sep="  |  ")
    end("reading", figures)


if __name__ == "__main__":
    main()
