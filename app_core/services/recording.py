"""A face says a recording: a sound file in place of a text and a voice."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from app_core.errors import BadInput
from app_core.media.sound_file import SoundFile
from app_core.picture import to_bgr
from app_core.request import GenerateRequest
from app_core.services.renders import here
from app_core.speech.timing.alignment import Alignment, Fit
from app_core.speech.voices.espeak import EspeakVoice
from app_core.types import Speech, frame_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from app_core.avatars.importing.face_paths import Faces
    from app_core.job import Job
    from app_core.media.ffmpeg import Ffmpeg
    from app_core.services.renders import Renders
    from app_core.services.video_jobs import VideoJobs
    from app_core.types import Frame, UInt8

PIECE_S = 10
"""Of a recording whose words nobody knows."""
_BLOCK_S = 1
"""What the search for words reads at once."""


class Recording:
    """An open sound file on its way to be said by one job, which closes it."""

    def __init__(self, sound: SoundFile, text: str = "", language: str = "ru") -> None:
        """``text``: what is said in it; empty when nobody knows."""
        self._sound, self._text, self._language = sound, text, language

    @property
    def sample_rate(self) -> int:
        return self._sound.sample_rate

    def close(self) -> None:
        """For who opened it, while no job has it."""
        self._sound.close()

    def speeches(self, job: Job) -> Iterator[Speech]:
        """In the job's thread, which also closes what it has not read to the end."""
        sound, rate = self._sound, self._sound.sample_rate
        fit = Fit()
        with sound:
            if sound.samples is not None:  # corrected at the end, if the header lied
                job.frames_total = frame_count(sound.samples, rate, job.request.fps)
            if self._text:
                spoken = EspeakVoice().speak(
                    self._text, self._language, stale=lambda: job.ticket.stale
                )
                yield from Alignment(sound.blocks(_BLOCK_S * rate), rate, spoken, fit)
                job.aligned = fit.found / fit.characters if fit.characters else 0.0
                return
            for index, pcm in enumerate(sound.blocks(PIECE_S * rate)):
                yield Speech(index, "", pcm, rate, None)


@contextlib.contextmanager
def held(recording: Recording | None) -> Iterator[None]:
    """Closes it when the block fails; otherwise a job has it."""
    try:
        yield
    except BaseException:
        if recording is not None:
            recording.close()
        raise


def open_recording(
    ffmpeg: Callable[[], Ffmpeg],
    path: Path,
    text: str = "",
    language: str = "ru",
    *,
    called: str = "The file",
    limit_s: float | None = None,
) -> Recording:
    """Raises BadInput, UnsupportedMedia or TooLarge, in sentences about ``called``."""
    sound = SoundFile(path, ffmpeg, called=called, limit_s=limit_s)
    return Recording(sound, text, language)


def process_recording(
    renders: Renders,
    videos: VideoJobs,
    faces: Faces,
    face_path: Path,
    audio_path: Path,
    output_path: Path | None,
    static: bool,
    frame_sink: Callable[[UInt8], None] | None,
    batch_size: int | None,
) -> Path | None:
    """As ``LipsyncService.process``."""
    if batch_size is not None and batch_size < 1:
        raise BadInput("batch_size_override must be at least 1", field="batch_size_override")
    if output_path is not None and (output_path.is_dir() or not output_path.parent.is_dir()):
        raise BadInput(f"{output_path} is no place for a file", field="output_path")
    request = GenerateRequest.model_construct(text="", static_mode=static)
    avatar = faces.at(face_path)
    recording = open_recording(videos.ffmpeg, audio_path, called=audio_path.name)
    with held(recording):
        job = renders.begin(
            request,
            avatar,
            recording.speeches,
            recording.sample_rate,
            batch_size,
            recorded=True,
        )

    def seen(frame: Frame) -> Frame:
        if frame_sink is not None:
            frame_sink(to_bgr(frame.picture))
        return frame

    if output_path is not None:
        videos.write(job, output_path, here, seen)
        return output_path
    with renders.frames(job, seen) as frames:
        for _ in frames:
            pass
    return None
