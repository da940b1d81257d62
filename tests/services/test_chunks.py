from __future__ import annotations

import wave
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from app_core.cancel_scope import Stale, never
from app_core.config import Config
from app_core.errors import BadInput, Cancelled, DiskFull, FfmpegFailed, NotFound, VoiceFailed
from app_core.job import Job, JobStatus
from app_core.outputs.mp4 import Mp4Writer
from app_core.request import ChunksRequest
from app_core.services import chunks
from app_core.services.chunks import (
    chunk_id,
    wait_for_film,
    wait_for_sound,
)
from app_core.services.lipsync_service import LipsyncService
from app_core.speech.registry import Voices
from app_core.speech.text.piece import Piece
from app_core.speech.voices.espeak import EspeakVoice
from app_core.types import PLAIN, Prosody, Word
from tests.below import entries_below
from tests.conftest import until
from tests.fakes import RATE, EchoModel, ToneVoice, ToneVoices

Make = Callable[..., LipsyncService]


def request(text: str = "one two three four five", **fields: object) -> ChunksRequest:
    return ChunksRequest.model_validate(
        {"text": text, "size": "128x128", "chunk_size": 2, **fields}
    )


def frames_of(path: Path) -> int:
    film, count = cv2.VideoCapture(str(path)), 0
    while film.read()[0]:
        count += 1
    film.release()
    return count


def made_by(service: LipsyncService) -> list[Path]:
    """All in its own folder of the working one."""
    work = service.config.work_dir
    return [path for path in entries_below(work) if path.parent != work]


@pytest.mark.parametrize("fps", [25, 30, 24])
def test_every_chunk_has_its_film_and_its_sound(service: LipsyncService, fps: int) -> None:
    job = service.chunks.start(request(fps=fps, speed=1.9))
    films = [wait_for_film(job, chunk, never) for chunk in job.chunks]
    sounds = [wait_for_sound(job, chunk, never) for chunk in job.chunks]
    assert until(lambda: job.status is JobStatus.DONE)
    assert [frames_of(film) for film in films] == [chunk.frames for chunk in job.chunks]
    assert sum(chunk.frames for chunk in job.chunks) == job.frames_total == job.frames_done
    for chunk, sound in zip(job.chunks, sounds, strict=True):
        assert len(sound) / RATE == pytest.approx(chunk.duration_s, abs=1 / RATE)
        assert chunk.duration_s == chunk.frames / fps
    whole = np.concatenate([sound.samples(0, len(sound)) for sound in sounds])
    np.testing.assert_array_equal(whole, job.sound.samples(0, len(job.sound)))
    assert job.nbytes > sum(film.stat().st_size for film in films)


def test_all_speech_is_made_before_the_first_picture(make_service: Make, model: EchoModel) -> None:
    service = make_service()
    model.gate.clear()
    job = service.chunks.start(request())
    for chunk in job.chunks:
        wait_for_sound(job, chunk, never)
    assert job.frames_done == 0
    assert not any(chunk.filmed.is_set() for chunk in job.chunks)
    model.gate.set()
    assert wait_for_film(job, job.chunks[-1], never).stat().st_size > 0


def test_a_failing_voice_fails_the_chunks(make_service: Make, config: Config) -> None:
    service = make_service(voices=ToneVoices(ToneVoice(fail_at="four")))
    job = service.chunks.start(request())
    wait_for_sound(job, job.chunks[0], never)
    with pytest.raises(VoiceFailed, match="four"):
        wait_for_sound(job, job.chunks[2], never)
    with pytest.raises(VoiceFailed, match="four"):
        wait_for_film(job, job.chunks[0], never)
    assert list(config.work_dir.iterdir()) == []


