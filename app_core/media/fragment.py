"""H.264 pictures as fragmented MP4 (ISO/IEC 14496-12 and -15), one fragment each.

A muxer holds a picture back until the next one tells how long it lasts; whoever knows that writes
the fragment at once.
"""

from __future__ import annotations

import struct

TIMESCALE = 90_000
"""Ticks a second of every time here."""

_FRAGMENT = struct.Struct(">I4s I4sII I4s I4sII I4sIQ I4sIIiIII I4s")
_MOOF, _TRAF = 100, 76
_DATA_AT = _MOOF + 8
_BASE_IS_MOOF = 0x02_0000
_VERSION_1 = 1 << 24
_OFFSET_DURATION_SIZE_FLAGS = 0x1 | 0x100 | 0x200 | 0x400
_DEPENDS_ON_NONE, _DEPENDS_AND_NO_KEY = 0x0200_0000, 0x0101_0000
_MATRIX = struct.pack(">9I", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
_SMPTE_170M = 6
_UNDETERMINED = 0x55C4


def fragment(sequence: int, ticks: int, duration: int, data: bytes, *, key: bool) -> bytes:
    """moof and mdat of one picture, shown from ``ticks`` on for ``duration``.

    ``data`` is what ``length_prefixed`` makes; ``sequence`` grows by one with each.
    """
    depends = _DEPENDS_ON_NONE if key else _DEPENDS_AND_NO_KEY
    head = _FRAGMENT.pack(
        *(_MOOF, b"moof"),
        *(16, b"mfhd", 0, sequence),
        *(_TRAF, b"traf"),
        *(16, b"tfhd", _BASE_IS_MOOF, 1),
        *(20, b"tfdt", _VERSION_1, ticks),
        *(32, b"trun", _OFFSET_DURATION_SIZE_FLAGS, 1, _DATA_AT, duration, len(data), depends),
        *(8 + len(data), b"mdat"),
    )
    return head + data


def length_prefixed(annex_b: bytes) -> bytes:
    """NAL units behind start codes (H.264, annex B) to NAL units behind their lengths."""
    return b"".join(struct.pack(">I", len(unit)) + unit for unit in nal_units(annex_b))


def nal_units(annex_b: bytes) -> list[bytes]:
    """None of them ends in a zero byte, so those before a start code belong to that."""
    return [unit.rstrip(b"\0") for unit in annex_b.split(b"\0\0\1")[1:]]


def initialisation(width: int, height: int, sps: bytes, pps: bytes) -> bytes:
    """ftyp and moov: one video track of BT.601, tv range. ``sps`` and ``pps`` are NAL units."""
    movie = struct.pack(">4I I2H 8x 36s 24x I", 0, 0, 1000, 0, 1 << 16, 1 << 8, 0, _MATRIX, 2)
    size = struct.pack(">2I", width << 16, height << 16)
    track = struct.pack(">3I 4x I 8x 4H 36s 8s", 0, 0, 1, 0, 0, 0, 0, 0, _MATRIX, size)
    media = struct.pack(">4I2H", 0, 0, TIMESCALE, 0, _UNDETERMINED, 0)
    here = _full(b"dref", 0, struct.pack(">I", 1), _full(b"url ", 1))
    table = [
        _full(b"stsd", 0, struct.pack(">I", 1), _sample_entry(width, height, sps, pps)),
        *(_full(kind, 0, bytes(4)) for kind in (b"stts", b"stsc")),
        _full(b"stsz", 0, bytes(8)),
        _full(b"stco", 0, bytes(4)),
    ]
    information = [_full(b"vmhd", 1, bytes(8)), _box(b"dinf", here), _box(b"stbl", *table)]
    handler = _full(b"hdlr", 0, struct.pack(">4x4s12x", b"vide"), b"video\0")
    inside = [_full(b"mdhd", 0, media), handler, _box(b"minf", *information)]
    defaults = _full(b"trex", 0, struct.pack(">5I", 1, 1, 0, 0, 0))
    return _box(b"ftyp", b"iso5", struct.pack(">I", 512), b"iso5iso6mp41") + _box(
        b"moov",
        _full(b"mvhd", 0, movie),
        _box(b"trak", _full(b"tkhd", 3, track), _box(b"mdia", *inside)),
        _box(b"mvex", defaults),
    )


def _sample_entry(width: int, height: int, sps: bytes, pps: bytes) -> bytes:
    entry = struct.pack(
        ">6xH 16x 2H 2I 4xH 32x Hh", 1, width, height, 72 << 16, 72 << 16, 1, 24, -1
    )
    sets = [b"\xe1", struct.pack(">H", len(sps)), sps, b"\x01", struct.pack(">H", len(pps)), pps]
    configuration = _box(b"avcC", b"\x01", sps[1:4], b"\xff", *sets)
    colours = struct.pack(">4s3HB", b"nclx", _SMPTE_170M, _SMPTE_170M, _SMPTE_170M, 0)
    return _box(b"avc1", entry, configuration, _box(b"colr", colours))


def _box(kind: bytes, *parts: bytes) -> bytes:
    return struct.pack(">I4s", 8 + sum(map(len, parts)), kind) + b"".join(parts)


def _full(kind: bytes, flags: int, *parts: bytes) -> bytes:
    return _box(kind, struct.pack(">I", flags), *parts)
