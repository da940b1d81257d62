"""How many pictures an MP4 holds, from its index alone: a long one need not be read through."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

_LARGEST = 64 << 20
"""Bytes of an index."""


class _Box(NamedTuple):
    kind: bytes
    body: bytes


def count_pictures(path: Path) -> int | None:
    """None for a file that is no MP4, has several tracks, or shows less than all that it holds
    (ISO/IEC 14496-12: an edit list). Raises OSError.
    """
    with path.open("rb") as file:
        index = _index(file)
    if index is None:
        return None
    try:
        return _count(index)
    except struct.error:  # cut off
        return None


def _index(file: BinaryIO) -> bytes | None:
    """What the moov box holds, wherever it lies."""
    while len(head := file.read(8)) == 8:
        size, kind = struct.unpack(">I4s", head)
        size -= 8
        if size == 1 - 8:
            size = int.from_bytes(file.read(8), "big") - 16
        if size < 0 or not kind.isalnum():
            return None
        if kind == b"moov":
            return file.read(size) if size <= _LARGEST else None
        file.seek(size, 1)
    return None


def _count(index: bytes) -> int | None:
    movie = list(_boxes(index))
    tracks = [box.body for box in movie if box.kind == b"trak"]
    if len(tracks) != 1 or any(box.kind == b"mvex" for box in movie):
        return None
    header = _inside(index, b"mvhd")
    edits = _inside(tracks[0], b"edts", b"elst")
    sizes = _inside(tracks[0], b"mdia", b"minf", b"stbl", b"stsz")
    is_video = _inside(tracks[0], b"mdia", b"hdlr")[8:12] == b"vide"
    if (
        not is_video
        or not sizes
        or header[:1] != b"\0"
        or (edits and not _shows_all(header, edits))
    ):
        return None
    (count,) = struct.unpack_from(">I", sizes, 8)
    return int(count) or None


def _shows_all(header: bytes, edits: bytes) -> bool:
    """One edit of the whole movie from its first picture on."""
    (duration,) = struct.unpack_from(">I", header, 16)
    version, entries, lasts, begins = struct.unpack_from(">B3xIIi", edits)
    return (version, entries, begins) == (0, 1, 0) and bool(lasts == duration)


def _inside(body: bytes, *kinds: bytes) -> bytes:
    for kind in kinds:
        body = next((box.body for box in _boxes(body) if box.kind == kind), b"")
    return body


def _boxes(body: bytes) -> Iterator[_Box]:
    at = 0
    while at + 8 <= len(body):
        size, kind = struct.unpack_from(">I4s", body, at)
        if size < 8:
            return
        yield _Box(kind, body[at + 8 : at + size])
        at += size
