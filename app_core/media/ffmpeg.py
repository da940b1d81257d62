"""The ffmpeg of this machine: which one, what it can do, and short runs of it."""

from __future__ import annotations

import contextlib
import logging
import re
import resource
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

from imageio_ffmpeg import get_ffmpeg_exe

from app_core.errors import DiskFull, FfmpegFailed, SoyleError, without_folders

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

logger = logging.getLogger(__name__)

VIDEO_ENCODERS = ("libx264", "libx265", "h264_nvenc", "hevc_nvenc")
OLDEST_MAJOR = 5  # the first with -fps_mode

_LONGEST_DESCRIPTION = 1 << 20  # bytes
IMPORT_MEMORY = 2 << 30
"""Bytes that a child may take which reads an upload: a file of 100 kB can ask for any number."""
_STARVED = (
    *("Cannot allocate memory", "get_buffer() failed", "Out of memory", "std::bad_alloc"),
    *("malloc of size", "memory allocation failure"),
    *("Resource temporarily unavailable", "thread_encoder_init failed"),
)
"""What ffmpeg itself, libx264 and libx265 say, the last two where a thread has no room for its
stack."""
_LIBRARY = "Generic error in an external library"
"""An encoder that gets no memory for a thread says no more than this."""
_DISK_FULL = ("No space left on device", "Disk quota exceeded")
QUIET = ("-hide_banner", "-nostdin", "-loglevel", "error")


