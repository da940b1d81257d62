"""Frames with their sound to a fragmented MP4 that plays while it is being made."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from app_core.errors import BadInput, afresh
from app_core.media.process import FfmpegProcess, input_pipes
from app_core.outputs.mp4 import SoundFeed, encoder_options, frame_sound, lead_samples, mp4_argv
from app_core.threads import start_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app_core.media.ffmpeg import Ffmpeg
    from app_core.media.process import InputPipe
    from app_core.types import Frame

ENCODERS = ("libx264", "h264_nvenc")
"""Those whose streams MediaSource plays everywhere."""
PIECE = 1 << 16
FRAGMENT_S = 0.2
KEY_FRAME_S = 1
_PATIENCE_S = 60.0
_LOOK_S = 0.25
_JOIN_S = 1.0
_SAMPLE_BYTES = 2
_BLOCK = 16

# Rec. ITU-T H.264, table A-1: level_idc, MaxFS (macroblocks a frame), MaxMBPS (a second).
_LEVELS = (
    (31, 3_600, 108_000),
    (40, 8_192, 245_760),
    (42, 8_704, 522_240),
    (50, 22_080, 589_824),
    (51, 36_864, 983_040),
    (52, 36_864, 2_073_600),
)


def level(width: int, height: int, fps: int) -> int:
    """The lowest ``level_idc`` of 3.1 and above that has room: 31 is level 3.1."""
    blocks = -(-width // _BLOCK) * -(-height // _BLOCK)
    for number, most, most_a_second in _LEVELS:
        if blocks <= most and blocks * fps <= most_a_second:
            return number
    return _LEVELS[-1][0]


def codecs(width: int, height: int, fps: int) -> str:
    """What MediaSource calls the stream: H.264 High and AAC-LC (RFC 6381)."""
    return f"avc1.6400{level(width, height, fps):02x}, mp4a.40.2"


def options(encoder: str, crf: int, preset: str, width: int, height: int, fps: int) -> list[str]:
    """For ffmpeg: High profile whatever the preset, and no picture held back."""
    if encoder not in ENCODERS:
        raise BadInput(f"'stream' needs one of the encoders {', '.join(ENCODERS)}", field="encoder")
    kept = max(crf, 1)  # 0 is lossless, which is another profile
    found = encoder_options(encoder, kept, preset, KEY_FRAME_S * fps)
    found += ["-profile:v", "high", "-level:v", f"{level(width, height, fps) / 10}"]
    if encoder == "libx264":
        found[found.index("-x264-params") + 1] += ":cabac=1:8x8dct=1"
        return [*found, "-tune", "zerolatency"]
    return [*found, "-bf", "0", "-zerolatency", "1"]


def fragments(
    frames: Iterator[Frame],
    width: int,
    height: int,
    fps: int,
    sample_rate: int,
    ffmpeg: Ffmpeg,
    encoder: str = "libx264",
    crf: int = 20,
    preset: str = "veryfast",
) -> Iterator[bytes]:
    """The bytes of the stream, made no faster than they are taken.

    ``frames`` is read in a thread of its own. Closing the generator ends the process at once, and
    the thread at the next frame. Raises what ``frames`` raises, FfmpegFailed, Busy or
    BadInput.
    """
    video_options = options(encoder, crf, preset, width, height, fps)
    with input_pipes(2) as (video, sound):
        argv = mp4_argv(
            ffmpeg.path,
            "pipe:1",
            video=video.url,
            sound=sound.url,
            width=width,
            height=height,
            fps=fps,
            sample_rate=sample_rate,
            encoder=encoder,
            video_options=video_options,
            container=[
                *["-movflags", "+frag_keyframe+empty_moov+default_base_moof"],
                *["-frag_duration", f"{round(FRAGMENT_S * 1e6)}", "-flush_packets", "1"],
            ],
        )
        pipes = [video, sound]
        process = FfmpegProcess(argv, inputs=pipes, output=True, patience_s=_PATIENCE_S)
    with process:
        feed = _Feed(process, video, SoundFeed(sound, f"sound-{process.pid}"))
        feed.start(frames, sample_rate, fps)
        try:
            while data := feed.receive():
                yield data
        finally:
            process.stop()
            feed.stop()


class _Feed:
    """Gives the process its frames in one thread, and takes its output in another."""

    def __init__(self, process: FfmpegProcess, video: InputPipe, sound: SoundFeed) -> None:
        self._process, self._video, self._sound = process, video, sound
        self._error: Exception | None = None
        self._thread: threading.Thread | None = None

    def start(self, frames: Iterator[Frame], sample_rate: int, fps: int) -> None:
        """Raises Busy when the machine has no thread left."""
        self._sound.put(bytes(lead_samples(sample_rate) * _SAMPLE_BYTES))
        thread = threading.Thread(
            target=self._run,
            args=(frames, sample_rate, fps),
            name=f"fragments-{self._process.pid}",
            daemon=True,
        )
        start_thread(self._sound)
        try:
            start_thread(thread)
        except BaseException:
            self._process.stop()
            self._sound.end()
            self._sound.join(_JOIN_S)
            raise
        self._thread = thread

    def receive(self) -> bytes:
        while True:
            if self._error is not None:
                raise afresh(self._error)
            try:
                return self._process.receive(PIECE, _LOOK_S)
            except TimeoutError:
                continue

    def stop(self) -> None:
        """After the end of the process. A thread that waits for a frame ends with it."""
        self._sound.end()
        self._sound.join(_JOIN_S)
        if self._thread is not None:
            self._thread.join(_JOIN_S)

    def _run(self, frames: Iterator[Frame], sample_rate: int, fps: int) -> None:
        try:
            for frame in frames:
                self._sound.put(frame_sound(frame, sample_rate, fps))
                for plane in (frame.picture.y, frame.picture.u, frame.picture.v):
                    self._process.write(self._video, plane.data)
            self._sound.check()
            self._video.close()
        except Exception as error:
            self._error = afresh(error)
        finally:
            self._sound.end()
