"""An uploaded clip to the clip that is played: upright, constant rate, 8-bit SDR, a seamless cycle.

One ffmpeg decodes the upload, another encodes what comes out, and each picture passes through us
once on its way: faces are found while the file is written, and no pictures are held.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from app_core.cores import core_count
from app_core.errors import BadInput, Cancelled, FfmpegFailed
from app_core.media.ffmpeg import QUIET
from app_core.media.ingest.limits import too_heavy, too_long
from app_core.media.ingest.loop import CycleCheck, Forward
from app_core.media.ingest.photo import BACKDROP
from app_core.media.ingest.probe import input_options
from app_core.media.ingest.tonemap import write_table
from app_core.media.raw_video import RawPictures, RawWriter, planes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from app_core.media.ffmpeg import Ffmpeg
    from app_core.media.ingest.limits import IngestLimits
    from app_core.media.ingest.probe import ClipFacts
    from app_core.types import Picture, UInt8

    Progress = Callable[[float], None]
    Stopped = Callable[[], bool]

T = TypeVar("T")

LEAST_S = 1.0
"""Less than this of a clip is no clip."""

LOOK_S, LOOK_FPS = 4, 2
"""How much of a clip, and how many pictures of a second, are looked at before it is encoded."""

_FORWARD, _TABLE = "forward.mp4", "tones.cube"
_DECODING_THREADS = 4  # each holds pictures, and those of an upload may be large
_UNKNOWN_S = 60.0
"""Of a clip that does not say how long it is; its progress slows down after this."""

_TURNS = {1: "transpose=clock", 2: "hflip,vflip", 3: "transpose=cclock"}
_MATRICES = {
    "bt709": "bt709",
    "smpte170m": "smpte170m",
    "bt470bg": "smpte170m",
    "bt2020nc": "bt2020",
    "bt2020c": "bt2020",
    "fcc": "fcc",
    "smpte240m": "smpte240m",
}


def turned(facts: ClipFacts, quarters: int) -> ClipFacts:
    """With a mezzanine turned by so many more quarters clockwise."""
    wide, high = (facts.height, facts.width) if quarters % 2 else facts.size
    return replace(facts, width=wide, height=high, turn=(facts.turn + quarters) % 4)


def encode_forward(
    ffmpeg: Ffmpeg,
    source: Path,
    facts: ClipFacts,
    limits: IngestLimits,
    folder: Path,
    watch: Callable[[Iterator[Picture]], T],
    progress: Progress,
    cancelled: Stopped,
    *,
    use_nvdec: bool = False,
) -> tuple[Forward, T]:
    """Writes the clip into ``folder`` while ``watch`` looks at each picture that passes.

    Raises BadInput for a clip of less than LEAST_S, TooLarge for one over the limits, Cancelled
    within a picture after ``cancelled`` says so, FfmpegFailed or DiskFull for the encoder.
    """
    size = facts.size
    target = folder / _FORWARD
    argv = reader_argv(ffmpeg.path, source, facts, limits, folder, use_nvdec=use_nvdec)
    expected = (facts.seconds or _UNKNOWN_S) * facts.fps
    cycle = CycleCheck()
    count = 0

    with (
        _Reader(ffmpeg, argv, size) as reader,
        RawWriter(ffmpeg, target, size, facts.fps) as writer,
    ):

        def pass_on() -> Iterator[Picture]:
            nonlocal count
            while (data := reader.read()) is not None:
                if cancelled():
                    raise Cancelled("The import was cancelled")
                if count >= (limits.max_clip_s + 1) * facts.fps:
                    raise too_long(limits)
                writer.write(data.data)
                picture = planes(data, size)
                cycle.add(picture.y)
                count += 1
                known = min(count / expected, 1.0)
                progress(known if facts.seconds else 1 - math.exp(-count / expected))
                yield picture

        seen = watch(pass_on())
        if count < LEAST_S * facts.fps:
            why = "cannot be read: it is damaged or cut off" if reader.broken else "is too short"
            raise BadInput(
                f"The clip {why}; at least {LEAST_S:.0f} s of pictures is needed.", field="file"
            )
        writer.finish()
    (folder / _TABLE).unlink(missing_ok=True)
    missing = facts.seconds * facts.fps - count
    cut_off = reader.broken or missing > max(0.05 * expected, facts.fps / 2)
    return Forward(target, count, cycle.closes, cut_off), seen


def first_pictures(
    ffmpeg: Ffmpeg,
    source: Path,
    facts: ClipFacts,
    limits: IngestLimits,
    folder: Path,
    *,
    use_nvdec: bool = False,
) -> list[Picture]:
    """Those of the first LOOK_S seconds, LOOK_FPS of each, as the mezzanine will have them."""
    few = replace(facts, fps=LOOK_FPS)
    argv = reader_argv(ffmpeg.path, source, few, limits, folder, use_nvdec=use_nvdec)
    found: list[Picture] = []
    with _Reader(ffmpeg, argv, facts.size) as reader:
        while len(found) < LOOK_S * LOOK_FPS and (data := reader.read()) is not None:
            found.append(planes(data, facts.size))
    return found


def reader_argv(
    ffmpeg: str,
    path: Path,
    facts: ClipFacts,
    limits: IngestLimits,
    folder: Path,
    *,
    use_nvdec: bool = False,
) -> list[str]:
    """Raw yuv420p, BT.601 in tv range. ``folder`` takes the table that HDR needs."""
    return [
        ffmpeg,
        *QUIET,
        *(("-hwaccel", "cuda") if use_nvdec else ()),
        *("-threads", f"{min(math.ceil(core_count()), _DECODING_THREADS)}"),
        *input_options(facts.demuxer, facts.decoder, limits),
        *("-i", f"file:{path}", "-map", "0:V:0", "-an", "-sn", "-dn"),
        *("-vf", ",".join(_filters(facts, folder)), "-fps_mode", "passthrough"),
        *("-pix_fmt", "yuv420p", "-f", "rawvideo", "pipe:1"),
    ]


def _filters(facts: ClipFacts, folder: Path) -> Iterator[str]:
    if facts.interlaced:
        yield "yadif=deint=interlaced"
    yield f"setpts=PTS-STARTPTS,fps={facts.fps}"
    matrix = _MATRICES.get(facts.matrix, "auto")
    given = f"in_color_matrix={matrix}:in_range={'pc' if facts.full_range else 'tv'}"
    ours = "out_color_matrix=smpte170m:out_range=tv"
    if facts.alpha:
        grey = f"0x{BACKDROP:02x}{BACKDROP:02x}{BACKDROP:02x}"
        backdrop = f"color=c={grey}:s={facts.shown[0]}x{facts.shown[1]}:r={facts.fps}[grey]"
        onto = "[grey][shown]overlay=shortest=1:format=yuv444"
        yield f"scale={given}:{ours},format=yuva444p[shown];{backdrop};{onto}"
        given = "in_color_matrix=smpte170m:in_range=tv"
    width, height = (facts.height, facts.width) if facts.turn % 2 else facts.size
    size = f"{width}:{height}"
    if any(side % 2 for side in facts.shown):  # lose a row rather than blur them all
        yield "crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0:exact=1"
    how = "flags=area" if width < facts.shown[0] else "flags=bicubic"
    wanted = f"{ours}:sws_dither=ed"
    if facts.hdr:
        table = folder / _TABLE
        write_table(table, facts.transfer)
        yield f"scale={size}:{how}:{given},format=gbrp10"
        yield f"lut3d=file={_escaped(str(table))}:interp=tetrahedral"
        yield f"scale={wanted},format=yuv420p"
    else:
        yield f"scale={size}:{how}:{given}:{wanted},format=yuv420p"
    if facts.turn:
        yield _TURNS[facts.turn]


def _escaped(value: str) -> str:
    """For an option of a filter in a graph: ffmpeg takes the marks off twice."""
    once = "".join(f"\\{mark}" if mark in "\\':" else mark for mark in value)
    return "".join(f"\\{mark}" if mark in "\\'[],;" else mark for mark in once)


class _Reader(RawPictures):
    """Of an upload, which may end badly: then ``broken`` is set. Raises TooLarge when it takes
    too much memory."""

    broken = False

    def __init__(self, ffmpeg: Ffmpeg, argv: Sequence[str], size: tuple[int, int]) -> None:
        self._memory = ffmpeg.upload_memory
        # A GPU's driver maps far more than it takes.
        super().__init__(argv, size, None if "cuda" in argv else self._memory)

    def read(self) -> UInt8 | None:
        data = np.empty(self._bytes, np.uint8)
        try:
            read = self._process.read(data.data)
        except FfmpegFailed:
            self.broken, read = True, 0
        if read == len(data):
            return data
        if self._process.starved:
            raise too_heavy(self._memory)
        return None
