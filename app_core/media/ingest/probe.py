"""What an upload is, by its content and never by its name.

Only two demuxers of ffmpeg ever see an upload, and each only what begins like its container. So a
playlist, which names other files, reaches none.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, NamedTuple

from app_core.errors import BadInput, TooLarge, UnsupportedMedia
from app_core.media.ffmpeg import starved
from app_core.media.ingest.limits import check_clip_pixels, mega, too_heavy, too_long

if TYPE_CHECKING:
    from pathlib import Path

    from app_core.media.ffmpeg import Ffmpeg
    from app_core.media.ingest.limits import IngestLimits

LONGEST_SIDE = 1920
SHORTEST_SIDE = 64
RATES = (30, 25, 24)

_HEAD_BYTES = 64
_QUICKTIME_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc", b"hevx")
_MATROSKA = b"\x1a\x45\xdf\xa3"

_REFUSED = {
    b"GIF8": "a GIF",
    b"#EXTM3U": "a playlist",
    b"ffconcat": "a list of files",
    b"<svg": "an SVG drawing",
    b"<?xml": "an XML text",
    b"%PDF": "a PDF",
    b"RIFF": "an AVI or WAV",
    b"OggS": "an Ogg file",
    b"BM": "a BMP picture",
    b"II*\0": "a TIFF picture",
    b"MM\0*": "a TIFF picture",
}
_TAKES = "Photos may be JPEG, PNG, WebP or HEIC, clips MP4, MOV, WebM or MKV"

_CODECS = (
    "h264,hevc,av1,libdav1d,libaom-av1,vp8,vp9,libvpx,libvpx-vp9,mpeg4,mpeg2video,mpeg1video,"
    "h263,mjpeg,prores,dnxhd,rawvideo,png,qtrle,ffv1"
)

_STREAM = re.compile(r"Stream #0:\d+.*?: Video: (?!.*\(attached pic\)).*")
_CODED_SIZE = re.compile(r"[ ,](\d+)x(\d+)[ ,\[]")
_RATE = re.compile(r" ([\d.]+)(k?) (fps|tbr)\b")
_DURATION = re.compile(r"Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)")
_PICTURE = re.compile(r"n: *0 .* fmt:(\w+) .*?sar:(\d+)/(\d+) s:(\d+)x(\d+) i:(\w)")
_COLOURS = re.compile(r"color_range:(\w+) color_space:([\w-]+) color_primaries:\S+ color_trc:(\S+)")
_ALPHA_FORMAT = re.compile(r"yuva|rgba|bgra|argb|abgr|gbrap|ya\d|pal8")

_NOMINAL = (24, 23.976, 25, 30, 29.97, 50, 60, 59.94)
_LEAST_KEPT = 0.7
_WORST_SHAPE = 8
"""Pixels may be this much wider than high, or higher than wide."""
_SLOWEST = 1.0
"""Pictures a second. Where there are fewer, most of the mezzanine would be made of nothing."""
_FASTEST = 1000.0
"""More pictures a second than this is a time base and no rate."""


class Sniffed(NamedTuple):
    kind: Literal["photo", "clip"]
    format: str
    """JPEG, PNG, WEBP or HEIF for Pillow; mov or matroska for ffmpeg."""
    suffix: str


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """What ffmpeg says of a clip, and what its mezzanine will be."""

    demuxer: str
    decoder: str
    """Empty for ffmpeg's own choice."""
    width: int
    """Pixels of its mezzanine, even, upright and square, as is the height."""
    height: int
    shown: tuple[int, int]
    """Its own size, upright, before pixels are made square."""
    fps: int
    """Pictures a second of its mezzanine."""
    seconds: float
    """As the container says; 0 when it does not."""
    transfer: str
    """``smpte2084`` and ``arib-std-b67`` are HDR."""
    matrix: str
    full_range: bool
    alpha: bool
    interlaced: bool
    turn: int = 0
    """Quarters clockwise by which its mezzanine is turned, beyond what the file says."""

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height

    @property
    def hdr(self) -> bool:
        return self.transfer in ("smpte2084", "arib-std-b67")


