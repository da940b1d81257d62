"""The sound of one job, growing while it is made: one writer, any number of readers."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from app_core.types import Float32


class Sound:
    """Mono 16-bit samples. At most ``limit_s`` seconds are accepted."""

    def __init__(self, sample_rate: int, limit_s: float = 3600.0) -> None:
        self.sample_rate = sample_rate
        self._limit = int(limit_s * sample_rate)
        self._store = np.zeros(sample_rate, np.int16)
        self._length = 0
        self._changed = threading.Condition()
        self._closed = False
        self._error: Exception | None = None

    def __len__(self) -> int:
        """Samples so far."""
        return self._length

    @property
    def complete(self) -> bool:
        return self._closed and self._error is None

    @property
    def nbytes(self) -> int:
        return int(self._store.nbytes)

    def append(self, pcm: Float32) -> None:
        samples = np.clip(np.rint(pcm * 32767.0), -32768, 32767).astype(np.int16)
        with self._changed:
            if self._closed:
                raise ValueError("the sound is closed")
            end = self._length + len(samples)
            if end > self._limit:
                raise ValueError(f"longer than {self._limit // self.sample_rate} s")
            if end > len(self._store):
                grown = np.zeros(min(max(end, 2 * len(self._store)), self._limit), np.int16)
                grown[: self._length] = self._store[: self._length]
                self._store = grown
            self._store[self._length : end] = samples
            self._length = end
            self._changed.notify_all()

    def close(self, error: Exception | None = None) -> None:
        """Nothing more comes. The first close wins."""
        with self._changed:
            if not self._closed:
                self._closed, self._error = True, error
                self._store = self._store[: self._length].copy()
                self._changed.notify_all()

    def samples(self, start: int, stop: int) -> Float32:
        """What there is of [start, stop), as floats -1..1."""
        part = self._store[start : min(stop, self._length)]
        return part.astype(np.float32) / np.float32(32767.0)

    def read(self, start: int, most: int, timeout_s: float) -> bytes:
        """Up to ``most`` samples from ``start``, little-endian; b"" at the end.

        Raises TimeoutError when none came in time, or the error it was closed with.
        """
        end = time.monotonic() + timeout_s
        with self._changed:
            while self._length <= start:
                if self._error is not None:
                    raise self._error
                if self._closed:
                    return b""
                left = end - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                self._changed.wait(left)
            part = self._store[start : min(start + most, self._length)]
        return part.astype("<i2").tobytes()
