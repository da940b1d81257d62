"""A film against the same decoding and encoding without lips, and the memory of a long one.

python -m benchmarks.video [--seconds 60] [--long 300] [--short 20] [--runs 3]
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import subprocess
import tempfile
import time
import wave
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app_core.config import Config
from app_core.media.decoder import decoder_argv
from app_core.media.encoding import encoder_options
from app_core.media.ffmpeg import QUIET
from app_core.media.wav import pcm16
from app_core.request import Encoding, VideoRequest
from app_core.services.lipsync_service import LipsyncService
from app_core.services.video_lipsync_stream import process_video_lipsync_streaming
from app_core.speech.speaker import Speaker
from app_core.speech.voices.espeak import EspeakVoice
from app_core.types import frame_count
from benchmarks.table import end, show
from benchmarks.texts import TEXTS

if TYPE_CHECKING:
    from app_core.types import Float32

FPS = 25


def text_of(seconds: float) -> str:
    """Russian that lasts about so long."""
    sample = TEXTS["ru"]
    pcm, rate = speech_of(sample)
    return " ".join([sample] * max(1, round(seconds * rate / len(pcm))))


def speech_of(text: str) -> tuple[Float32, int]:
    voice = EspeakVoice()
    pieces = [speech.pcm for speech in Speaker.alone(voice, "ru").speak(text)]
    return np.concatenate(pieces), voice.sample_rate


def save(pcm: Float32, rate: int, path: Path) -> None:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(pcm16(pcm))


class Cost:
    """Wall and core seconds of a ``with`` block, with the processes that ended in it."""

    def __enter__(self) -> Cost:
        self._began = time.monotonic(), self._cores()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall_s = time.monotonic() - self._began[0]
        self.core_s = self._cores() - self._began[1]

    @staticmethod
    def _cores() -> float:
        whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        return sum(sum(resource.getrusage(who)[:2]) for who in whose)


def film(service: LipsyncService, text: str, path: Path) -> Cost:
    with Cost() as cost:
        asked = VideoRequest.parse({"text": text, "fps": FPS})
        process_video_lipsync_streaming(service, asked, path)
    return cost


def bare(service: LipsyncService, sound: Path, path: Path, frames: int) -> Cost:
    """``ffmpeg decode | ffmpeg encode`` of the same frames with the same settings."""
    clip = service.library.get(service.config.avatar).clip
    assert clip is not None, "the avatar has no clip"
    ffmpeg = service.backend.ffmpeg().path
    shape = service.library.shape(clip)
    size = (shape.width, shape.height)
    decode = decoder_argv(ffmpeg, clip, shape.whole, size, use_nvdec=False)
    decode[-3:-3] = ["-frames:v", f"{frames}"]
    encode = [
        *[ffmpeg, *QUIET, "-y", "-f", "rawvideo", "-pixel_format", "yuv420p"],
        *["-video_size", f"{size[0]}x{size[1]}", "-framerate", f"{FPS}", "-i", "pipe:0"],
        *["-i", str(sound), "-map", "0:v", "-map", "1:a", "-c:v", "libx264"],
        *encoder_options(Encoding(), *size, FPS),
        *["-c:a", "aac", "-b:a", "192k", "-ar", "48000", "-movflags", "+faststart", str(path)],
    ]
    with Cost() as cost, subprocess.Popen(decode, stdout=subprocess.PIPE) as decoder:
        subprocess.run(encode, stdin=decoder.stdout, check=True)
    return cost


def peak_mib(seconds: float) -> float:
    """Of a process that makes one film of ``seconds``, its ffmpeg children not counted."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak_mib, (seconds,))


def _peak_mib(seconds: float) -> float:
    service = ready()
    with tempfile.TemporaryDirectory() as folder:
        film(service, text_of(seconds), Path(folder) / "film.mp4")
    service.close()
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def ready() -> LipsyncService:
    config = Config.from_env().model_copy(update={"max_text_chars": 100_000})
    service = LipsyncService(config)
    service.start(wait_s=120.0)
    return service


def compare(seconds: float, runs: int) -> dict[str, Any]:
    """Side by side, so that a busy machine slows both."""
    service = ready()
    text = text_of(seconds)
    pcm, rate = speech_of(text)
    frames = frame_count(len(pcm), rate, FPS)
    films, bares = [], []
    with tempfile.TemporaryDirectory() as folder:
        sound, path = Path(folder) / "speech.wav", Path(folder) / "film.mp4"
        save(pcm, rate, sound)
        film(service, TEXTS["ru"], path)
        for _ in range(runs):
            bares.append(bare(service, sound, path, frames))
            films.append(film(service, text, path))
    service.close()
    pairs = list(zip(films, bares, strict=True))
    fastest = min(cost.wall_s for cost in films)
    return {
        "seconds": round(len(pcm) / rate, 1),
        "frames": frames,
        "film_s": round(fastest, 2),
        "bare_s": round(min(cost.wall_s for cost in bares), 2),
        "ratio": round(statistics.median(one.wall_s / other.wall_s for one, other in pairs), 3),
        "core_ratio": round(statistics.median(a.core_s / b.core_s for a, b in pairs), 3),
        "frames_per_s": round(frames / fastest, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="of the film that is timed")
    parser.add_argument("--runs", type=int, default=3, help="pairs of runs")
    parser.add_argument("--short", type=float, default=20, help="seconds, for the memory")
    parser.add_argument("--long", type=float, default=300, help="seconds, for the memory; 0: none")
    chosen = parser.parse_args()
    figures = compare(chosen.seconds, chosen.runs)
    show(
        "The default clip at its own size, libx264 veryfast crf 20; beside it ffmpeg | ffmpeg",
        ["film, s", "frames", "with lips, s", "bare, s", "ratio", "of core time", "frames/s"],
        [list(figures.values())],
    )
    if chosen.long:
        short, long = peak_mib(chosen.short), peak_mib(chosen.long)
        figures |= {"peak_mib": {"short": round(short), "long": round(long)}}
        show(
            "Peak memory of the server's process",
            ["", "MiB"],
            [[f"{chosen.short:g} s", short], [f"{chosen.long:g} s", long]],
        )
    end("video", figures)


if __name__ == "__main__":
    main()
