"""A text on its way from how it is written to how it is said, which knows where it comes from."""

from __future__ import annotations

import re
from bisect import bisect_left
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Self

from app_core.speech.text.matching import matches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_TOKEN = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")
"""With the spaces after it: a space alone is no sign that two texts agree."""


class SpanText:
    """``text`` and, for each of its characters, the range of the written text that it stands for.

    Immutable: each step of a reading makes another one, in time in proportion to its length.
    """

    __slots__ = ("_ends", "_starts", "text")

    def __init__(self, text: str, starts: list[int], ends: list[int]) -> None:
        """``starts`` and ``ends``: one written range for each character."""
        if not len(text) == len(starts) == len(ends):
            raise ValueError("each character needs its written range")
        self.text, self._starts, self._ends = text, starts, ends

    @classmethod
    def written(cls, text: str, start: int = 0) -> Self:
        """As it is written; ``start``: where in the whole text this part of it begins."""
        numbers = range(start, start + len(text) + 1)
        return cls(text, list(numbers[:-1]), list(numbers[1:]))

    def __len__(self) -> int:
        return len(self.text)

    def __bool__(self) -> bool:
        return bool(self.text)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The written range of [start, end), which must not be empty."""
        if end - start == 1:
            return self._starts[start], self._ends[start]
        return min(self._starts[start:end]), max(self._ends[start:end])

    def parted(self, at: int) -> bool:
        """Whether something is written between what stands before the spaces around ``at`` and
        what stands after: not within a word that is said in several."""
        text, length = self.text, len(self.text)
        before, after = min(at, length) - 1, at
        while before >= 0 and text[before].isspace():
            before -= 1
        while after < length and text[after].isspace():
            after += 1
        return before < 0 or after >= length or self._starts[after] > self._ends[before]

    def char_at(self, written: int) -> str:
        """The first character that comes from index ``written`` or from what follows it; empty
        where none does. The text must be in the order in which it was written."""
        return self.text[bisect_left(self._starts, written) :][:1]

    def part(self, start: int, end: int) -> Self:
        return type(self)(self.text[start:end], self._starts[start:end], self._ends[start:end])

    def append(self, more: str) -> Self:
        """``more`` stands for what the last character stands for; the text must not be empty."""
        count = len(more)
        return type(self)(
            self.text + more,
            self._starts + [self._starts[-1]] * count,
            self._ends + [self._ends[-1]] * count,
        )

    def split(self, separator: str) -> list[Self]:
        """Like ``str.split`` with a separator of one character."""
        parts, start = [], 0
        for line in self.text.split(separator):
            parts.append(self.part(start, start + len(line)))
            start += len(line) + 1
        return parts

    def strip(self) -> Self:
        """Without spaces at its ends."""
        start = len(self.text) - len(self.text.lstrip())
        return self.part(start, max(start, len(self.text.rstrip())))

    @classmethod
    def joined(cls, parts: Iterable[Self]) -> Self:
        texts: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        for part in parts:
            texts.append(part.text)
            starts += part._starts
            ends += part._ends
        return cls("".join(texts), starts, ends)

    def sub(
        self,
        pattern: re.Pattern[str],
        replacement: str | Callable[[re.Match[str]], str | None],
        whole: bool = False,
    ) -> Self:
        """Like ``re.sub``, but ``replacement`` is plain text, or a function that gives plain text,
        or None to leave a match as it is. All that replaces a match stands for the whole of it;
        what it has in common with the match at both ends keeps its own ranges, unless ``whole``.
        """
        text, own_starts, own_ends = self.text, self._starts, self._ends
        texts: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        done, changed = 0, False
        plain = replacement if isinstance(replacement, str) else None
        for match in matches(pattern, text):
            new = replacement(match) if plain is None else plain  # type: ignore[operator]
            old = match.group()
            if new is None or new == old:
                continue
            start, end = match.span()
            head, tail = (0, 0) if whole else _alike(old, new)
            first, last = start + head, end - tail
            if done < first:
                texts.append(text[done:first])
                starts += own_starts[done:first]
                ends += own_ends[done:first]
            done = last
            count = len(new) - head - tail
            origin = self._origin(start, end, first, last) if count else None
            if origin:
                texts.append(new[head : head + count])
                starts += [origin[0]] * count
                ends += [origin[1]] * count
            changed = True
        if not changed:
            return self
        texts.append(text[done:])
        starts += own_starts[done:]
        ends += own_ends[done:]
        return type(self)("".join(texts), starts, ends)

    def unwrap(self, pattern: re.Pattern[str]) -> Self:
        """Each match becomes its first group that took part, whose characters keep their own
        ranges; what stood around it is gone."""
        parts: list[Self] = []
        done = 0
        for match in matches(pattern, self.text):
            group = next((g for g in range(1, pattern.groups + 1) if match.start(g) >= 0), 0)
            parts += (self.part(done, match.start()), self.part(*match.span(group)))
            done = match.end()
        return self.joined([*parts, self.part(done, len(self.text))]) if parts else self

    def translate(self, table: dict[int, str]) -> Self:
        """Like ``str.translate``, with a text or nothing for each character."""
        if not any(ord(char) in table for char in set(self.text)):
            return self
        texts = [table.get(ord(char), char) for char in self.text]
        starts = [s for s, new in zip(self._starts, texts, strict=True) for _ in new]
        ends = [e for e, new in zip(self._ends, texts, strict=True) for _ in new]
        return type(self)("".join(texts), starts, ends)

    def follow(self, new: str) -> Self:
        """What a tool that tells no ranges made of the text: tokens that are the same on both
        sides keep their ranges, what stands between them stands for what it replaces. For short
        texts: the time grows with the square of the length."""
        if new == self.text:
            return self
        old_tokens, new_tokens = _TOKEN.findall(self.text), _TOKEN.findall(new)
        old_at, new_at = _starts(old_tokens), _starts(new_tokens)
        parts: list[Self] = []
        matcher = SequenceMatcher(None, old_tokens, new_tokens, autojunk=False)
        for kind, a, b, c, d in matcher.get_opcodes():
            start, end, text = old_at[a], old_at[b], new[new_at[c] : new_at[d]]
            parts.append(
                self.part(start, end) if kind == "equal" else self.replaced(start, end, text)
            )
        return self.joined(parts)

    def replaced(self, start: int, end: int, new: str) -> Self:
        """``new`` in place of [start, end)."""
        head, tail = _alike(self.text[start:end], new)
        middle = new[head : len(new) - tail]
        first, last = start + head, end - tail
        origin = self._origin(start, end, first, last) if middle else None
        count = len(middle) if origin else 0
        a, b = origin or (0, 0)
        changed = type(self)(middle[:count], [a] * count, [b] * count)
        return self.joined((self.part(start, first), changed, self.part(last, end)))

    def _origin(self, start: int, end: int, first: int, last: int) -> tuple[int, int] | None:
        """What stands in place of [first, last) of the replaced [start, end) stands for; None in
        an empty text."""
        if first == last:  # something was put in: it belongs to what stands around it
            first, last = (start, end) if start < end else (start - 1, end + 1)
            first, last = max(0, first), min(len(self), last)
        return self.span(first, last) if first < last else None


def _alike(old: str, new: str) -> tuple[int, int]:
    """Characters that both begin with, and that what is left of both ends with."""
    head = _common(old, new)
    if head == len(new) or head == len(old) or old[-1] != new[-1]:
        return head, 0
    return head, _common(old[head:][::-1], new[head:][::-1])


def _common(one: str, other: str) -> int:
    """Characters that two texts begin with alike, up to a border of words: half a word that stays
    says nothing about where the other half comes from."""
    if not one or not other or one[0] != other[0]:
        return 0
    most = min(len(one), len(other))
    count = 1
    while count < most and one[count] == other[count]:
        count += 1
    while 0 < count and (_inside(one, count) or _inside(other, count)):
        count -= 1
    return count


def _inside(text: str, at: int) -> bool:
    """Whether ``at`` lies within a word."""
    return at < len(text) and text[at - 1].isalnum() and text[at].isalnum()


def _starts(tokens: list[str]) -> list[int]:
    """Where each begins, and where the last one ends."""
    at = [0]
    for token in tokens:
        at.append(at[-1] + len(token))
    return at
