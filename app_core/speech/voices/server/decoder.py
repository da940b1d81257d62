"""Sound with a codec, read when it is whole, and sound at another tempo."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from app_core.errors import Cancelled, SoyleError, UnsupportedMedia, VoiceUnreachable, kind_or_words
from app_core.media.sound_file import SoundFile
from app_core.media.tempo import stretched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app_core.cancel_scope import Stale
    from app_core.media.ffmpeg import Ffmpeg
    from app_core.speech.voices.server.feed import Feed
    from app_core.types import Float32

_BLOCK = 1 << 14


class Decoder:
    def __init__(self, ffmpeg: Callable[[], Ffmpeg], folder: Path | None) -> None:
        """``folder``: for a file while it is read; None: the system's."""
        self._ffmpeg, self._folder = ffmpeg, folder

    def read(self, feed: Feed, stale: Stale, limit_s: float) -> tuple[int, Iterator[Float32]]:
        """The rate, and mono samples -1..1, of all that still comes. Raises VoiceUnreachable for
        what is no sound, is cut, or is longer than ``limit_s``, and Cancelled.
        """
        try:
            if self._folder is not None:
                self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(prefix="speech-", dir=self._folder) as file:
                for data in feed.rest():
                    file.write(data)
                file.flush()
                return self._read(Path(file.name), stale, limit_s)
        except (Cancelled, VoiceUnreachable):
            raise
        except UnsupportedMedia as error:
            reason = "sent what is no sound that is known"
            raise VoiceUnreachable(f"The speech server {reason}") from error
        except (SoyleError, OSError) as error:
            reason = f"answer cannot be read: {kind_or_words(error)}"
            raise VoiceUnreachable(f"The speech server's {reason}") from error

    def at_tempo(self, pcm: Float32, rate: int, speed: float) -> Float32:
        """The same voice ``speed`` times as fast, 0.5..2. Raises VoiceUnreachable."""
        try:
            return stretched(pcm, rate, speed, self._ffmpeg())
        except SoyleError as error:
            reason = f"cannot be made faster or slower: {error}"
            raise VoiceUnreachable(f"The speech {reason}") from error

    def _read(self, path: Path, stale: Stale, limit_s: float) -> tuple[int, Iterator[Float32]]:
        called = "The speech server's answer"
        with SoundFile(path, self._ffmpeg, called=called, limit_s=limit_s) as found:
            samples = []
            for block in found.blocks(_BLOCK):
                if stale():
                    raise Cancelled("Nobody waits for the speech any more")
                samples.append(block)
            given = sum(map(len, samples))
            # What some codecs say of their length counts the silence that they begin with.
            if found.samples and given < found.samples - found.sample_rate // 5:
                raise VoiceUnreachable("The speech server sent sound that is cut")
            return found.sample_rate, iter(samples)
