"""The one place that says to ffmpeg how raw pictures, and their sound, become a film."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app_core.request import Encoding

COLOURS = (
    *("-color_range", "tv", "-colorspace", "smpte170m"),
    *("-color_primaries", "smpte170m", "-color_trc", "smpte170m"),
)
STREAMED = ("libx264", "h264_nvenc")
"""Encoders whose streams MediaSource plays everywhere."""

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
_WORST_CRF = 51
_NO_PROBE = ("-probesize", "32", "-analyzeduration", "0")
"""Raw inputs are described whole, so ffmpeg need not wait for more data."""

# ffmpeg waits for whole packets of sound, up to 0.1 s or 1024 samples, and up to FFmpeg 7 reads no
# picture meanwhile. Silence ahead of the sound, which a filter cuts off again, fills them in time.
_LEAD_S = 0.5

# Rec. ITU-T H.264, table A-1: level_idc, MaxFS (macroblocks a frame), MaxMBPS (a second).
_LEVELS = (
    (31, 3_600, 108_000),
    (40, 8_192, 245_760),
    (42, 8_704, 522_240),
    (50, 22_080, 589_824),
    (51, 36_864, 983_040),
    (52, 36_864, 2_073_600),
)
_BLOCK = 16


class RawVideo(NamedTuple):
    """Planar YUV 4:2:0 pictures, one after the other."""

    url: str
    """Where ffmpeg reads them."""
    width: int
    """Pixels, even, as is the height."""
    height: int
    fps: int


class RawSound(NamedTuple):
    """Mono 16-bit samples, the first ``lead_samples`` of them silence that is cut off."""

    url: str
    sample_rate: int


def lead_samples(sample_rate: int) -> int:
    """Samples of silence ahead of the sound."""
    return round(_LEAD_S * sample_rate)


def level(width: int, height: int, fps: int) -> int:
    """The lowest ``level_idc`` of 3.1 and above that has room: 31 is level 3.1."""
    blocks = -(-width // _BLOCK) * -(-height // _BLOCK)
    for number, most, most_a_second in _LEVELS:
        if blocks <= most and blocks * fps <= most_a_second:
            return number
    return _LEVELS[-1][0]


def encoding_argv(
    ffmpeg: Sequence[str],
    target: str,
    encoding: Encoding,
    video: RawVideo,
    sound: RawSound | None = None,
    *,
    threads: int | None = None,
    container: Sequence[str] = (),
) -> list[str]:
    """The argument list that encodes raw inputs into an MP4 at ``target``.

    ``ffmpeg`` is the command up to its own options, ``container`` the options of the muxer.
    Raises ValueError for an encoder that has none here.
    """
    heard: list[str] = []
    if sound is not None:
        cut = f"atrim=start_sample={lead_samples(sound.sample_rate)},asetpts=PTS-STARTPTS"
        heard = ["-af", cut, "-c:a", "aac", "-b:a", "192k", "-ar", "48000"]
    return [
        *[*ffmpeg, "-y", *_input(video)],
        *(() if sound is None else _sound_input(sound)),
        *(() if sound is None else ("-map", "0:v", "-map", "1:a")),
        *["-fps_mode", "cfr", "-c:v", encoding.encoder, "-pix_fmt", "yuv420p", *COLOURS],
        *encoder_options(encoding, video.width, video.height, video.fps),
        *(() if threads is None else ("-threads", f"{threads}")),
        *[*heard, *container, "-f", "mp4", target],
    ]


def encoder_options(encoding: Encoding, width: int, height: int, fps: int) -> list[str]:
    """``crf`` and ``preset`` on the encoder's own scales, the key frames, the delay.

    libx264 takes both as they are, but its best is 1: CRF 0 is lossless, in a profile that most
    players refuse. libx265 looks the same at a CRF that is 5 higher (its documentation: 28 for
    libx264's 23). NVENC has seven presets, and a constant quality on the scale of CRF where 0
    means "automatic", so its best is 1. Raises ValueError for another encoder, and for one that
    is not streamed but should be.
    """
    encoder, crf, preset = encoding.encoder, encoding.crf, encoding.preset
    gop = encoding.key_frame_s * fps
    keys = f"keyint={gop}:min-keyint={gop}:scenecut=0"
    if encoder == "libx264":
        more = ":cabac=1:8x8dct=1" if encoding.streamed else ""
        options = ["-preset", preset, "-crf", f"{max(crf, 1)}"]
        options += ["-x264-params", f"{keys}:force-cfr=1{more}"]
    elif encoder == "libx265":
        options = ["-preset", preset, "-crf", f"{min(crf + 5, _WORST_CRF)}", "-tag:v", "hvc1"]
        options += ["-x265-params", f"{keys}:open-gop=0:log-level=error"]
    elif encoder in ("h264_nvenc", "hevc_nvenc"):
        options = ["-preset", _NVENC_PRESETS[preset], "-rc", "vbr", "-cq", f"{max(crf, 1)}"]
        options += ["-b:v", "0", "-g", f"{gop}", "-no-scenecut", "1", "-forced-idr", "1"]
        options += ["-tag:v", "hvc1"] if encoder == "hevc_nvenc" else []
    else:
        raise ValueError(f"no options for the encoder {encoder}")
    if encoding.streamed:
        if encoder not in STREAMED:
            raise ValueError(f"{encoder} is not streamed")
        at_once = ["-tune", "zerolatency"]
        if encoder == "h264_nvenc":
            at_once = ["-bf", "0", "-zerolatency", "1"]
        profile = ["-profile:v", "high", "-level:v", f"{level(width, height, fps) / 10}"]
        return [*options, *profile, *at_once]
    return options if encoding.b_frames else [*options, "-bf", "0"]


def _input(video: RawVideo) -> list[str]:
    shape = ["-pixel_format", "yuv420p", "-video_size", f"{video.width}x{video.height}"]
    rate = ["-framerate", f"{video.fps}"]
    return [*_NO_PROBE, "-f", "rawvideo", *shape, *rate, *COLOURS, "-i", video.url]


def _sound_input(sound: RawSound) -> list[str]:
    shape = ["-f", "s16le", "-ar", f"{sound.sample_rate}", "-ac", "1"]
    return [*_NO_PROBE, *shape, "-i", sound.url]
