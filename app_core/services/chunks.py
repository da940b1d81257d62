"""A text in chunks of some words: one render, a film and a sound for each chunk.

All speech is made before the first picture, so that every chunk's duration is known early. The
sound of a chunk is filled up with silence to whole frames, so the chunks' films follow each
other without a gap, in sound and in picture.
"""

from __future__ import annotations

import contextlib
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from app_core.audio import SAMPLE_BYTES, AudioBuffer
from app_core.errors import (
    Cancelled,
    DiskFull,
    NotFound,
    TooCostly,
    afresh,
    as_job_error,
)
from app_core.job import Chunk
from app_core.media import wav
from app_core.services.films.chunk_speech import speak_chunks
from app_core.services.films.video_jobs import unchanged
from app_core.speech.text_parts import text_parts
from app_core.types import Speech

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from app_core.cancel_scope import Gone
    from app_core.job import Job
    from app_core.request import ChunksRequest
    from app_core.services.films.video_jobs import VideoJobs
    from app_core.services.renders import Renders
    from app_core.speech.speaker import Speaker
    from app_core.speech.text.piece import Piece

LOOK_S = 0.1
"""Between two looks at whether the client is still there."""
WAV_RATE = 16000


def chunk_id(job: Job, chunk: Chunk) -> str:
    return f"{job.id}-{chunk.index}"


class Begin(Protocol):
    """Begins a render of what ``speak`` says of the pieces that the text is read as."""

    def __call__(
        self,
        request: ChunksRequest,
        *,
        speak: Callable[[Speaker, Iterator[Piece], Job], Iterator[Speech]],
        owner: str,
    ) -> Job: ...


