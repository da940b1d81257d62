"""One message for a viewer of a session: 24 bytes of header and what was encoded."""

from __future__ import annotations

import struct
from enum import IntEnum
from functools import cached_property
from typing import NamedTuple

HEADER_BYTES = 24
_HEADER = struct.Struct("<BBHIQQ")
_KEY, _IDLE = 1, 2


class Kind(IntEnum):
    """What the payload is."""

    JPEG = 1
    MP4_START = 2
    """The initialisation segment."""
    MP4 = 3
    """A fragment: one picture."""
    PCM = 4
    """16-bit samples, little-endian, mono, 48 kHz."""
    OPUS = 5
    """One packet of 20 ms, mono, 48 kHz."""
    H264 = 6
    """One access unit behind start codes, SPS and PPS before each IDR picture. As VP8, it is for
    calls: never on a socket."""
    VP8 = 7
    """One picture."""


SOUND = frozenset({Kind.PCM, Kind.OPUS})


class _Fields(NamedTuple):
    kind: Kind
    key: bool
    """It can be decoded without what came before."""
    idle: bool
    """Nobody speaks in it."""
    generation: int
    """Interrupts of the session so far."""
    frame: int
    """Of the session, from 0: the one in which the payload begins."""
    micros: int
    """On the session's clock, where the payload begins; not below 0."""
    payload: bytes


class Packet(_Fields):
    """Shared by all viewers of one encoder."""

    def header(self) -> bytes:
        """Kind u8, flags u8 (1 key, 2 idle), u16 zero, generation u32, frame u64, microseconds
        u64, little-endian.
        """
        flags = _KEY * self.key | _IDLE * self.idle
        return _HEADER.pack(self.kind, flags, 0, self.generation, self.frame, self.micros)

    def message(self) -> bytes:
        """Header and payload: made once, however many ask."""
        return self._message

    @cached_property
    def _message(self) -> bytes:
        return self.header() + self.payload