def test_finished_films_survive_a_later_failure(
    service: LipsyncService, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = service.videos.writer

    def second_fails(job: Job, path: Path) -> Mp4Writer:
        if path.stem.endswith("-1"):
            raise FfmpegFailed("ffmpeg ended with code 1")
        return writer(job, path)

    monkeypatch.setattr(service.videos, "writer", second_fails)
    job = service.chunks.start(request())
    assert frames_of(wait_for_film(job, job.chunks[0], never)) == 10
    with pytest.raises(FfmpegFailed):
        wait_for_film(job, job.chunks[1], never)
    assert job.status is JobStatus.FAILED
    assert until(lambda: len(made_by(service)) == 1)


def test_a_cancel_leaves_no_film(make_service: Make, model: EchoModel, config: Config) -> None:
    service = make_service(voices=ToneVoices(ToneVoice(word_s=1.0)))
    job = service.chunks.start(request(chunk_size=1))
    wait_for_film(job, job.chunks[0], never)
    model.gate.clear()
    service.cancel(job.id)
    model.gate.set()
    with pytest.raises(Cancelled):
        wait_for_film(job, job.chunks[-1], never)
    assert until(lambda: list(config.work_dir.iterdir()) == [])


def test_a_client_that_leaves_is_noticed(make_service: Make, model: EchoModel) -> None:
    service = make_service()
    model.gate.clear()
    job = service.chunks.start(request())
    with pytest.raises(Cancelled):
        wait_for_film(job, job.chunks[0], lambda: True)
    model.gate.set()
    assert wait_for_film(job, job.chunks[0], never), "one listener of many: the render goes on"


def test_what_is_not_said_lasts_a_moment(service: LipsyncService) -> None:
    job = service.chunks.start(request("one <b> two", chunk_size=1))
    films = [wait_for_film(job, chunk, never) for chunk in job.chunks]
    assert [frames_of(film) for film in films] == [5, 5, 5]
    assert not np.any(job.chunks[1].sound.samples(0, RATE))
    assert not len(job.chunks[1].marks)


def test_the_text_is_read_as_a_whole(make_service: Make) -> None:
    said: list[str] = []

    class Heard(ToneVoice):
        def speak(self, piece: Piece, prosody: Prosody = PLAIN, stale: Stale = never):  # type: ignore[no-untyped-def]
            said.append(piece.said)
            return super().speak(piece, prosody, stale)

    text = "Цена 10 000 ₸ до 5 мая 2024 г. Ждём вас."
    job = make_service(voices=ToneVoices(Heard())).chunks.start(request(text))
    wait_for_film(job, job.chunks[-1], never)
    assert [chunk.text for chunk in job.chunks] == [
        "Цена",
        "10 000 ₸",
        "до 5",
        "мая",
        "2024 г.",
        "Ждём вас.",
    ]
    assert said == [
        "Цена",
        "десять тысяч тенге",
        "до пятого",
        "мая",
        "две тысячи двадцать четвёртого года.",
        "Ждём вас.",
    ]
    assert until(lambda: job.ended)


def test_chunks_know_when_their_words_are_said(make_service: Make) -> None:
    text = "one, two three 10 000 ₸ four"
    job = make_service(voices=Voices([EspeakVoice()])).chunks.start(request(text, language="en"))
    wait_for_film(job, job.chunks[-1], never)
    assert until(lambda: job.ended)
    began_s, later = 0.0, []
    for chunk in job.chunks:
        assert all(0 <= mark.start_s < mark.end_s <= chunk.duration_s for mark in chunk.marks)
        later += [
            (mark.text, mark.start_s + began_s) for mark in chunk.marks if isinstance(mark, Word)
        ]
        began_s += chunk.duration_s
    whole = [(mark.text, mark.start_s) for mark in job.marks if isinstance(mark, Word)]
    assert [text for text, _ in whole] == ["one,", "two", "three", "10 000 ₸", "four"]
    assert [text for text, _ in later] == [text for text, _ in whole]
    times = [second for _, second in later], [second for _, second in whole]
    np.testing.assert_allclose(*times, atol=1e-3)


def test_words_know_their_place_in_the_whole_text(make_service: Make) -> None:
    text = "  one,\n two — three  four\u00a0five "
    job = make_service(voices=Voices([EspeakVoice()])).chunks.start(request(text, language="en"))
    wait_for_film(job, job.chunks[-1], never)
    words = [mark for mark in job.marks if isinstance(mark, Word)]
    assert [word.text for word in words] == ["one,", "two", "three", "four", "five"]
    assert [text[word.start : word.end] for word in words] == [word.text for word in words]
    assert until(lambda: job.ended)


def test_what_is_spoken_waits_on_the_disk(make_service: Make, model: EchoModel) -> None:
    """An hour of sound was held as it was made until its last picture was drawn."""
    made: list[weakref.ref[np.ndarray]] = []

    class Watched(ToneVoice):
        def speak(self, piece: Piece, prosody: Prosody = PLAIN, stale: Stale = never):  # type: ignore[no-untyped-def]
            for speech in super().speak(piece, prosody, stale):
                made.append(weakref.ref(speech.pcm))
                yield speech

    service = make_service(voices=ToneVoices(Watched()))
    model.gate.clear()
    job = service.chunks.start(request(" ".join(["word"] * 60), chunk_size=10))
    assert job.chunks[-1].spoken.wait(10)
    assert until(lambda: sum(pcm() is not None for pcm in made) < 10), len(made)
    assert sum(chunk.sound.in_memory for chunk in job.chunks) == 0
    model.gate.set()
    assert wait_for_film(job, job.chunks[-1], never)
    assert len(job.sound) == sum(len(chunk.sound) for chunk in job.chunks) == 60 * RATE // 5


def test_a_speech_that_is_too_long_ends_while_it_is_made(
    make_service: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app_core.services.films.chunk_speech.LONGEST_SPEECH_S", 3.0)
    voice = ToneVoice()
    job = make_service(voices=ToneVoices(voice)).chunks.start(
        request(" ".join(["word"] * 60), chunk_size=10)
    )
    assert until(lambda: job.ended)
    assert isinstance(job.error, BadInput) and job.error.field == "text"
    assert voice.spoken == 20


def test_no_word_is_bad_input(service: LipsyncService) -> None:
    with pytest.raises(BadInput) as caught:
        service.chunks.start(request("… — !"))
    assert caught.value.field == "text"
    assert service.jobs.running() == []


def test_chunks_are_found_by_their_id(service: LipsyncService) -> None:
    job = service.chunks.start(request())
    assert service.chunks.find(chunk_id(job, job.chunks[1])) == (job, job.chunks[1])
    for name in ("", "nope", job.id, f"{job.id}-3", f"{job.id}-x", f"{job.id}-²", "a-1"):
        with pytest.raises(NotFound):
            service.chunks.find(name)
    wait_for_film(job, job.chunks[-1], never)


def test_the_sound_of_a_chunk_is_made_once(
    service: LipsyncService, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    resampled = chunks.wav.resampled

    def counted(*rest: object) -> bytes:
        made.append(1)
        return resampled(*rest)  # type: ignore[arg-type]

    monkeypatch.setattr(chunks.wav, "resampled", counted)
    job = service.chunks.start(request())
    chunk = job.chunks[0]
    wait_for_sound(job, chunk, never)
    with ThreadPoolExecutor(4) as pool:
        paths = set(pool.map(lambda _: service.chunks.wav_file(job, chunk), range(8)))
    assert len(made) == len(paths) == 1
    with wave.open(str(paths.pop())) as heard:
        assert (heard.getframerate(), heard.getnframes()) == (16000, 0.4 * 16000)
    assert until(lambda: job.ended)
    assert job.result_bytes >= 0.4 * 16000 * 2
    service._forgotten(job)
    assert not made_by(service)


def test_a_chunk_that_is_forgotten_while_its_sound_is_made_leaves_no_file(
    service: LipsyncService, monkeypatch: pytest.MonkeyPatch
) -> None:
    resampled = chunks.wav.resampled
    job = service.chunks.start(request())
    wait_for_film(job, job.chunks[-1], never)
    assert until(lambda: job.ended)

    def slow(*rest: object) -> bytes:
        service.chunks.forget(job)
        return resampled(*rest)  # type: ignore[arg-type]

    monkeypatch.setattr(chunks.wav, "resampled", slow)
    for _ in range(2):
        with pytest.raises(NotFound):
            service.chunks.wav_file(job, job.chunks[0])
    assert not made_by(service)


def test_chunks_that_fill_the_disk_leave_it_at_once(
    service: LipsyncService, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = service.videos.writer

    def second_is_too_much(job: Job, path: Path) -> Mp4Writer:
        if path.stem.endswith("-1"):
            raise OSError(28, "No space left on device")
        return writer(job, path)

    monkeypatch.setattr(service.videos, "writer", second_is_too_much)
    job = service.chunks.start(request())
    with pytest.raises(DiskFull):
        wait_for_film(job, job.chunks[1], never)
    assert until(lambda: not made_by(service))
    with pytest.raises(DiskFull):
        wait_for_film(job, job.chunks[0], never)


def test_a_full_disk_has_no_room_for_a_sound(
    service: LipsyncService, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = service.chunks.start(request())
    wait_for_film(job, job.chunks[-1], never)
    assert until(lambda: job.ended)
    before = len(made_by(service))

    def full(path: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(DiskFull):
            service.chunks.wav_file(job, job.chunks[0])
    assert len(made_by(service)) == before
    assert service.chunks.wav_file(job, job.chunks[0]).stat().st_size > 44
