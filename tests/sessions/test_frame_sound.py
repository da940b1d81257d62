"""The sound of an utterance at the session's rate: whole, in frames, not shifted."""

from __future__ import annotations

import numpy as np
import pytest

from app_core.audio import AudioBuffer
from app_core.sessions.frame_sound import FADE, FrameSound, samples_of

SECONDS = 2


def tone(rate: int) -> np.ndarray:
    return (0.5 * np.sin(np.arange(SECONDS * rate) * (2 * np.pi * 440 / rate))).astype(np.float32)


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 24000, 44100, 48000, 96000])
@pytest.mark.parametrize("fps", [10, 17, 25, 29, 60])
def test_it_is_the_same_sound_in_its_place(rate: int, fps: int) -> None:
    buffer = AudioBuffer(rate, None)
    sound, frames = FrameSound(buffer), []
    pieces = np.array_split(tone(rate), 37)
    for piece in pieces:
        buffer.append(piece)
        while sound.ready(count := samples_of(len(frames), fps)):
            frames.append(sound.take(count))
    buffer.close()
    while len(frames) < SECONDS * fps:
        assert sound.ready(count := samples_of(len(frames), fps))
        frames.append(sound.take(count))
    heard, wanted = np.concatenate(frames), tone(48000)
    assert len(heard) == len(wanted)
    middle = slice(4800, -4800)
    assert np.abs(heard[middle] - wanted[middle]).max() < 0.01


def test_nothing_is_whole_before_its_sound_is_there() -> None:
    buffer = AudioBuffer(48000, None)
    sound = FrameSound(buffer)
    buffer.append(np.ones(1919, np.float32))
    assert not sound.ready(1920)
    buffer.close()
    assert sound.ready(1920)
    assert len(sound.take(1920)) == 1920
    assert sound.ready(1920)
    assert not sound.take(1920).any()


def test_the_tail_is_what_comes_next_going_away() -> None:
    buffer = AudioBuffer(48000, None)
    sound = FrameSound(buffer)
    buffer.append(np.full(4800, 0.5, np.float32))
    assert sound.ready(1920)
    sound.take(1920)
    tail = sound.tail()
    assert len(tail) == FADE
    assert tail[0] == pytest.approx(0.5, abs=1e-3)
    assert tail[-1] == 0
    assert (np.diff(tail) < 0).all()


def test_the_tail_is_there_wherever_the_reading_stopped() -> None:
    for frames in range(1, 20):
        buffer = AudioBuffer(8000, None)
        buffer.append(np.full(8000, 0.5, np.float32))
        sound = FrameSound(buffer)
        for _ in range(frames):
            assert sound.ready(1920)
            sound.take(1920)
        assert len(sound.tail()) == FADE


def test_an_hour_of_it_takes_the_memory_of_seconds() -> None:
    buffer = AudioBuffer(8000, None)
    sound = FrameSound(buffer)
    frame = 0
    for second in range(3600):
        buffer.append(np.full(8000, second % 7 / 10, np.float32))
        while sound.ready(1920):
            sound.take(1920)
            frame += 1
    assert frame > 3599 * 25
    assert buffer.in_memory < 200_000
