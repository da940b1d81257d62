"""``process()``: a face and a sound file in, pictures or a film out."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app_core.audio import AudioBuffer
from app_core.errors import BadInput, UnsupportedMedia
from app_core.job import JobStatus
from app_core.media.ffmpeg import find_ffmpeg
from app_core.services import renders
from app_core.services.lipsync_service import LipsyncService
from tests.begun import begun
from tests.conftest import until
from tests.fakes import frame_number


def speech(path: Path, seconds: float = 1.0, rate: int = 16_000) -> Path:
    wave = 0.5 * np.sin(2 * np.pi * 300 * np.arange(round(seconds * rate)) / rate)
    soundfile.write(path, wave, rate, format=path.suffix[1:].upper().replace("M4A", "WAV"))
    if path.suffix in (".m4a", ".webm"):
        raw = path.with_suffix(".wav")
        path.rename(raw)
        find_ffmpeg().run(["-i", f"file:{raw}", "-y", f"file:{path}"])
    return path


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3", "a.m4a"])
def test_the_documents_call_works_as_printed(
    service: LipsyncService, tmp_path: Path, name: str
) -> None:
    AVATAR_IMAGE = "avatar/grey"
    temp_audio_path = str(speech(tmp_path / name))
    seen: list[np.ndarray] = []

    def frame_sink(frame: np.ndarray) -> None:
        seen.append(frame.copy())

    service.process(
        face_path=AVATAR_IMAGE,
        audio_path=temp_audio_path,
        output_path=None,
        static=True,
        frame_sink=frame_sink,
        batch_size_override=32,
    )
    assert 25 <= len(seen) <= 27
    assert seen[0].shape == (48, 64, 3)


def test_a_sink_that_raises_ends_the_render_with_its_error(
    service: LipsyncService, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = speech(tmp_path / "a.wav", 30.0)
    seen = 0

    def sink(frame: np.ndarray) -> None:
        nonlocal seen
        seen += 1
        if seen == 3:
            raise KeyError("full")

    for output in (None, tmp_path / "film.mp4"):
        seen = 0
        with pytest.raises(KeyError, match="full"):
            service.process("avatar/grey", path, output, frame_sink=sink)
        assert not service.jobs.running()
    assert [left.name for left in tmp_path.iterdir()] == ["a.wav"]
    assert not [record for record in caplog.records if record.exc_info], "the caller tells it"


def test_a_place_that_is_none_is_named_before_anything_is_made(
    service: LipsyncService, tmp_path: Path
) -> None:
    path = speech(tmp_path / "a.wav")
    for output, why in (
        (tmp_path / "no" / "film.mp4", f"the folder {tmp_path / 'no'} is not there"),
        (tmp_path, "is a folder"),
    ):
        with pytest.raises(BadInput, match=re.escape(why)) as refused:
            service.process("avatar/grey", path, output)
        assert refused.value.field == "output_path"
        assert str(output) in str(refused.value)


def test_paths_may_begin_at_home(
    service: LipsyncService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    speech(tmp_path / "a.wav")
    assert service.process("avatar/grey", "~/a.wav", "~/film.mp4") == tmp_path / "film.mp4"
    assert (tmp_path / "film.mp4").stat().st_size > 1000
    with pytest.raises(BadInput, match="the folder ~nobody-here is not there"):
        service.process("avatar/grey", "~/a.wav", "~nobody-here/film.mp4")


def test_a_sound_that_cannot_be_used_is_named(service: LipsyncService, tmp_path: Path) -> None:
    letter = tmp_path / "letter.wav"
    letter.write_text("not a sound")
    with pytest.raises(UnsupportedMedia, match=r"letter\.wav"):
        service.process("avatar/grey", letter)
    with pytest.raises(BadInput, match=r"gone\.wav"):
        service.process("avatar/grey", tmp_path / "gone.wav")
    assert not service.jobs.running()


def test_the_limit_of_speech_is_none_of_recordings(
    service: LipsyncService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renders, "LONGEST_SPEECH_S", 1.0)
    seen: list[int] = []
    path = speech(tmp_path / "a.wav", 25.0)
    service.process("avatar/grey", path, frame_sink=lambda frame: seen.append(len(frame)))
    assert len(seen) == 25 * 25


def test_a_sound_without_a_limit_goes_on_past_an_hour(tmp_path: Path) -> None:
    sound = AudioBuffer(10, None, spills=True, spill=str(tmp_path))
    for _ in range(5):
        sound.append(np.zeros(10_000, np.float32))
    sound.close()
    assert len(sound) == 50_000 > 3600 * 10
    sound.release()


def test_a_long_recording_is_read_as_it_is_rendered(
    service: LipsyncService, tmp_path: Path
) -> None:
    """While the first picture is looked at, the sound is not read to its end."""
    path = speech(tmp_path / "a.wav", 400.0, 8000)
    known: list[float] = []

    def sink(frame: np.ndarray) -> None:
        if not known:
            (job,) = service.jobs.running()
            assert until(lambda: len(job.sound) >= 20 * 8000)
            known.append(len(job.sound) / 8000)
            raise KeyError

    with pytest.raises(KeyError):
        service.process("avatar/grey", path, frame_sink=sink)
    assert known[0] <= 60


def test_pieces_of_a_recording_are_one_sound(service: LipsyncService, tmp_path: Path) -> None:
    path = speech(tmp_path / "a.wav", 21.5)
    with soundfile.SoundFile(path) as file:
        wanted = file.read(dtype="float32")
    heard: list[np.ndarray] = []
    numbers: list[int] = []
    from app_core.request import GenerateRequest

    job = begun(service, GenerateRequest.model_construct(text=""), sound=path)
    with service.frames(job.id, lambda frame: frame) as frames:
        for frame in frames:
            heard.append(frame.pcm)
            numbers.append(frame_number(frame.picture))
    assert np.abs(np.concatenate(heard) - wanted).max() < 1e-4
    assert numbers == list(range(538))
    assert job.status is JobStatus.DONE
