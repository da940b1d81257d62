"""JSON from clients, read strictly: RFC 8259 and I-JSON (RFC 7493), so that whatever passes can be
spoken, answered and logged."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import Any, NoReturn

from app_core.errors import BadInput
from app_core.turns import Turns

_LARGE = 16 << 10
"""Bytes from which on one body is read at a time: those who make frames want Python's lock too."""
_MOST_VALUES = 10_000
"""Of one body; a megabyte of brackets would hold Python's lock for a fifth of a second."""
_turns = Turns("The reader of large bodies", most=32)
_MOST_DIGITS = 1000
"""Of an integer; Python turns no more than 4300 into a number."""


class BadText(ValueError):
    """Text that cannot be used, as the end of a sentence."""


def plain_text(text: str) -> str:
    """``text``. Raises BadText for half a surrogate pair or a NUL."""
    if "\0" in text:
        raise BadText("must not hold a NUL character")
    try:
        text.encode()  # a megabyte in a millisecond
    except UnicodeEncodeError:
        raise BadText("must not hold half of a surrogate pair") from None
    return text


def json_value(data: bytes) -> Any:
    """The value. Raises BadInput for what is not UTF-8 or no JSON, for NaN and Infinity, and for
    an object with a name twice; and Busy.
    """
    with _turns.turn(len(data) >> 10) if len(data) > _LARGE else nullcontext():
        return _value(data)


def _value(data: bytes) -> Any:
    if len(data) > _LARGE and _separators(data) > _MOST_VALUES:
        raise BadInput(f"The JSON of the body holds more than {_MOST_VALUES} values")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput("The body must be JSON in UTF-8") from None
    try:
        value = json.loads(
            text, parse_constant=_no_number, parse_int=_integer, object_pairs_hook=_object
        )
        _check(value, None)
    except RecursionError:
        raise BadInput("The JSON of the body is nested too deep") from None
    except ValueError:
        raise BadInput("The body is not JSON") from None
    return value


def _separators(data: bytes) -> int:
    """What begins a value, outside of texts. Where there are more texts than values may be, they
    are not looked at one by one."""
    if (quotes := data.count(b'"') - data.count(rb"\"")) > 4 * _MOST_VALUES:
        return quotes
    unescaped = data.replace(rb"\\", b"").replace(rb"\"", b"")
    outside = b"".join(unescaped.split(b'"')[::2])
    return sum(map(outside.count, (b",", b"[", b"{")))


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise BadInput(f"The JSON of the body holds a number of {len(digits)} digits: too long")
    return int(digits)


def _no_number(name: str) -> NoReturn:
    raise BadInput(f"The JSON of the body holds {name}, which is no number")


class _Ambiguous(dict[str, Any]):
    """An object with a name twice. Which field holds it is known when all has been read."""

    twice = ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    ambiguous, names = _Ambiguous(found), set[str]()
    for name, _ in pairs:
        if name in names:
            ambiguous.twice = name
            break
        names.add(name)
    return ambiguous


def _check(value: Any, field: str | None) -> None:
    """Every text in it. ``field`` is the name at the top that holds it."""
    if isinstance(value, str):
        try:
            plain_text(value)
        except BadText as error:
            raise BadInput(f"'{field or 'body'}' {error}", field=field) from None
    elif isinstance(value, list):
        for item in value:
            _check(item, field)
    elif isinstance(value, dict):
        for name, item in value.items():
            _check(name, field)
            _check(item, field or name)
        if isinstance(value, _Ambiguous):
            where = f" in '{field}'" if field else ""
            raise BadInput(f"'{value.twice}' is given twice{where}", field=field or value.twice)
