"""Frames with their sound to an MP4 file, in one pass."""

from __future__ import annotations

import logging
import math
import os
import queue
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from app_core.errors import FfmpegFailed, SoyleError
from app_core.media.ffmpeg import QUIET
from app_core.media.process import FfmpegProcess, InputPipe, input_pipes
from app_core.media.raw_video import COLOURS
from app_core.media.wav import pcm16
from app_core.threads import start_thread
from app_core.types import first_sample

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from app_core.media.ffmpeg import Ffmpeg
    from app_core.types import Frame

logger = logging.getLogger(__name__)

COMMENT = "Synthetic media: made by Soyle"
_NVENC_PRESETS = {
    "ultrafast": "p1",
    "superfast": "p1",
    "veryfast": "p2",
    "faster": "p3",
    "fast": "p4",
    "medium": "p4",
    "slow": "p5",
    "slower": "p6",
    "veryslow": "p7",
}
PRESETS = tuple(_NVENC_PRESETS)

_KEY_FRAME_S = 2
_WORST_CRF = 51
_SAMPLE_BYTES = 2
_FINISH_S = 120.0
_PATIENCE_S = 60.0
_IDLE_S = 0.1

# ffmpeg waits for whole packets of sound, up to 0.1 s or 1024 samples, and up to FFmpeg 7 reads no
# picture meanwhile. Silence ahead of the sound, which a filter cuts off again, fills them in time.
_LEAD_S = 0.5

# An encoder at its slowest holds about 100 pictures before it lets the first one out, and ffmpeg
# reads no sound meanwhile, so this many frames of sound may wait.
_WAITING_SOUNDS = 512


def lead_samples(sample_rate: int) -> int:
    """Samples of silence ahead of the sound."""
    return round(_LEAD_S * sample_rate)


def mp4_argv(
    ffmpeg: str,
    target: str,
    *,
    video: str,
    sound: str,
    width: int,
    height: int,
    fps: int,
    sample_rate: int,
    encoder: str = "libx264",
    crf: int = 20,
    preset: str = "veryfast",
    threads: int | None = None,
    video_options: Sequence[str] = (),
    container: Sequence[str] = ("-movflags", "+faststart"),
) -> list[str]:
    """The argument list; ``video`` and ``sound`` are the addresses that ffmpeg reads.

    The sound begins with ``lead_samples`` of silence. Raw inputs are described whole, so ffmpeg
    is told not to wait for more data to probe. ``video_options`` replace those that ``crf`` and
    ``preset`` stand for.
    """
    cut = f"atrim=start_sample={lead_samples(sample_rate)},asetpts=PTS-STARTPTS"
    no_probe = ["-probesize", "32", "-analyzeduration", "0"]
    shape = ["-pixel_format", "yuv420p", "-video_size", f"{width}x{height}", "-framerate", f"{fps}"]
    return [
        ffmpeg,
        *QUIET,
        "-y",
        *[*no_probe, "-f", "rawvideo", *shape, *COLOURS, "-i", video],
        *[*no_probe, "-f", "s16le", "-ar", f"{sample_rate}", "-ac", "1", "-i", sound],
        *["-map", "0:v", "-map", "1:a", "-fps_mode", "cfr"],
        *["-c:v", encoder, "-pix_fmt", "yuv420p", *COLOURS],
        *(video_options or encoder_options(encoder, crf, preset, _KEY_FRAME_S * fps)),
        *([] if threads is None else ["-threads", f"{threads}"]),
        *["-af", cut, "-c:a", "aac", "-b:a", "192k", "-ar", "48000"],
        *["-metadata", f"comment={COMMENT}", *container, "-f", "mp4", target],
    ]


