"""One ffmpeg that takes frames with their sound and encodes them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from app_core.audio import SAMPLE_BYTES
from app_core.cores import core_count
from app_core.errors import SoyleError
from app_core.media.encoding import RawSound, RawVideo, encoding_argv, lead_samples
from app_core.media.ffmpeg import QUIET
from app_core.media.process import FfmpegProcess, input_pipes
from app_core.outputs.output import CallOrder
from app_core.outputs.sound_feed import PATIENCE_S, SoundFeed, frame_sound
from app_core.threads import start_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app_core.media.ffmpeg import Ffmpeg
    from app_core.outputs.output import Format
    from app_core.request import Encoding
    from app_core.types import Frame

MOST_THREADS = 24
"""Of one encoder. Each holds pictures: with as many, libx264's veryslow takes 3.3 GiB at 1920x1920,
and more of them do not make one film sooner."""
COMMENT = "Synthetic media: made by Soyle"


class FrameEncoder:
    """Running from the start. Used by one thread; ``stop`` may come from another."""

    def __init__(
        self,
        ffmpeg: Ffmpeg,
        target: str,
        format: Format,
        encoding: Encoding,
        container: Sequence[str],
        *,
        threads: int | None = None,
        output: bool = False,
    ) -> None:
        """Encodes into ``target`` as an MP4 with the muxer's options ``container``; ``output``:
        that is ffmpeg's standard output, for ``process.receive``. Gives way to live work, as a
        film's own frames do. Raises FfmpegFailed or Busy.
        """
        self._format = format
        with input_pipes(2) as (self._video, sound):
            argv = encoding_argv(
                [ffmpeg.path, *QUIET],
                target,
                encoding,
                RawVideo(self._video.url, format.width, format.height, format.fps),
                RawSound(sound.url, format.sample_rate),
                threads=threads or (MOST_THREADS if 1.5 * core_count() > MOST_THREADS else None),
                container=["-metadata", f"comment={COMMENT}", *container],
            )
            pipes = [self._video, sound]
            self.process = FfmpegProcess(
                argv,
                inputs=pipes,
                output=output,
                patience_s=PATIENCE_S,
                memory=ffmpeg.bound(argv),
                gently=True,
            )
        self._sound = SoundFeed(sound, f"sound-{self.process.pid}")
        self._sound.put(bytes(lead_samples(format.sample_rate) * SAMPLE_BYTES))
        try:
            start_thread(self._sound)
        except BaseException:
            self.process.stop()
            raise

    def write(self, frame: Frame) -> None:
        """The next frame. Sound shorter than the frame is followed by silence.

        Waits while ffmpeg takes nothing, 60 s at most. Raises FfmpegFailed or DiskFull, or
        ValueError for a picture of another size.
        """
        picture, (width, height, fps, sample_rate) = frame.picture, self._format
        if (picture.width, picture.height) != (width, height):
            raise ValueError(
                f"a {picture.width}x{picture.height} picture in a {(width, height)} film"
            )
        self._sound.put(frame_sound(frame, sample_rate, fps))
        for plane in picture.planes:
            self.process.write(self._video, plane.data)

    def end(self) -> None:
        """No more frames; what waits is still encoded."""
        self._sound.end()
        self._video.close()  # the rest of the sound may wait for the rest of the video

    def check_sound(self, timeout_s: float) -> None:
        """Once ended, waits for the sound. Raises FfmpegFailed when it was not all written."""
        self._sound.join(timeout_s)
        self._sound.check()

    def stop(self, timeout_s: float) -> None:
        """Leaves neither process nor thread. Safe to call again."""
        self.process.stop()
        self._sound.end()
        self._sound.join(timeout_s)


class EncodedOutput(ABC):
    """The part of an ``Output`` that hands its frames to one ``FrameEncoder``."""

    def __init__(self) -> None:
        self._order = CallOrder()
        self._encoder: FrameEncoder | None = None

    @property
    def pid(self) -> int | None:
        """Of the encoder's process, once there is one."""
        return None if self._encoder is None else self._encoder.process.pid

    @abstractmethod
    def _open(self, format: Format) -> FrameEncoder:
        """Raises FfmpegFailed or Busy."""

    @abstractmethod
    def abort(self, error: Exception | None = None) -> None: ...

    def start(self, format: Format) -> None:
        """Raises FfmpegFailed or Busy."""
        self._order.start()
        try:
            self._encoder = self._open(format)
            self._order.check()  # it may have been aborted meanwhile
        except BaseException:
            self.abort()
            raise

    def write(self, frame: Frame) -> None:
        """The next frame. Raises FfmpegFailed or DiskFull, or what ``abort`` was given."""
        self._order.write()
        assert self._encoder is not None
        try:
            self._encoder.write(frame)
        except SoyleError as error:
            self.abort(error)
            self._order.check()
