"""The sound of the frames into one input of ffmpeg, beside the pictures in another."""

from __future__ import annotations

import logging
import math
import queue
import threading
from typing import TYPE_CHECKING

from app_core.audio import SAMPLE_BYTES
from app_core.errors import FfmpegFailed
from app_core.media.wav import pcm16
from app_core.types import first_sample

if TYPE_CHECKING:
    from app_core.media.process import InputPipe
    from app_core.types import Frame

logger = logging.getLogger(__name__)

PATIENCE_S = 60.0
"""How long ffmpeg may take nothing."""
_IDLE_S = 0.1

# An encoder at its slowest holds about 100 pictures before it lets the first one out, and ffmpeg
# reads no sound meanwhile, so this many frames of sound may wait.
_WAITING_SOUNDS = 512


def frame_sound(frame: Frame, sample_rate: int, fps: int) -> bytes:
    """The 16-bit sound of a frame; what is missing of its time is silence."""
    start = first_sample(frame.index, sample_rate, fps)
    samples = first_sample(frame.index + 1, sample_rate, fps) - start
    return pcm16(frame.pcm).ljust(samples * SAMPLE_BYTES, b"\0")


class SoundFeed(threading.Thread):
    """Feeds the sound beside the pictures, so it does not matter which ffmpeg wants first."""

    def __init__(self, pipe: InputPipe, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._pipe = pipe
        self._waiting: queue.Queue[bytes] = queue.Queue(_WAITING_SOUNDS)
        self._ended = False
        self._failure: Exception | None = None

    def check(self) -> None:
        """Raises FfmpegFailed when some of the sound was not written, though ffmpeg lives."""
        if self._failure is not None:
            raise FfmpegFailed(f"The sound was cut: {self._failure!r}") from self._failure

    def put(self, sound: bytes) -> None:
        """Raises FfmpegFailed, also when the thread has failed."""
        self.check()
        try:
            self._waiting.put(sound, timeout=PATIENCE_S)
        except queue.Full:
            raise FfmpegFailed(f"ffmpeg took no sound for {PATIENCE_S:.0f} s") from None

    def end(self) -> None:
        """No more sound; what waits is still written."""
        self._ended = True

    def run(self) -> None:
        try:
            while True:
                try:
                    sound = self._waiting.get(timeout=_IDLE_S)
                except queue.Empty:
                    if self._ended:
                        return
                else:
                    self._pipe.write(sound, math.inf)  # the video's patience is the bound
        except BrokenPipeError:
            logger.debug("ffmpeg takes no more sound")
        except Exception as error:
            self._failure = error
        finally:
            self._pipe.close()