def sniff(path: Path) -> Sniffed:
    """Raises BadInput for an empty file, UnsupportedMedia for what is neither photo nor clip."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        raise BadInput("The file is empty.", field="file")
    if head.startswith(b"\xff\xd8\xff"):
        return Sniffed("photo", "JPEG", ".jpg")
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Sniffed("photo", "PNG", ".png")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Sniffed("photo", "WEBP", ".webp")
    if head.startswith(_MATROSKA):
        return Sniffed("clip", "matroska", ".webm" if b"webm" in head else ".mkv")
    if head[4:8] == b"ftyp":
        return _sniff_brand(head[8:12])
    if head[4:8] in _QUICKTIME_BOXES:
        return Sniffed("clip", "mov", ".mov")
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    named = next((what for magic, what in _REFUSED.items() if text.startswith(magic)), None)
    is_what = f"The file is {named}" if named else "The file is neither a photo nor a clip"
    raise UnsupportedMedia(f"{is_what}. {_TAKES}.", field="file")


def _sniff_brand(brand: bytes) -> Sniffed:
    if brand in _HEIF_BRANDS:
        return Sniffed("photo", "HEIF", ".heic")
    if brand in (b"avif", b"avis"):
        raise UnsupportedMedia(f"The file is an AVIF picture. {_TAKES}.", field="file")
    if brand in (b"M4A ", b"M4B ", b"M4P "):
        raise BadInput("The file holds sound only, no pictures.", field="file")
    return Sniffed("clip", "mov", ".mov" if brand == b"qt  " else ".mp4")


def input_options(demuxer: str, decoder: str, limits: IngestLimits) -> list[str]:
    """What stands before ``-i`` wherever ffmpeg opens an upload."""
    return [
        *("-protocol_whitelist", "file,pipe", "-f", demuxer, "-codec_whitelist", _CODECS),
        *("-max_pixels", f"{limits.max_clip_pixels}"),
        *(("-c:v", decoder) if decoder else ()),
    ]


def probe_clip(ffmpeg: Ffmpeg, path: Path, demuxer: str, limits: IngestLimits) -> ClipFacts:
    """Decodes one picture. Raises BadInput that says why this is no clip, or TooLarge."""
    said = _ask(ffmpeg, path, demuxer, "", limits)
    stream = _STREAM.search(said)
    if stream is None:
        raise _no_stream(said)
    decoder = _alpha_decoder(ffmpeg, said, stream[0])
    if decoder:
        said = _ask(ffmpeg, path, demuxer, decoder, limits)
    size = _CODED_SIZE.search(stream[0])
    if size is not None:
        check_clip_pixels(int(size[1]), int(size[2]), limits)
    seconds = _seconds(said)
    if seconds > limits.max_clip_s:
        raise too_long(limits, seconds)
    picture = _PICTURE.search(said)
    if picture is None:
        if "max pixel count" in said:
            most = mega(limits.max_clip_pixels)
            raise TooLarge(f"The clip's pictures are over {most}.", field="file")
        if starved(said.splitlines()):
            raise too_heavy(ffmpeg.upload_memory)
        raise BadInput("No picture of the clip can be decoded: it is damaged.", field="file")
    fmt, across, down, wide, high, field = picture.groups()
    colours = _COLOURS.search(said, picture.end())
    full, matrix, transfer = colours.groups() if colours else ("tv", "unknown", "unknown")
    shown = (int(wide), int(high))
    width, height = mezzanine_size(*shown, int(across), int(down))
    rates = {kind: float(n) * (1000 if k else 1) for n, k, kind in _RATE.findall(stream[0])}
    if rates.get("fps", _SLOWEST) < _SLOWEST:
        raise BadInput("The clip has less than a picture a second: it is no clip.", field="file")
    return ClipFacts(
        demuxer=demuxer,
        decoder=decoder,
        width=width,
        height=height,
        shown=shown,
        fps=mezzanine_rate(_own_rate(rates.get("fps", 0.0), rates.get("tbr", 0.0))),
        seconds=seconds,
        transfer=transfer,
        matrix=matrix if matrix not in ("unknown", "reserved") else _usual_matrix(*shown),
        full_range=full in ("pc", "jpeg") or fmt.startswith("yuvj"),
        alpha=bool(_ALPHA_FORMAT.match(fmt)),
        interlaced=field in "TB",
    )


def mezzanine_rate(own: float) -> int:
    """30, 25 or 24, of which a clip of ``own`` pictures a second needs the evenest steps.

    60 becomes 30 and 50 becomes 25 by taking every second picture; 15 becomes 30 by showing
    each twice. A clip whose rate varies has lost pictures: its average is under its nominal
    rate, so the next rate above costs less than the next below.
    """
    if not 1.0 <= own <= _FASTEST:
        return RATES[0]

    def unevenness(rate: int) -> float:
        ratio = max(own / rate, rate / own)
        off = abs(ratio - round(ratio)) / ratio
        return round(2 * off if own > rate else off, 3)

    return min(RATES, key=unevenness)


def mezzanine_size(width: int, height: int, across: int = 1, down: int = 1) -> tuple[int, int]:
    """Even, square pixels, at most LONGEST_SIDE. Pixels are ``across`` wide and ``down`` high.

    Raises BadInput when that leaves less than SHORTEST_SIDE.
    """
    shape = Fraction(across, down) if across > 0 and down > 0 else Fraction(1)
    if not Fraction(1, _WORST_SHAPE) <= shape <= _WORST_SHAPE:
        shape = Fraction(1)
    square = (float(width * shape), float(height))
    shrink = min(1.0, LONGEST_SIDE / max(square))
    wide, high = (math.floor(side * shrink + 0.01) // 2 * 2 for side in square)
    if min(wide, high) < SHORTEST_SIDE:
        raise BadInput(
            f"The picture is {width}x{height} pixels: each side must have {SHORTEST_SIDE} or more "
            f"once the longer one is {LONGEST_SIDE} or less.",
            field="file",
        )
    return wide, high


def _own_rate(average: float, grid: float) -> float:
    """Of the average and of the grid on which ffmpeg sees the pictures' times.

    A phone that left out some pictures of 25 a second has an average of 22 and a grid of 25.
    """
    usual = any(abs(grid - rate) < 0.1 for rate in _NOMINAL)
    return grid if usual and _LEAST_KEPT * grid <= average <= grid else average or grid


def _ask(ffmpeg: Ffmpeg, path: Path, demuxer: str, decoder: str, limits: IngestLimits) -> str:
    given = [*input_options(demuxer, decoder, limits), "-i", f"file:{path}"]
    # V is every video stream that is not the cover of a song.
    first = ["-map", "0:V:0", "-vf", "showinfo=checksum=0", "-frames:v", "1", "-f", "null", "-"]
    return ffmpeg.describe([*given, *first])


def _no_stream(said: str) -> BadInput:
    if "Stream #0:" in said:
        return BadInput("The file holds no pictures, only sound or text.", field="file")
    if "moov atom not found" in said:
        return BadInput(
            "The clip is cut off: its index, which stands at its end, is missing.", field="file"
        )
    return BadInput("The clip cannot be read: it is damaged or cut off.", field="file")


def _seconds(said: str) -> float:
    found = _DURATION.search(said)
    if found is None:
        return 0.0
    return int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3])


def _usual_matrix(width: int, height: int) -> str:
    """What players assume of a clip that does not say."""
    return "bt709" if min(width, height) >= 720 else "smpte170m"


def _alpha_decoder(ffmpeg: Ffmpeg, said: str, stream: str) -> str:
    """The decoder that sees the alpha of a WebM, which ffmpeg's own pass over."""
    if not re.search(r"alpha_mode\s*: 1", said, re.IGNORECASE):
        return ""
    wanted = "libvpx-vp9" if "Video: vp9" in stream else "libvpx" if "Video: vp8" in stream else ""
    return wanted if wanted in ffmpeg.decoders else ""