@dataclass(frozen=True)
class Ffmpeg:
    path: str
    version: str
    """As ffmpeg prints it, for example ``n9.0.2`` or ``5.1.9-0+deb12u1``."""
    memory: int | None = None
    """Bytes that each child may take; None: no bound."""

    @property
    def major(self) -> int:
        """0 when the version has no number, as in builds from a branch."""
        found = re.match(r"n?(\d+)\.", self.version)
        return int(found[1]) if found else 0

    @cached_property
    def encoders(self) -> tuple[str, ...]:
        """Those of VIDEO_ENCODERS that encode on this machine. The first look runs each one."""
        return tuple(name for name in VIDEO_ENCODERS if self._encode_grey(name))

    @cached_property
    def nvdec(self) -> bool:
        """Whether an NVIDIA GPU decodes video here. The first look runs it."""
        hardware = ["-hwaccel", "cuda", "-hwaccel_output_format", "cuda", "-f", "h264"]
        download = ["-vf", "hwdownload,format=nv12", "-f", "null", "-"]
        video = self._encode_grey("libx264")
        try:
            self.run([*hardware, "-i", "pipe:0", *download], data=video, timeout_s=30.0)
        except SoyleError:
            return False
        return bool(video)

    @cached_property
    def decoders(self) -> frozenset[str]:
        """Names of all decoders it was built with."""
        return frozenset(self.run(["-decoders"]).decode("utf-8", "replace").split())

    @property
    def upload_memory(self) -> int:
        """Bytes that a child may take which reads an upload."""
        return min(IMPORT_MEMORY, self.memory or IMPORT_MEMORY)

    def bound(self, arguments: Sequence[str]) -> int | None:
        """Bytes that a child may take which is given these. One that works on a GPU has no bound:
        the driver maps far more than it takes."""
        on_gpu = any(word == "cuda" or word.endswith("_nvenc") for word in arguments)
        return None if on_gpu else self.memory

    def run(self, arguments: Sequence[str], *, data: bytes = b"", timeout_s: float = 60.0) -> bytes:
        """One short run: ``data`` to its standard input, its standard output back.

        Raises FfmpegFailed or DiskFull with ffmpeg's last words.
        """
        argv = [self.path, *QUIET, *arguments]
        pipe = subprocess.PIPE
        try:
            child = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe)
        except OSError as error:
            raise FfmpegFailed(f"ffmpeg could not be started: {error}") from error
        with child:
            limit_memory(child.pid, self.bound(arguments))
            try:
                output, said = child.communicate(data, timeout_s)
            except BaseException as error:
                child.kill()
                if not isinstance(error, subprocess.TimeoutExpired):
                    raise
                late = f"ffmpeg was not done after {timeout_s:.0f} s"
                raise FfmpegFailed(late) from error
        if child.returncode != 0:
            raise failure(child.returncode, said.decode("utf-8", "replace").splitlines())
        return output

    def describe(self, arguments: Sequence[str], timeout_s: float = 60.0) -> str:
        """What a run says of an upload, up to 1 MiB, however it ends: after ``timeout_s`` it is
        killed. Raises FfmpegFailed when it does not start.
        """
        argv = [self.path, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "info", *arguments]
        with tempfile.TemporaryFile() as said:
            try:
                child = subprocess.Popen(
                    argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said
                )
            except OSError as error:
                raise FfmpegFailed(f"ffmpeg could not be started: {error}") from error
            try:
                limit_memory(child.pid, self.upload_memory)
                child.wait(timeout_s)
            except subprocess.TimeoutExpired:
                logger.warning("ffmpeg was not done with an upload after %.0f s", timeout_s)
            finally:
                child.kill()
                child.wait()
            said.seek(0)
            return said.read(_LONGEST_DESCRIPTION).decode("utf-8", "replace")

    def _encode_grey(self, encoder: str) -> bytes:
        """Three grey pictures as a raw stream; empty when the encoder does not work."""
        side = 256  # hardware encoders refuse much smaller pictures
        raw = ["-f", "rawvideo", "-pixel_format", "yuv420p", "-video_size", f"{side}x{side}"]
        stream = "h264" if "264" in encoder else "hevc"
        output = ["-c:v", encoder, "-pix_fmt", "yuv420p", "-f", stream, "pipe:1"]
        grey = b"\x80" * (side * side * 3 // 2 * 3)
        try:
            return self.run([*raw, "-i", "pipe:0", *output], data=grey, timeout_s=30.0)
        except SoyleError as error:
            logger.debug("encoder %s does not work here: %s", encoder, error)
            return b""


def find_ffmpeg(setting: str = "", memory: int | None = None) -> Ffmpeg:
    """The ffmpeg named by ``setting``, else the newer of the system's and imageio-ffmpeg's. Each of
    its children may take ``memory`` bytes.

    It must be FFmpeg 5.1 or newer with libx264 and AAC. Raises FfmpegFailed, which says what to do.
    """
    if setting:
        path = shutil.which(setting)
        if path is None:
            raise FfmpegFailed(f"There is no ffmpeg at {setting}: correct or empty the setting")
        return _inspect(path, memory)
    works = []
    for path in _candidates():
        try:
            works.append(_inspect(path, memory))
        except FfmpegFailed as error:
            logger.warning("passing over an ffmpeg: %s", error)
    if not works:
        raise FfmpegFailed(
            "No usable ffmpeg was found: install FFmpeg 5.1 or newer with libx264 "
            "(apt install ffmpeg), or the Python package imageio-ffmpeg"
        )
    return max(works, key=lambda ffmpeg: ffmpeg.major)


def _candidates() -> Iterable[str]:
    system = shutil.which("ffmpeg")
    if system is not None:
        yield system
    with contextlib.suppress(RuntimeError):  # no binary for this machine in the package
        yield get_ffmpeg_exe()


@cache
def _inspect(path: str, memory: int | None) -> Ffmpeg:
    try:
        banner = Ffmpeg(path, "").run(["-version"]).decode("utf-8", "replace")
        known = set(Ffmpeg(path, "").run(["-encoders"]).decode("utf-8", "replace").split())
    except SoyleError as error:
        raise FfmpegFailed(f"{path} does not run: {error}") from error
    named = re.match(r"ffmpeg version (\S+)", banner)
    if named is None:
        raise FfmpegFailed(f"{path} is not ffmpeg")
    ffmpeg = Ffmpeg(path, named[1], memory)
    if 0 < ffmpeg.major < OLDEST_MAJOR:
        raise FfmpegFailed(f"{path} is version {ffmpeg.version}: FFmpeg 5.1 or newer is needed")
    missing = [name for name in ("libx264", "aac") if name not in known]
    if missing:
        raise FfmpegFailed(f"{path} was built without {' and '.join(missing)}")
    return ffmpeg


def limit_memory(pid: int, most: int | None) -> None:
    """Of a child that runs already, bytes of data, where the system can; None: no bound. It is told
    by ``starved`` of its last words when that was too little."""
    if most is None:
        return
    with contextlib.suppress(OSError, AttributeError):
        resource.prlimit(pid, resource.RLIMIT_DATA, (most, most))


def starved(lines: Iterable[str]) -> bool:
    """Whether ffmpeg said that it got too little memory."""
    return any(phrase in line for line in lines for phrase in _STARVED)


def failure(code: int | None, lines: Iterable[str]) -> SoyleError:
    """What an ending with ``code`` means, given the lines that ffmpeg printed."""
    said = [line for line in lines if line.strip()]
    if any(phrase in line for line in said for phrase in _DISK_FULL):
        return DiskFull("The disk is full: the video could not be written")
    if said:
        logger.debug("ffmpeg said: %s", "\n".join(said))
    ending = f"was killed by signal {-code}" if code and code < 0 else f"ended with code {code}"
    words = without_folders("; ".join(said[-3:]))
    if starved(said) or any(_LIBRARY in line for line in said):
        return FfmpegFailed(f"ffmpeg got too little memory, see CHILD_MEMORY_MB: {words}")
    return FfmpegFailed(f"ffmpeg {ending}: {words}" if words else f"ffmpeg {ending}")
