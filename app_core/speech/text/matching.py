"""Matches of a pattern, found without a try at every character of the text.

A pattern that begins with a look-behind is tried everywhere, which is most of the time of a
reading. What a match can begin with, and what it cannot be without, is known from the pattern.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_parser: Any = getattr(re, "_parser", None)
"""Python's own reader of patterns, which is not promised to stay: without it nothing is known
beforehand of a pattern, and its matches are the same."""
_FEW = 16
"""One place in so many characters that a match may begin at: of more, each is tried faster by the
engine itself."""
_MOST_LETTERS = 3
"""Small letters in a set of characters that is still rare in a text, as no set with a space is."""
_REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})
_CATEGORIES = {"CATEGORY_DIGIT": r"\d", "CATEGORY_SPACE": r"\s"}

Chars = frozenset[str]
"""Items of a regular expression's ``[...]``."""


class _Hints(NamedTuple):
    begins: re.Pattern[str] | None
    """One character, that every match begins with; None where it may be any."""
    needs: re.Pattern[str] | None
    """One character, that every match contains or stands beside."""


def matches(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """What ``pattern.finditer(text)`` gives."""
    begins, needs = _hints(pattern)
    if needs and not needs.search(text):
        return
    at = 0
    if begins:
        for _ in range(len(text) // _FEW):
            place = begins.search(text, at)
            if not place:
                return
            match = pattern.match(text, place.start())
            if match:
                yield match
            at = match.end() if match else place.end()
    yield from pattern.finditer(text, at)


@lru_cache(maxsize=2048)
def _hints(pattern: re.Pattern[str]) -> _Hints:
    if _parser is None or pattern.flags & (re.IGNORECASE | re.VERBOSE):
        return _Hints(None, None)
    tree = _parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE)
    first, empty = _first(tree)
    return _Hints(_one_of(None if empty else first), _one_of(_needed(tree)))


def _one_of(chars: Chars | None) -> re.Pattern[str] | None:
    if not chars or not chars.isdisjoint((r"\ ", r"\s")):
        return None
    if sum(item.islower() for item in chars if len(item) == 1) > _MOST_LETTERS:
        return None
    return re.compile(f"[{''.join(sorted(chars))}]")


def _first(tree: Iterable[Any]) -> tuple[Chars | None, bool]:
    """What ``tree`` can begin with, None of anything; and whether it can be empty."""
    found: Chars = frozenset()
    for op, value in tree:
        name = str(op)
        if name in ("AT", "ASSERT", "ASSERT_NOT"):
            continue
        if name == "BRANCH":
            parts = [_first(branch) for branch in value[1]]
        elif name in _REPEATS:
            chars, empty = _first(value[2])
            parts = [(chars, empty or value[0] == 0)]
        elif _is_any_case(name, value):
            return None, False
        elif name in ("SUBPATTERN", "ATOMIC_GROUP"):
            parts = [_first(value[-1] if name == "SUBPATTERN" else value)]
        else:
            parts = [(_set(name, value), False)]
        for chars, _ in parts:
            if chars is None:
                return None, False
            found |= chars
        if not any(empty for _, empty in parts):
            return found, False
    return found, True


def _needed(tree: Iterable[Any]) -> Chars | None:
    """The smallest set of which there is one character in or beside each match."""
    found: list[Chars] = []
    for op, value in tree:
        name, chars = str(op), None
        if name == "BRANCH":
            parts = [_needed(branch) for branch in value[1]]
            chars = None if None in parts else frozenset().union(*(p for p in parts if p))
        elif name in _REPEATS:
            chars = _needed(value[2]) if value[0] else None
        elif _is_any_case(name, value):
            chars = None
        elif name in ("SUBPATTERN", "ATOMIC_GROUP"):
            chars = _needed(value[-1] if name == "SUBPATTERN" else value)
        elif name == "ASSERT":
            chars = _needed(value[1])
        elif name not in ("AT", "ASSERT_NOT"):
            chars = _set(name, value)
        if chars and _one_of(chars):
            found.append(chars)
    return min(found, key=_size, default=None)


def _is_any_case(name: str, value: Any) -> bool:
    """``(?i:...)``."""
    return name == "SUBPATTERN" and bool(value[1] & re.IGNORECASE)


def _size(chars: Chars) -> int:
    """Letters are common."""
    return sum(10 if item.isalpha() else 1 for item in chars)


def _set(name: str, value: Any) -> Chars | None:
    """None where small letters, or characters that are not named, are among them."""
    if name == "LITERAL":
        return frozenset({re.escape(chr(value))})
    if name != "IN":
        return None
    items = []
    for kind, item in value:
        if str(kind) == "LITERAL":
            items.append(re.escape(chr(item)))
        elif str(kind) == "RANGE":
            low, high = map(chr, item)
            if low.islower() or high.islower() or low < "A" and high > "Z":
                return None
            items.append(f"{re.escape(low)}-{re.escape(high)}")
        elif str(kind) == "CATEGORY" and str(item) in _CATEGORIES:
            items.append(_CATEGORIES[str(item)])
        else:
            return None
    return frozenset(items)
