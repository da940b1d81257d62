"""Any sound file as mono samples, a block at a time: its length does not show in memory.

libsndfile reads what it reads to the sample. The rest goes through ffmpeg: other formats, rates
that the server does not work with, more than two channels, and every MP3, because libsndfile ends
one without an index where its bit rate says that it should end.
"""

from __future__ import annotations

import logging
import re
from typing import IO, TYPE_CHECKING, Protocol

import numpy as np
import soundfile

from app_core.errors import BadInput, FfmpegFailed, TooLarge, UnsupportedMedia
from app_core.media.ffmpeg import QUIET
from app_core.media.process import FfmpegProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from app_core.media.ffmpeg import Ffmpeg
    from app_core.types import Float32

logger = logging.getLogger(__name__)

LOWEST_RATE, HIGHEST_RATE = 8000, 48000
"""Samples a second. What is beyond is resampled to the nearer one."""

_EXACT = frozenset({"WAV", "WAVEX", "RF64", "W64", "FLAC", "OGG", "AIFF", "AU", "CAF"})
"""Those of libsndfile's formats that are told by their content and hold their length."""
_UNIT = 8192
"""Samples of one read: what is lost where a file is damaged."""

# Formats that hold their own data. Playlists, which name other files, are not among them.
_FORMATS = "wav,w64,aiff,au,caf,flac,mp3,ogg,aac,mov,matroska"
_LIMITS = ("-protocol_whitelist", "file,pipe", "-format_whitelist", _FORMATS)
_STREAM = re.compile(r"^ *Stream #0:\d+.*?: Audio: .*?(\d+) Hz", re.MULTILINE)
_DURATION = re.compile(r"^ *Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)", re.MULTILINE)
_WITHOUT_INDEX = "moov atom not found"
_GUESSED = "Estimating duration from bitrate"
_TAKES = "send WAV, FLAC, OGG, MP3, M4A or WebM"


class _Source(Protocol):
    rate: int
    samples: int | None

    def read(self, length: int) -> Float32:
        """The next mono samples, fewer than ``length`` only at the end."""

    def close(self) -> None: ...


class SoundFile:
    """An open sound file, read by one thread at a time. It can be removed while it is open."""

    def __init__(
        self,
        path: Path,
        ffmpeg: Callable[[], Ffmpeg],
        *,
        called: str = "The file",
        limit_s: float | None = None,
    ) -> None:
        """``called`` names the file in sentences; ``limit_s`` is the longest that is taken.

        Raises BadInput when there is no file, UnsupportedMedia (field ``audio``) when it holds no
        sound that can be read, TooLarge when its header says that it is longer.
        """
        self._called, self._limit_s = called, limit_s
        if not path.is_file():
            raise BadInput(f"{called} is not there, or is no file", field="audio")
        if not path.stat().st_size:
            raise UnsupportedMedia(f"{called} is empty", field="audio")
        source: _Source | None = _exact(path)
        self._source = source = source or _Decoded(path, ffmpeg(), called)
        self.sample_rate = source.rate
        self.samples = source.samples
        """As the header says: None where it does not, and more than there is in a broken file."""
        self._given = 0
        try:
            self._check_length(self.samples or 0)
            self._first = self._read(_UNIT)
            if not len(self._first):
                raise UnsupportedMedia(f"{called} holds no sound", field="audio")
        except BaseException:
            self.close()
            raise

    @property
    def seconds(self) -> float | None:
        return None if self.samples is None else self.samples / self.sample_rate

    def blocks(self, length: int) -> Iterator[Float32]:
        """Mono float32 samples -1..1, ``length`` at a time, the last block shorter. Once.

        Raises TooLarge where the sound turns out to be longer than the limit.
        """
        waiting, self._first = self._first, np.zeros(0, np.float32)
        while True:
            while len(waiting) >= length:
                yield waiting[:length]
                waiting = waiting[length:]
            more = self._read(max(_UNIT, length - len(waiting)))
            if not len(more):
                break
            waiting = np.concatenate([waiting, more])
        if len(waiting):
            yield waiting

    def close(self) -> None:
        """Safe to call again, but not while another thread reads."""
        self._source.close()

    def _read(self, length: int) -> Float32:
        pcm = self._source.read(length)
        self._given += len(pcm)
        self._check_length(self._given)
        return np.clip(np.nan_to_num(pcm, nan=0.0, posinf=1.0, neginf=-1.0), -1, 1)

    def _check_length(self, samples: int) -> None:
        if self._limit_s is not None and samples > self._limit_s * self.sample_rate:
            raise TooLarge(f"{self._called} is longer than {self._limit_s:g} s", field="audio")

    def __enter__(self) -> SoundFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _exact(path: Path) -> _Exact | None:
    """None for what ffmpeg reads better, or alone."""
    # By its descriptor: libsndfile takes some formats from the name alone. It stays ours: given
    # away, libsndfile closes it at some failures, and at others does not.
    opened = path.open("rb", buffering=0)
    try:
        file = soundfile.SoundFile(opened.fileno(), closefd=False)
    except (soundfile.SoundFileError, RuntimeError, ValueError):
        opened.close()
        return None
    whole = file.format in _EXACT and not file.subtype.startswith("MPEG") and file.frames > 0
    if whole and file.channels <= 2 and LOWEST_RATE <= file.samplerate <= HIGHEST_RATE:
        return _Exact(file, opened)
    file.close()
    opened.close()
    return None


