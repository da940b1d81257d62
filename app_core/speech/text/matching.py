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
_MOST_CHARS = 300
"""In a set of characters that is looked at; a larger one tells little."""
_REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})
_CATEGORIES = {"CATEGORY_DIGIT": r"\d", "CATEGORY_SPACE": r"\s"}
_COMMON = 10
"""Signs of a set are as rare as one letter."""
_ANY_CASE = "~"
"""Before a letter that may be of any case."""

Chars = frozenset[str]
"""Characters; ``\\d`` and ``\\s``; small letters after ``_ANY_CASE``."""


class _Hints(NamedTuple):
    begins: re.Pattern[str] | None
    """One character, that every match begins with; None where it may be any."""
    needs: tuple[Chars, ...]
    """Of each, every match contains one or stands beside it; the rare ones first."""


def matches(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """What ``pattern.finditer(text)`` gives."""
    if cannot_match(pattern, text):
        return iter(())
    begins = _hints(pattern).begins
    return _from_beginnings(pattern, text, begins) if begins else pattern.finditer(text)


def cannot_match(pattern: re.Pattern[str], text: str) -> bool:
    """Whether a character is missing in ``text`` that each match has, or stands beside."""
    needs = _hints(pattern).needs
    if not needs:
        return False
    there = _characters(text)
    return any(there.isdisjoint(chars) for chars in needs)


def _from_beginnings(
    pattern: re.Pattern[str], text: str, begins: re.Pattern[str]
) -> Iterator[re.Match[str]]:
    at = 0
    for _ in range(len(text) // _FEW):
        place = begins.search(text, at)
        if not place:
            return
        match = pattern.match(text, place.start())
        if match:
            yield match
        at = match.end() if match else place.end()
    yield from pattern.finditer(text, at)


@lru_cache(maxsize=16)
def _characters(text: str) -> Chars:
    """What there is in ``text``."""
    return _kinds(frozenset(text))


@lru_cache(maxsize=1024)
def _kinds(chars: Chars) -> Chars:
    return chars.union(*map(_kinds_of, chars))


@lru_cache(maxsize=4096)
def _kinds_of(char: str) -> Chars:
    """By which names of ``Chars`` it is one, beside its own."""
    kinds = {_ANY_CASE + _folded(char)}
    if char.isdecimal():
        kinds.add(r"\d")
    if char.isspace():
        kinds.add(r"\s")
    return frozenset(kinds)


def _folded(char: str) -> str:
    """The same for all that a pattern that ignores case takes for one letter."""
    return char.upper().lower()[0]


@lru_cache(maxsize=2048)
def _hints(pattern: re.Pattern[str]) -> _Hints:
    if _parser is None:
        return _Hints(None, ())
    any_case = bool(pattern.flags & re.IGNORECASE)
    tree = _parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE)
    first, empty = _first(tree, any_case)
    needs: list[Chars] = []
    for chars in sorted(_needed(tree, any_case), key=_size):
        if not any(known <= chars for known in needs):
            needs.append(chars)
    return _Hints(_one_of(None if empty else first), tuple(needs))


def any_of(alternatives: Iterable[str], any_case: bool = False) -> str:
    """A regular expression for any of these, the earlier ones first. Each is tried only where one
    with its first letter may begin: a hundred of them cost what a few do."""
    names = list(alternatives)
    groups: list[tuple[set[str], list[int]]] = []
    for number, name in enumerate(names):
        first, empty = _beginning(name, any_case)
        if not first or empty:
            return f"(?i:{'|'.join(names)})" if any_case else f"(?:{'|'.join(names)})"
        letters, numbers = set(first), [number]
        for group in [group for group in groups if not letters.isdisjoint(group[0])]:
            groups.remove(group)
            letters |= group[0]
            numbers += group[1]
        groups.append((letters, numbers))
    tried = (
        f"(?={_class(letters)})(?:{'|'.join(names[number] for number in sorted(numbers))})"
        for letters, numbers in groups
    )
    everything = set().union(*(letters for letters, _ in groups))
    return f"(?{'i' if any_case else ''}:(?={_class(everything)})(?:{'|'.join(tried)}))"


def _beginning(pattern: str, any_case: bool) -> tuple[Chars | None, bool]:
    if _parser is None:
        return None, False
    return _first(_parser.parse(pattern, 0), any_case)


def _class(chars: Iterable[str]) -> str:
    """``[...]``, of any case where one of them is."""
    any_case = any(len(char) > 1 and char[0] == _ANY_CASE for char in chars)
    items = sorted(char[1:] if char[0] == _ANY_CASE and char[1:] else char for char in chars)
    inner = "".join(item if len(item) > 1 else re.escape(item) for item in items)
    return f"(?i:[{inner}])" if any_case else f"[{inner}]"


def _one_of(chars: Chars | None) -> re.Pattern[str] | None:
    """A pattern of it, where it is rare."""
    if not chars or not chars.isdisjoint((" ", r"\s")):
        return None
    if any(len(item) > 1 and item[0] == _ANY_CASE for item in chars):
        return None
    if sum(item.islower() for item in chars if len(item) == 1) > _MOST_LETTERS:
        return None
    items = (item if len(item) > 1 else re.escape(item) for item in sorted(chars))
    return re.compile(f"[{''.join(items)}]")


def _first(tree: Iterable[Any], any_case: bool) -> tuple[Chars | None, bool]:
    """What ``tree`` can begin with, None of anything; and whether it can be empty."""
    found: Chars = frozenset()
    for op, value in tree:
        name = str(op)
        if name in ("AT", "ASSERT", "ASSERT_NOT"):
            continue
        if name == "BRANCH":
            parts = [_first(branch, any_case) for branch in value[1]]
        elif name in _REPEATS:
            chars, empty = _first(value[2], any_case)
            parts = [(chars, empty or value[0] == 0)]
        elif name == "SUBPATTERN":
            parts = [_first(value[-1], _case(value, any_case))]
        elif name == "ATOMIC_GROUP":
            parts = [_first(value, any_case)]
        else:
            parts = [(_set(name, value, any_case), False)]
        for chars, _ in parts:
            if chars is None:
                return None, False
            found |= chars
        if not any(empty for _, empty in parts):
            return found, False
    return found, True


def _needed(tree: Iterable[Any], any_case: bool) -> list[Chars]:
    """Sets of each of which there is one character in or beside each match."""
    found: list[Chars] = []
    for op, value in tree:
        name = str(op)
        if name == "BRANCH":
            parts = [min(_needed(one, any_case), key=_size, default=None) for one in value[1]]
            if None not in parts:
                found.append(frozenset().union(*(chars for chars in parts if chars)))
        elif name in _REPEATS:
            found += _needed(value[2], any_case) if value[0] else []
        elif name == "SUBPATTERN":
            found += _needed(value[-1], _case(value, any_case))
        elif name == "ATOMIC_GROUP":
            found += _needed(value, any_case)
        elif name == "ASSERT":
            found += _needed(value[1], any_case)
        elif name not in ("AT", "ASSERT_NOT"):
            chars = _set(name, value, any_case)
            found += [chars] if chars else []
    return found


def _case(value: Any, any_case: bool) -> bool:
    """Within ``(?i:...)`` or ``(?-i:...)``."""
    return (any_case or bool(value[1] & re.IGNORECASE)) and not value[2] & re.IGNORECASE


def _size(chars: Chars) -> int:
    """Letters are common, digits and spaces more so."""
    return sum(_COMMON if item[-1].isalpha() else 1 for item in chars) + 3 * _COMMON * (
        any(item.isspace() or item.isdecimal() or item in _CATEGORIES.values() for item in chars)
    )


def _set(name: str, value: Any, any_case: bool) -> Chars | None:
    """None where it is not small, or names what is not in it."""
    if name not in ("LITERAL", "IN"):
        return None
    found: set[str] = set()
    for kind, item in value if name == "IN" else ((name, value),):
        if str(kind) == "LITERAL":
            found.add(chr(item))
        elif str(kind) == "RANGE" and item[1] - item[0] < _MOST_CHARS:
            found.update(map(chr, range(item[0], item[1] + 1)))
        elif str(kind) == "CATEGORY" and str(item) in _CATEGORIES:
            found.add(_CATEGORIES[str(item)])
        else:
            return None
    if any_case:
        return frozenset(
            _ANY_CASE + _folded(item) if len(item) == 1 and item.isalpha() else item
            for item in found
        )
    return frozenset(found)
