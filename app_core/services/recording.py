"""A face says a recording: a sound file in place of a text and a voice."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from app_core.avatars.library import STILL
from app_core.cancel_scope import never
from app_core.errors import BadInput, SoyleError
from app_core.media.sound_file import SoundFile
from app_core.picture import to_bgr
from app_core.request import GenerateRequest
from app_core.speech.speaker import Speaker
from app_core.speech.text.reading import TextReader
from app_core.speech.timing.alignment import Alignment, Fit
from app_core.speech.voices.espeak import EspeakVoice
from app_core.types import Speech, frame_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from app_core.avatars.importing.face_paths import Faces
    from app_core.job import Job
    from app_core.request import RenderRequest
    from app_core.services.films.video_jobs import VideoJobs
    from app_core.services.renders import Renders
    from app_core.types import Frame, UInt8

PIECE_S = 10
"""Of a recording whose words nobody knows."""
_BLOCK_S = 1
"""What the search for words reads at once."""


class Recording:
    """An open sound file on its way to be said by one job, which closes it."""

    def __init__(
        self,
        sound: SoundFile,
        reader: TextReader,
        text: str = "",
        language: str = "ru",
        limit_s: float = 0.0,
    ) -> None:
        """``text``: what is said in it; empty when nobody knows. ``limit_s``: the most that it may
        last."""
        self._limit_s = limit_s
        self._sound, self._reader = sound, reader
        self._text, self._language = text, language

    @property
    def sample_rate(self) -> int:
        return self._sound.sample_rate

    @property
    def seconds(self) -> float:
        """As its header says; the most that it may have where that does not."""
        own = self._sound.seconds
        return self._limit_s if own is None else own

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
            if self._text.strip():
                voice = Speaker.alone(EspeakVoice(), self._language, self._reader)
                spoken = voice.speak(self._text, stale=lambda: job.ticket.stale)
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


class Recordings:
    """Opens what is to be said in place of a text."""

    def __init__(
        self, renders: Renders, videos: VideoJobs, faces: Faces, reader: TextReader, limit_s: float
    ) -> None:
        """``limit_s``: the longest that a client may send."""
        self._renders, self._videos, self._faces = renders, videos, faces
        self._reader, self._limit_s = reader, limit_s

    def open(self, path: Path, request: RenderRequest) -> Recording:
        """The request's text is what is said in it. The file may be removed while it is open.
        Raises BadInput, UnsupportedMedia or TooLarge."""
        sound = SoundFile(path, self._videos.ffmpeg, limit_s=self._limit_s)
        reader = self._reader.knowing(request.dictionary)
        return Recording(sound, reader, request.text, request.language, self._limit_s)

    def process(
        self,
        face_path: Path,
        audio_path: Path,
        output_path: Path | None,
        static: bool | None,
        frame_sink: Callable[[UInt8], None] | None,
        batch_size: int | None,
    ) -> Path | None:
        """As ``LipsyncService.process``."""
        if batch_size is not None and batch_size < 1:
            raise BadInput("batch_size_override must be at least 1", field="batch_size_override")
        face_path, audio_path = _expanded(face_path), _expanded(audio_path)
        if output_path is not None:
            output_path = _expanded(output_path)
            _check_place(output_path)
        avatar = self._faces.at(face_path)
        if static is None:
            static = face_path.name == STILL  # of an avatar that may have a clip too
        request = GenerateRequest.model_construct(text="", static_mode=static)
        sound = SoundFile(audio_path, self._videos.ffmpeg, called=audio_path.name)
        recording = Recording(sound, self._reader)
        with held(recording):
            job = self._renders.begin(
                request,
                avatar,
                recording.speeches,
                recording.sample_rate,
                batch_size,
                recorded=True,
                purpose="process",
            )

        raised: list[Exception] = []

        def seen(frame: Frame) -> Frame:
            if frame_sink is not None:
                picture = to_bgr(frame.picture)
                try:
                    frame_sink(picture)
                except Exception as error:
                    raised.append(error)
                    raise SoyleError("frame_sink raised an error") from error
            return frame

        try:
            if output_path is not None:
                self._videos.write(job, output_path, never, seen)
                return output_path
            with self._renders.frames(job, seen) as frames:
                for _ in frames:
                    pass
        except SoyleError:
            if raised:
                raise raised[0] from None  # the caller's own, who also tells it
            raise
        return None


def _expanded(path: Path) -> Path:
    with contextlib.suppress(RuntimeError):  # nobody's home
        return path.expanduser()
    return path


def _check_place(path: Path) -> None:
    """Raises BadInput."""
    if not path.parent.is_dir():
        raise BadInput(f"{path}: the folder {path.parent} is not there", field="output_path")
    if path.is_dir():
        raise BadInput(f"{path} is a folder; name a file in it", field="output_path")