class Chunks:
    """The renders in chunks, and the files of each chunk."""

    def __init__(self, begin: Begin, renders: Renders, videos: VideoJobs) -> None:
        self._begin, self._renders, self._videos = begin, renders, videos

    def start(self, request: ChunksRequest, owner: str = "") -> Job:
        """Begins the render; ``job.chunks`` fill up. Raises as ``LipsyncService.submit``."""
        text = request.text

        def speak(speaker: Speaker, pieces: Iterator[Piece], job: Job) -> Iterator[Speech]:
            rate, spool = speaker.sample_rate, self._renders.spool
            parts = text_parts(text, pieces, request.chunk_size)
            job.chunks = tuple(
                Chunk(
                    index, text[part.start : part.end], AudioBuffer(rate, spool=spool), part.start
                )
                for index, part in enumerate(parts)
            )
            return speak_chunks(job, speaker, parts, request.prosody)

        job = self._begin(request, speak=speak, owner=owner)
        self._videos.check_room(job, kept=True)

        def drop() -> None:
            """A render that failed keeps the films that it has finished, but not on a full disk,
            nor those that are too large to keep."""
            if isinstance(job.error, Cancelled | DiskFull | TooCostly):
                self.forget(job)

        self._videos.start(job, lambda: self._write(job), drop)
        return job

    def stream(self, request: ChunksRequest, gone: Gone, owner: str = "") -> SpokenChunks:
        """``start``, for a client that asks for the chunks as they are spoken."""
        return SpokenChunks(self.start(request, owner), gone, self._renders.end)

    def spoken(self, name: str, gone: Gone, client: str = "") -> tuple[Job, Chunk]:
        """A chunk by its ``chunk_id`` once it is spoken; ``client`` as for ``JobTable.get``. Raises
        NotFound, the job's error, or Cancelled when the client has ``gone``."""
        job, chunk = self.find(name, client)
        wait_for_sound(job, chunk, gone)
        return job, chunk

    def sound_file(self, name: str, gone: Gone, client: str = "") -> Path:
        """Its WAV file; waits and raises as ``spoken``, and raises as ``wav_file``."""
        return self.wav_file(*self.spoken(name, gone, client))

    def film_file(self, name: str, gone: Gone, client: str = "") -> Path:
        """Its film once it is made; raises as ``spoken``."""
        return wait_for_film(*self.find(name, client), gone)

    def find(self, name: str, client: str = "") -> tuple[Job, Chunk]:
        """By its ``chunk_id``. Raises NotFound."""
        job_id, _, index = name.rpartition("-")
        unknown = NotFound("There is no such chunk; chunks are kept for an hour", field="chunk_id")
        try:
            job = self._renders.jobs.get(job_id, client)
        except NotFound:
            raise unknown from None
        if not (index.isascii() and index.isdigit()) or int(index) >= len(job.chunks):
            raise unknown
        return job, job.chunks[int(index)]

    def wav_file(self, job: Job, chunk: Chunk) -> Path:
        """The sound of a chunk that is spoken as a WAV file of WAV_RATE, made once.

        Raises DiskFull, FfmpegFailed, or NotFound when the chunk has been removed.
        """
        with chunk.making:
            if chunk.wav is None:
                chunk.wav = self._make_wav(job, chunk)
                job.result_bytes += chunk.wav.stat().st_size
            if chunk.forgotten:
                self._free_files(chunk)
                raise NotFound("The chunk has been removed", field="chunk_id")
            return chunk.wav

    def forget(self, job: Job) -> None:
        """Removes the files of a job that has ended."""
        for chunk in job.chunks:
            chunk.forgotten = True
            self._free_files(chunk)

    def _make_wav(self, job: Job, chunk: Chunk) -> Path:
        sound, scratch = chunk.sound, self._videos.scratch
        said = sound.read(0, len(sound), 0.0)
        pcm = wav.resampled(said, sound.sample_rate, WAV_RATE, self._videos.ffmpeg())
        try:
            path = scratch.take(f"{chunk_id(job, chunk)}.wav")
            try:
                path.write_bytes(wav.header(WAV_RATE, len(pcm) // SAMPLE_BYTES) + pcm)
            except OSError:
                scratch.free(path)
                raise
        except OSError as error:
            raise as_job_error(error) from error
        return path

    def _free_files(self, chunk: Chunk) -> None:
        for path in (chunk.film, chunk.wav):
            if path is not None:
                self._videos.scratch.free(path)
        chunk.film = None

    def _write(self, job: Job) -> None:
        scratch = self._videos.scratch
        with contextlib.closing(self._renders.playout(job, unchanged)) as frames:
            for chunk in job.chunks:
                path = scratch.take(f"{chunk_id(job, chunk)}.mp4")
                try:
                    first = next(frames)  # by now all speech is there, and every number of frames
                    with self._videos.writer(job, path) as writer:
                        writer.write(first)
                        for frame in islice(frames, chunk.frames - 1):
                            writer.write(frame)
                        writer.finish()
                    job.result_bytes += path.stat().st_size
                    self._videos.room.check_kept(job.result_bytes)
                except BaseException:
                    scratch.free(path)
                    raise
                chunk.film = path
                chunk.filmed.set()


class SpokenChunks:
    """Each chunk of a job as soon as it is spoken. A client that leaves before it has heard of
    every one of them wants none: that cancels the job."""

    def __init__(self, job: Job, gone: Gone, end: Callable[[Job, Exception], object]) -> None:
        self.job_id, self.voices = job.id, job.voices
        self.ids = [chunk_id(job, chunk) for chunk in job.chunks]
        self._job, self._gone, self._end = job, gone, end
        self._next = iter(job.chunks)

    def __iter__(self) -> SpokenChunks:
        return self

    def __next__(self) -> Chunk:
        """Raises the job's error, or Cancelled when the client has gone."""
        chunk = next(self._next)
        try:
            wait_for_sound(self._job, chunk, self._gone)
        except Cancelled:
            self.close()
            raise
        return chunk

    def all(self) -> list[Chunk]:
        """For one answer with all of them: a client that has left by then wants no films either.
        Raises as ``next``."""
        chunks = list(self)
        if self._gone():
            self._end(self._job, Cancelled("The reader left"))
            raise Cancelled("The reader left")
        return chunks

    def close(self) -> None:
        """Once all are spoken nothing happens."""
        if not all(chunk.spoken.is_set() for chunk in self._job.chunks):
            self._end(self._job, Cancelled("The reader left"))


def wait_for_sound(job: Job, chunk: Chunk, gone: Gone) -> AudioBuffer:
    """The sound of a chunk. Raises the job's error, or Cancelled when the client has gone."""
    while not chunk.spoken.wait(LOOK_S):
        _look(job, gone)
    return chunk.sound


def wait_for_film(job: Job, chunk: Chunk, gone: Gone) -> Path:
    """Where the film of a chunk is. Raises the job's error, or Cancelled like the other."""
    while not chunk.filmed.wait(LOOK_S):
        _look(job, gone)
    if chunk.film is None:
        raise afresh(job.error or NotFound("The chunk has been removed", field="chunk_id"))
    return chunk.film


def _look(job: Job, gone: Gone) -> None:
    if job.error is not None:
        raise afresh(job.error)
    if gone():
        raise Cancelled("The reader left")
