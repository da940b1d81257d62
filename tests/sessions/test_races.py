"""What happens between two steps of another thread, and to what is broken."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from app_core.channel import Channel
from app_core.errors import Busy, FfmpegFailed
from app_core.pipeline import job_thread
from app_core.sessions import utterance as utterances
from app_core.sessions.pcm_feed import PcmFeed
from app_core.sessions.scene import Scene
from app_core.sessions.speech_source import SoundSource
from app_core.sessions.stage import Stage
from app_core.sessions.utterance import said_until
from app_core.sessions.utterance_queue import UtteranceQueue
from app_core.types import Word
from tests.conftest import until
from tests.fakes import GreyPlate, ToneVoice
from tests.sessions.conftest import FPS, Played

Play = Callable[..., Played]


def scene(stage: Stage, name: str, plate: GreyPlate | None = None) -> Scene:
    return Scene(name, plate or GreyPlate(count=200), "face", stage.model, FPS)


def in_session() -> bool:
    return threading.current_thread().name.startswith("session-")


def test_a_mouth_that_comes_while_it_is_looked_for_waits_for_its_sound(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late(Channel):  # type: ignore[type-arg]
        looked = False

        def __len__(self) -> int:
            found = super().__len__()
            if in_session() and not self.looked:
                self.looked = True
                until(lambda: super(Late, self).__len__() > 0, 5)
            return found

    monkeypatch.setattr(utterances, "Channel", Late)
    played = play(ToneVoice(delay_s=0.05))
    said, _ = played.say("one two three")
    played.until_told("speech_finished", said)
    spoken = [not packet.idle for packet in played.viewer.packets]
    assert sum(played.viewer.loud()) == sum(spoken) == 15


def test_an_interrupt_after_a_frame_has_left_fades_in_the_next(play: Play) -> None:
    played = play()
    queue = played.session._queue
    said, _ = played.say("one two three four five six")
    played.until_told("speech_started", said)
    leave, done = queue.leave, []

    def preempted(frame: object) -> object:
        found = leave(frame)  # type: ignore[arg-type]
        if not done:
            done.append(played.session.interrupt())
        return found

    before = len(played.viewer.sound())
    queue.leave = preempted  # type: ignore[method-assign, assignment]
    played.run(4)
    sound = played.viewer.sound()[before:].astype(int)
    assert np.abs(sound[0][-480:]).max() > 1000
    assert np.abs(sound[1][:480]).max() > 100
    assert not np.abs(sound[1][480:]).any()
    assert done[0].position_s == pytest.approx(
        (before + 1 - played.viewer.loud().index(True)) / FPS
    )


def test_an_interrupt_while_a_frame_is_made_takes_it_back(play: Play) -> None:
    played = play()
    queue = played.session._queue
    said, _ = played.say("one two three four five six")
    played.until_told("speech_started", said)
    take, done = queue.take, []

    def preempted(frame: int) -> object:
        found = take(frame)
        if not done:
            done.append(played.session.interrupt())
        return found

    before = len(played.viewer.sound())
    queue.take = preempted  # type: ignore[method-assign, assignment]
    played.run(3)
    packets, sound = played.viewer.packets[before:], played.viewer.sound()[before:].astype(int)
    assert packets[0].idle
    assert packets[0].generation == 1
    assert np.abs(sound[0][:480]).max() > 100
    assert not np.abs(sound[0][480:]).any()
    assert not np.abs(sound[1]).any()


def test_an_interrupt_while_the_voice_is_late_is_silent(play: Play) -> None:
    played = play()
    feed = played.session.audio("u", 16000)
    feed.push((np.ones(16000 // 25 * 3 + 500) * 9000).astype("<i2").tobytes())
    played.until_told("speech_started", "u")
    played.run(5)
    before = len(played.viewer.sound())
    played.session.interrupt()
    played.run(2)
    assert not np.abs(played.viewer.sound()[before:].astype(int)).any()


def test_a_clip_runs_though_it_was_to_be_shown_later(play: Play, stage: Stage) -> None:
    played = play()
    said, _ = played.say("one two three four five six seven eight nine ten eleven twelve")
    played.until_told("speech_started", said)
    coming = scene(stage, "coming")
    played.session.show(coming)
    played.say("next")
    played.until(lambda: coming.first is not None)
    played.session.interrupt()
    shown = []
    for _ in range(10):
        played.run(1)
        shown.append(coming.index(played.session._loop.frame))
    assert shown[-1] - shown[2] == 7
    assert played.session.describe()["avatar"] == "coming"


def test_a_text_and_another_avatar_at_once(
    play: Play, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = play()
    pictures = played.view(video="jpeg", audio="none")
    played.run(3)
    real, done = UtteranceQueue.first, []

    def first(queue: UtteranceQueue) -> object:
        found = real.fget(queue)  # type: ignore[attr-defined]
        if in_session() and not done:
            done.append(played.say("one two three", "u"))
            played.session.show(scene(stage, "other"))
        return found

    monkeypatch.setattr(UtteranceQueue, "first", property(first))
    played.until_told("speech_finished", "u")
    played.run(3)
    assert not played.session.closed
    assert played.session.describe()["avatar"] == "other"
    assert pictures.look().packets[-1].frame == played.viewer.packets[-1].frame


def test_an_avatar_that_cannot_be_shown_is_told_and_the_other_stays(
    play: Play, stage: Stage
) -> None:
    class Broken(GreyPlate):
        def frame_source(self, use_nvdec: bool = False, gently: bool = False) -> GreyPlate:
            raise FfmpegFailed("the clip is gone")

    played = play()
    pictures = played.view(video="jpeg", audio="none")
    played.run(2)
    played.session.show(scene(stage, "broken", Broken()))
    played.run(3)
    error = played.viewer.event("error").detail
    assert (error["code"], error["field"]) == ("ffmpeg_failed", "avatar")
    said, _ = played.say("one")
    played.until_told("speech_finished", said)
    assert played.session.describe()["avatar"] == "grey"
    assert pictures.look().packets[-1].frame == played.viewer.packets[-1].frame


def test_what_cannot_begin_fails_alone(play: Play, stage: Stage) -> None:
    played = play()
    features = stage.model.features

    def broken(fps: int) -> object:
        raise ValueError("no features")

    stage.model.features = broken  # type: ignore[method-assign, assignment]
    said, _ = played.say("one")
    played.until_told("interrupted", said)
    assert played.viewer.event("error", said).detail["code"] == "internal"
    stage.model.features = features  # type: ignore[method-assign]
    again, _ = played.say("two")
    played.until_told("speech_finished", again)


def test_a_replacement_that_cannot_begin_leaves_what_is_said(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = play()
    said, _ = played.say("one two three four five six")
    played.until_told("speech_started", said)

    def full(thread: object) -> None:
        raise Busy("no thread")

    with monkeypatch.context() as patch:
        patch.setattr(job_thread, "start_thread", full)
        with pytest.raises(Busy):
            played.say("instead", replace=True)
    played.until_told("speech_finished", said)


def test_words_without_a_place_are_found_in_the_text(play: Play) -> None:
    played = play()
    played.say("one two three. ", "u", more=True)
    played.say("four five six seven.", "u")
    played.until(lambda: len(played.viewer.told("word")) == 6)
    heard = played.session.interrupt().heard
    assert heard is not None
    assert heard.startswith("one two three. four five")
    assert said_until("abc def", [Word("none", 0.0, 0.1), Word("abc", 0.1, 0.2)], 1.0) == 3


def test_a_microphone_without_a_sound_has_finished(play: Play) -> None:
    played = play()
    feed = played.session.microphone(16000)
    feed.end()
    played.until_told("speech_finished", feed.utterance_id)
    assert played.viewer.told("error") == []


def test_what_a_stop_of_the_machine_cost_is_counted(play: Play) -> None:
    played = play()
    played.run(3)
    played.clock.pass_by(3.0)
    played.run(2)
    numbers = played.session.describe()
    assert numbers["late"] >= 3 * FPS - 1
    assert numbers["dropped"] >= 3 * FPS - 1


def test_blocks_and_short_gaps_put_no_pause_into_a_sound() -> None:
    """Half a second at a time, each when the one before has been played but for what is held."""
    now = [0.0]
    feed = PcmFeed("u", 16000, clock=lambda: now[0])
    source = SoundSource(feed)
    made, ahead = 0.0, [0.0]
    speeches = source.speeches(lambda: False, lambda: ahead[0], lambda _: None)
    for block in range(6):
        feed.push(bytes(16000))
        speech = next(speeches)
        made += len(speech.pcm) / 16000
        assert made == pytest.approx(0.5 * (block + 1))
        now[0] += 0.9
        ahead[0] = 0.1
    feed.end()
    assert list(speeches) == []


def test_a_microphone_that_fell_behind_catches_up_in_silence() -> None:
    feed = PcmFeed("u", 16000)
    source = SoundSource(feed, live=True)
    loud, quiet = (np.full(320, level, "<i2").tobytes() for level in (9000, 10))
    ahead = [0.9]
    speeches = source.speeches(lambda: False, lambda: ahead[0], lambda _: None)
    feed.push(loud)
    assert np.abs(next(speeches).pcm).max() > 0.2, "what is said is not cut"
    feed.push(quiet)
    feed.end()
    assert list(speeches) == []