class _Exact:
    def __init__(self, file: soundfile.SoundFile, opened: IO[bytes]) -> None:
        """``opened``: the file below, which is closed with it."""
        self._file, self._opened = file, opened
        self.rate: int = file.samplerate
        self.samples: int | None = file.frames

    def read(self, length: int) -> Float32:
        parts = []
        while length > 0:
            try:
                part = self._file.read(min(_UNIT, length), dtype="float32", always_2d=True)
            except soundfile.SoundFileError as error:
                logger.warning("a sound file is damaged and ends early: %s", error)
                break
            if not len(part):
                break
            parts.append(part[:, 0] if part.shape[1] == 1 else part.mean(1, dtype=np.float32))
            length -= len(part)
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def close(self) -> None:
        self._file.close()
        self._opened.close()


class _Decoded:
    """What ffmpeg makes of the first sound in a file."""

    def __init__(self, path: Path, ffmpeg: Ffmpeg, called: str) -> None:
        self._called = called
        description = ffmpeg.describe([*_LIMITS, "-i", f"file:{path}"])
        stream = _STREAM.search(description)
        if stream is None and _WITHOUT_INDEX in description:
            raise UnsupportedMedia(
                f"{called} is cut off: its index, which stands at its end, is missing",
                field="audio",
            )
        if stream is None:
            raise UnsupportedMedia(
                f"{called} holds no sound that is known: {_TAKES}", field="audio"
            )
        self.rate = min(max(int(stream[1]), LOWEST_RATE), HIGHEST_RATE)
        self.samples = _samples(description, self.rate)
        self._any = False
        # Weights that add up to one: the mean of stereo, and no clipping of 5.1.
        mono = f"aresample={self.rate}:ochl=mono:rematrix_maxval=1"
        only = ["-map", "0:a:0", "-vn", "-sn", "-dn", "-af", mono]
        raw = ["-c:a", "pcm_f32le", "-f", "f32le", "pipe:1"]
        argv = [ffmpeg.path, *QUIET, *_LIMITS, "-i", f"file:{path}", *only, *raw]
        self._process = FfmpegProcess(argv, output=True, memory=ffmpeg.upload_memory)

    def read(self, length: int) -> Float32:
        pcm = np.empty(length, "<f4")
        try:
            count = self._process.read(pcm.data)
        except FfmpegFailed as error:
            if self._any:
                raise
            reason = f"{self._called} holds no sound that can be read: {error}"
            raise UnsupportedMedia(reason, field="audio") from error
        self._any = self._any or count > 0
        return pcm[: count // pcm.itemsize].astype(np.float32, copy=False)

    def close(self) -> None:
        self._process.stop()


def _samples(description: str, rate: int) -> int | None:
    duration = _DURATION.search(description)
    if duration is None or _GUESSED in description:
        return None
    hours, minutes, seconds = duration.groups()
    return round((int(hours) * 3600 + int(minutes) * 60 + float(seconds)) * rate)
