"""Opus by libopus itself: one call a packet, which lets other threads run once.

Through PyAV a packet of 20 ms gives Python's lock away and takes it back sixteen times, for a
filter, frames and packets around the one call that takes time. With many sessions each of them is
a wait.

The library is the copy in PyAV's wheel, or else the system's.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import threading
import weakref
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from app_core.errors import FfmpegFailed

if TYPE_CHECKING:
    from app_core.types import Float32

SAMPLE_RATE = 48_000
SAMPLES = 960
"""Of a packet: 20 ms."""
LOOKAHEAD = 312
"""Samples that a packet decodes to later than it was given them, the pre-skip of RFC 7845."""
_COMPLEXITY = 5
# opus_defines.h
_AUDIO = 2049
"""OPUS_APPLICATION_AUDIO: at this rate OPUS_APPLICATION_VOIP sounds no better and takes three
times the time."""
_SET_BITRATE, _SET_VBR_CONSTRAINT, _SET_COMPLEXITY, _GET_LOOKAHEAD = 4002, 4020, 4010, 4027
_LONGEST = 4000
"""Bytes of a packet, as the documentation of opus_encode recommends."""


class OpusCoder:
    """One stream of mono at SAMPLE_RATE. For one thread at a time."""

    def __init__(self, bits_s: int) -> None:
        """Raises FfmpegFailed."""
        self._library = library()
        failed = ctypes.c_int()
        state = self._library.opus_encoder_create(SAMPLE_RATE, 1, _AUDIO, ctypes.byref(failed))
        self._check(failed.value)
        self._state = ctypes.c_void_p(state)
        self._free = weakref.finalize(self, self._library.opus_encoder_destroy, self._state)
        self._free.atexit = False  # a thread may encode to the end of the program
        self._lock = threading.Lock()
        """It is not freed while it is used."""
        self._set(_SET_BITRATE, bits_s)
        self._set(_SET_VBR_CONSTRAINT, 0)
        self._set(_SET_COMPLEXITY, _COMPLEXITY)
        self._coded = ctypes.create_string_buffer(_LONGEST)

    @property
    def lookahead(self) -> int:
        """Samples; LOOKAHEAD."""
        found = ctypes.c_int32()
        self._set(_GET_LOOKAHEAD, ctypes.byref(found))
        return found.value

    def encode(self, pcm: Float32) -> bytes:
        """One packet of SAMPLES samples -1..1. Raises FfmpegFailed."""
        if len(pcm) != SAMPLES:
            raise ValueError(f"a packet has {SAMPLES} samples, not {len(pcm)}")
        samples = np.ascontiguousarray(pcm, np.float32)
        with self._lock:
            if not self._free.alive:
                raise _failed("it is closed")
            count = self._library.opus_encode_float(
                self._state, samples.ctypes.data, SAMPLES, self._coded, _LONGEST
            )
            self._check(count)
            return self._coded.raw[:count]

    def close(self) -> None:
        """Safe to call again."""
        with self._lock:
            self._free()

    def _set(self, what: int, value: object) -> None:
        self._check(self._library.opus_encoder_ctl(self._state, what, value))

    def _check(self, found: int) -> None:
        if found < 0:
            raise _failed(self._library.opus_strerror(found).decode())


@lru_cache(maxsize=1)
def library() -> ctypes.CDLL:
    """libopus. Raises FfmpegFailed when there is none."""
    package = Path(av.__file__).parent
    folders = package.parent / "av.libs", package / ".dylibs"
    names = [str(path) for folder in folders for path in sorted(folder.glob("*opus*"))]
    if (system := ctypes.util.find_library("opus")) is not None:
        names.append(system)
    words = "there is none here"
    for name in names:
        try:
            found = ctypes.CDLL(name)
            found.opus_encoder_create.restype = ctypes.c_void_p
            found.opus_encoder_create.argtypes = [ctypes.c_int32, ctypes.c_int, ctypes.c_int]
            found.opus_encoder_create.argtypes += [ctypes.c_void_p]
            found.opus_encoder_ctl.argtypes = [ctypes.c_void_p, ctypes.c_int]
            found.opus_encode_float.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
            found.opus_encode_float.argtypes += [ctypes.c_char_p, ctypes.c_int32]
            found.opus_encoder_destroy.argtypes = [ctypes.c_void_p]
            found.opus_encoder_destroy.restype = None
            found.opus_strerror.restype = ctypes.c_char_p
        except (OSError, AttributeError) as error:
            words = str(error)
        else:
            return found
    raise _failed(words)


def _failed(words: str) -> FfmpegFailed:
    return FfmpegFailed(f"libopus failed: {words}")