def encoder_options(encoder: str, crf: int, preset: str, gop: int) -> list[str]:
    """``crf`` (0 best .. 51) and ``preset`` on the encoder's own scales.

    libx264 takes both as they are, but its best is 1: CRF 0 is lossless, in a profile that most
    players refuse. libx265 looks the same at a CRF that is 5 higher (its documentation: 28 for
    libx264's 23). NVENC has seven presets, and a constant quality on the scale of CRF where 0
    means "automatic", so its best is 1.
    """
    keys = f"keyint={gop}:min-keyint={gop}:scenecut=0"
    if encoder == "libx264":
        return ["-preset", preset, "-crf", f"{max(crf, 1)}", "-x264-params", f"{keys}:force-cfr=1"]
    if encoder == "libx265":
        options = ["-preset", preset, "-crf", f"{min(crf + 5, _WORST_CRF)}", "-tag:v", "hvc1"]
        return [*options, "-x265-params", f"{keys}:open-gop=0:log-level=error"]
    if encoder in ("h264_nvenc", "hevc_nvenc"):
        options = ["-preset", _NVENC_PRESETS[preset], "-rc", "vbr", "-cq", f"{max(crf, 1)}"]
        options += ["-b:v", "0", "-g", f"{gop}", "-no-scenecut", "1", "-forced-idr", "1"]
        return [*options, "-tag:v", "hvc1"] if encoder == "hevc_nvenc" else options
    raise ValueError(f"no options for the encoder {encoder}")


class Mp4Writer:
    """Writes beside ``path`` and renames at ``finish``; any other ending leaves nothing.

    Used by one thread; ``abort`` may come from another. Leaving the ``with`` block without
    ``finish`` aborts. ``write`` and ``finish`` raise FfmpegFailed or DiskFull, beginning raises
    FfmpegFailed or Busy.
    """

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        fps: int,
        sample_rate: int,
        ffmpeg: Ffmpeg,
        encoder: str = "libx264",
        crf: int = 20,
        preset: str = "veryfast",
        threads: int | None = None,
    ) -> None:
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._size = (width, height)
        self._fps = fps
        self._sample_rate = sample_rate
        with input_pipes(2) as (self._video, sound):
            argv = mp4_argv(
                ffmpeg.path,
                f"file:{self._part}",
                video=self._video.url,
                sound=sound.url,
                width=width,
                height=height,
                fps=fps,
                sample_rate=sample_rate,
                encoder=encoder,
                crf=crf,
                preset=preset,
                threads=threads,
            )
            pipes = [self._video, sound]
            self._process = FfmpegProcess(argv, inputs=pipes, patience_s=_PATIENCE_S)
        self._sound = SoundFeed(sound, f"sound-{self._process.pid}")
        self._sound.put(bytes(lead_samples(sample_rate) * _SAMPLE_BYTES))
        try:
            start_thread(self._sound)
        except BaseException:
            self._process.stop()
            self._part.unlink(missing_ok=True)
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    def write(self, frame: Frame) -> None:
        """The next frame. Sound shorter than the frame is followed by silence."""
        picture = frame.picture
        if (picture.width, picture.height) != self._size:
            raise ValueError(f"a {picture.width}x{picture.height} picture in a {self._size} file")
        try:
            self._sound.put(frame_sound(frame, self._sample_rate, self._fps))
            for plane in (picture.y, picture.u, picture.v):
                self._process.write(self._video, plane.data)
        except SoyleError:
            self.abort()
            raise

    def finish(self) -> None:
        """Wait for the encoder to end, then give the file its name."""
        try:
            self._sound.end()
            self._video.close()  # first: the rest of the sound may wait for the rest of the video
            self._sound.join(_FINISH_S)
            self._sound.check()
            self._process.finish(_FINISH_S)
            os.replace(self._part, self._path)
        except SoyleError:
            self.abort()
            raise

    def abort(self) -> None:
        """Stop, and leave neither process, thread nor file. Safe to call again."""
        self._process.stop()
        self._sound.end()
        self._sound.join(_FINISH_S)
        self._part.unlink(missing_ok=True)

    def __enter__(self) -> Mp4Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.abort()


def frame_sound(frame: Frame, sample_rate: int, fps: int) -> bytes:
    """The 16-bit sound of a frame; what is missing of its time is silence."""
    start = first_sample(frame.index, sample_rate, fps)
    samples = first_sample(frame.index + 1, sample_rate, fps) - start
    return pcm16(frame.pcm).ljust(samples * _SAMPLE_BYTES, b"\0")


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
            self._waiting.put(sound, timeout=_PATIENCE_S)
        except queue.Full:
            raise FfmpegFailed(f"ffmpeg took no sound for {_PATIENCE_S:.0f} s") from None

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
