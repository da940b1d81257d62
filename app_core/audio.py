"""The sound of one job, growing while it is made: one writer, any number of readers."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from typing import IO, TYPE_CHECKING

import numpy as np

from app_core.errors import afresh
from app_core.storage.nameless_file import nameless_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from app_core.storage.spool import Extent, Spool
    from app_core.types import Float32

logger = logging.getLogger(__name__)

SAMPLE_BYTES = 2
FULL_SCALE = 32768
"""1.0 in 16-bit samples, as WAV files and players have it."""
SPILL_S = 60.0
"""How much of a sound that may go to the disk stays in memory."""
_BLOCK = 1 << 20


class AudioBuffer:
    """Mono 16-bit samples. At most ``limit_s`` seconds are accepted; None is no limit.

    One that ``spills`` goes on in a file without a name, in the folder ``spill`` (None: the
    system's), once it is long: the length of a film does not show in the server's memory. When
    it is closed it moves into ``spool``, if there is one that takes it.
    """

    def __init__(
        self,
        sample_rate: int,
        limit_s: float | None = 3600.0,
        *,
        spills: bool = False,
        spill: str | None = None,
        spool: Spool | None = None,
    ) -> None:
        self.sample_rate = sample_rate
        self._spills, self._spill = spills, spill
        self._spool = spool
        self._extent: Extent | None = None
        self._file: IO[bytes] | None = None
        self._limit = sys.maxsize if limit_s is None else int(limit_s * sample_rate)
        self._store = np.zeros(sample_rate, np.int16)
        self._first, self._length = 0, 0
        """The samples that are here: from the first one that is not forgotten."""
        self._changed = threading.Condition()
        self._closed = False
        self._error: Exception | None = None

    def __len__(self) -> int:
        """Samples so far, with those that are forgotten."""
        return self._length

    def forget(self, stop: int) -> None:
        """The samples before ``stop`` are not asked for again. Of one that neither spills nor has a
        spool, so that a sound may go on for hours."""
        with self._changed:
            stop = min(stop, self._length)
            if stop - self._first < self.sample_rate or self._closed:
                return
            kept = self._store[stop - self._first : self._length - self._first]
            self._store = np.zeros(max(self.sample_rate, 2 * len(kept)), np.int16)
            self._store[: len(kept)] = kept
            self._first = stop

    @property
    def closed(self) -> bool:
        """Nothing more comes, for whatever reason."""
        return self._closed

    @property
    def complete(self) -> bool:
        return self._closed and self._error is None

    @property
    def nbytes(self) -> int:
        """In memory or on the disk."""
        return max(int(self._store.nbytes), self._length * SAMPLE_BYTES)

    @property
    def in_memory(self) -> int:
        """Bytes."""
        return int(self._store.nbytes)

    def append(self, pcm: Float32) -> None:
        samples = int16(pcm)
        with self._changed:
            if self._closed:
                raise ValueError("the sound is closed")
            end = self._length + len(samples)
            if end > self._limit:
                raise ValueError(f"longer than {self._limit // self.sample_rate} s")
            if self._spills and end > SPILL_S * self.sample_rate:
                self._to_file(samples)
            elif end - self._first > len(self._store):
                needed = end - self._first
                grown = np.zeros(min(max(needed, 2 * len(self._store)), self._limit), np.int16)
                grown[: self._length - self._first] = self._store[: self._length - self._first]
                self._store = grown
            if self._file is None:
                self._store[self._length - self._first : end - self._first] = samples
            self._length = end
            self._changed.notify_all()

    def close(self, error: Exception | None = None) -> None:
        """Nothing more comes. The first close wins."""
        with self._changed:
            if not self._closed:
                self._closed, self._error = True, error and afresh(error)
                if self._file is None:
                    self._store = self._store[: self._length - self._first].copy()
                self._put_away()
                self._changed.notify_all()

    def release(self) -> None:
        """Forgets the samples. Whoever reads on finds an end."""
        self.close()
        with self._changed:
            self._first = self._length = 0
            self._store = np.zeros(0, np.int16)
            if self._file is not None:
                self._file.close()
                self._file = None
            if self._spool is not None and self._extent is not None:
                self._spool.free(self._extent)
                self._extent = None

    def _put_away(self) -> None:
        """Where the spool's folder cannot be written, or is full, it stays where it is."""
        if self._spool is None or not self._length:
            return
        try:
            self._extent = self._spool.put(self._blocks(), self._length * SAMPLE_BYTES)
        except OSError as error:
            logger.warning("a sound stays in memory: %s", error)
            return
        self._store = np.zeros(0, np.int16)
        if self._file is not None:
            self._file.close()
            self._file = None

    def _blocks(self) -> Iterator[bytes]:
        for start in range(0, self._length, _BLOCK):
            yield self._part(start, start + _BLOCK).tobytes()

    def _to_file(self, samples: NDArray[np.int16]) -> None:
        """Raises OSError when the disk is full."""
        if self._file is None:
            self._file = nameless_file(self._spill)
            self._file.write(self._store[: self._length].tobytes())
            self._store = np.zeros(0, np.int16)
        self._file.write(samples.tobytes())

    def _part(self, start: int, stop: int) -> NDArray[np.int16]:
        stop = min(stop, self._length)
        if self._spool is not None and self._extent is not None:
            at, size = start * SAMPLE_BYTES, (stop - start) * SAMPLE_BYTES
            return np.frombuffer(self._spool.read(self._extent, at, size), np.int16)
        if self._file is None:
            return self._store[max(start - self._first, 0) : max(stop - self._first, 0)]
        size = max(0, stop - start) * SAMPLE_BYTES
        return np.frombuffer(os.pread(self._file.fileno(), size, start * SAMPLE_BYTES), np.int16)

    def samples(self, start: int, stop: int) -> Float32:
        """What there is of [start, stop), as floats -1..1."""
        with self._changed:
            part = self._part(start, stop)
        return part.astype(np.float32) / np.float32(FULL_SCALE)

    def read(self, start: int, most: int, timeout_s: float) -> bytes:
        """Up to ``most`` samples from ``start``, little-endian; b"" at the end.

        Raises TimeoutError when none came in time, or the error it was closed with.
        """
        end = time.monotonic() + timeout_s
        with self._changed:
            while self._length <= start:
                if self._error is not None:
                    raise afresh(self._error)
                if self._closed:
                    return b""
                left = end - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                self._changed.wait(left)
            part = self._part(start, start + most)
        return part.astype("<i2").tobytes()


def int16(pcm: Float32) -> NDArray[np.int16]:
    """Samples -1..1 to 16 bit, rounded to nearest; louder ones are clipped."""
    scaled: Float32 = np.rint(pcm * np.float32(FULL_SCALE))
    found: NDArray[np.int16] = np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return found
