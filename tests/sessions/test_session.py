"""What a session says, in what order, and how each utterance ends: exactly once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from app_core.errors import BadInput, Conflict, Interrupted, NotFound, QueueFull
from app_core.outputs.live.packet import Kind
from app_core.sessions.scene import Scene
from app_core.types import Picture
from tests.fakes import GreyPlate, ToneVoice
from tests.sessions.conftest import FPS, Played

Play = Callable[..., Played]
WORD_FRAMES = 5
"""A word of ToneVoice at 25 frames a second."""


def test_an_idle_session_makes_a_silent_frame_a_tick(play: Play) -> None:
    played = play()
    pictures = played.view(video="jpeg", audio="none")
    played.run(10)
    assert not any(played.viewer.loud())
    assert len(played.viewer.packets) >= 9
    frames = [packet.frame for packet in played.viewer.packets]
    assert frames == list(range(frames[0], frames[0] + len(frames)))
    assert all(packet.idle for packet in played.viewer.packets)
    assert {len(packet.payload) for packet in played.viewer.packets} == {2 * 48000 // FPS}
    assert pictures.look().packets[-1].kind is Kind.JPEG


def test_one_utterance_after_the_other_without_a_gap(play: Play) -> None:
    played = play()
    ids = [played.say(text)[0] for text in ("one two", "three", "four five six")]
    played.until_told("speech_finished", ids[2])
    assert played.viewer.told("speech_started", "speech_finished") == [
        pair for each in ids for pair in (("speech_started", each), ("speech_finished", each))
    ]
    loud = played.viewer.loud()
    first = loud.index(True)
    last = len(loud) - loud[::-1].index(True)
    assert loud[first:last] == [True] * 6 * WORD_FRAMES
    finished = played.viewer.event("speech_finished", ids[2]).detail
    assert finished == {"position_s": 0.6, "heard": "four five six"}


def test_words_are_told_with_their_frames(play: Play) -> None:
    played = play()
    played.say("one two three")
    played.until_told("speech_finished")
    started = played.viewer.event("speech_started")
    words = [e for e in played.viewer.events if e.type == "word"]
    assert [e.detail["text"] for e in words] == ["one", "two", "three"]
    times = [round(e.session_s - started.session_s, 3) for e in words]
    assert times == [0.0, 0.2, 0.4]
    assert played.viewer.event("speech_started").payload()["text"] == "one two three"


def test_an_interrupt_cuts_at_the_next_frame_and_tells_what_was_heard(play: Play) -> None:
    played = play()
    said, _ = played.say("one two three four five")
    waiting, _ = played.say("six")
    played.until_told("speech_started")
    played.run(2 * WORD_FRAMES)
    heard = played.session.interrupt()
    cut = len(played.viewer.loud())
    played.run(5)
    assert heard.position_s == pytest.approx(11 / FPS)
    assert heard.heard == "one two"
    assert played.viewer.endings() == [("interrupted", said), ("interrupted", waiting)]
    assert played.viewer.event("interrupted", said).detail == {
        "position_s": 0.44,
        "heard": "one two",
    }
    assert played.viewer.event("interrupted", waiting).detail == {"position_s": 0.0, "heard": ""}
    after = played.viewer.sound()[cut:]
    assert not np.abs(after[0][480:]).any(), "no more than 10 ms go on, fading"
    assert not np.abs(after[1:]).any()


def test_the_generation_goes_up_with_the_interrupt(play: Play) -> None:
    played = play()
    played.say("one two three")
    played.until_told("speech_started")
    before = played.viewer.look().packets[-1].generation
    played.session.interrupt()
    played.run(1)
    assert played.viewer.packets[-1].generation == before + 1


def test_interrupted_before_the_first_sound_it_is_never_heard(play: Play) -> None:
    gate = ToneVoice(delay_s=0.05)
    played = play(gate)
    said, _ = played.say("one two three")
    heard = played.session.interrupt()
    played.run(20)
    assert (heard.position_s, heard.heard) == (None, None)
    assert played.viewer.told() == [("ready", None), ("interrupted", said)]
    assert not any(played.viewer.loud())


def test_twenty_interrupts_in_a_row_and_it_speaks_on(play: Play) -> None:
    played = play()
    ids = []
    for number in range(20):
        ids.append(played.say(f"word{number} and on")[0])
        if number % 2:
            played.until_told("speech_started", ids[-1])
        played.session.interrupt()
        played.session.interrupt()
    last, _ = played.say("the last one")
    played.until_told("speech_finished", last)
    assert played.viewer.endings() == [
        *(("interrupted", each) for each in ids),
        ("speech_finished", last),
    ]


def test_one_that_waits_is_interrupted_alone(play: Play) -> None:
    played = play()
    first, _ = played.say("one two three four")
    second, _ = played.say("five")
    third, _ = played.say("six")
    played.until_told("speech_started", first)
    generation = played.session.describe()["generation"]
    heard = played.session.interrupt(second)
    assert heard.position_s is None
    assert played.session.describe()["generation"] == generation, "what is heard goes on"
    played.until_told("speech_finished", third)
    assert sorted(played.viewer.endings()) == sorted(
        [("speech_finished", first), ("interrupted", second), ("speech_finished", third)]
    )
    assert played.session.interrupt(first).position_s is None
    with pytest.raises(NotFound):
        played.session.interrupt("never")


def test_replace_interrupts_in_the_same_step(play: Play) -> None:
    played = play()
    first, _ = played.say("one two three four")
    second, _ = played.say("five")
    played.until_told("speech_started", first)
    third, before = played.say("instead", replace=True)
    assert before == 0
    played.until_told("speech_finished", third)
    assert played.viewer.endings() == [
        ("interrupted", first),
        ("interrupted", second),
        ("speech_finished", third),
    ]


def test_a_piece_that_replaces_leaves_its_own_utterance_alone(play: Play) -> None:
    played = play()
    before, _ = played.say("one two three")
    played.say("four five six, and", "u", more=True)
    after, _ = played.say("seven")
    played.until_told("speech_started", before)
    played.say(" so on.", "u", replace=True)
    played.until_told("speech_finished", "u")
    assert sorted(played.viewer.endings()) == sorted(
        [("interrupted", before), ("interrupted", after), ("speech_finished", "u")]
    )


def test_the_clock_of_events_never_goes_back(play: Play) -> None:
    played = play()
    for number in range(6):
        played.say(f"one two {number}")
        played.run(4)
        played.session._fanout.tell([played.session._event("stats")])
        played.session.interrupt()
    played.session._fanout.tell([played.session._event("stats")])
    played.run(3)
    seconds = [event.session_s for event in played.viewer.look().events]
    assert seconds == sorted(seconds)


def test_a_text_in_pieces_is_one_utterance_and_begins_before_it_is_whole(play: Play) -> None:
    played = play()
    text = "Hello my dear friend, this is the first sentence. And here is another one."
    pieces = [text[at : at + 7] for at in range(0, len(text), 7)]
    for piece in pieces[:5]:
        played.say(piece, "u", more=True)
    played.until_told("speech_started", "u")
    for piece in pieces[5:]:
        played.say(piece, "u", more=True)
    played.say("", "u")
    played.until_told("speech_finished", "u")
    assert played.viewer.event("speech_finished").detail["heard"] == text
    words = [e.detail for e in played.viewer.events if e.type == "word"]
    assert [w["text"] for w in words] == text.split()
    with pytest.raises(Conflict):
        played.say("more", "u", more=True)


def test_the_end_of_a_piece_is_not_held_back_while_the_next_is_late(play: Play) -> None:
    played = play()
    played.say("One two three four! ", "u", more=True)
    played.until(lambda: sum(played.viewer.loud()) >= 4 * WORD_FRAMES)
    assert played.viewer.endings() == []
    played.say("Five.", "u")
    played.until_told("speech_finished", "u")


def test_pieces_after_an_interrupt_are_refused(play: Play) -> None:
    played = play()
    played.say("Hello my dear friend, and", "u", more=True)
    played.until_told("speech_started", "u")
    played.session.interrupt()
    with pytest.raises(Interrupted):
        played.say("and so on", "u", more=True)
    other, _ = played.say("something else")
    played.until_told("speech_finished", other)
    assert played.viewer.endings() == [("interrupted", "u"), ("speech_finished", other)]


def test_an_id_comes_once(play: Play) -> None:
    played = play()
    played.say("one", "u")
    with pytest.raises(Conflict):
        played.say("two", "u")
    played.until_told("speech_finished", "u")
    with pytest.raises(Conflict):
        played.say("three", "u")


def test_too_much_to_say_is_refused(play: Play) -> None:
    played = play(most=3, characters=100)
    for _ in range(4):  # one is said, three wait
        played.say("one two three four")
        played.run(1)
    with pytest.raises(QueueFull):
        played.say("five")
    played.session.interrupt()
    played.say("a " * 40, "u", more=True)
    with pytest.raises(QueueFull) as full:
        played.say("b " * 40, "u", more=True)
    assert full.value.field == "text"


def test_a_slow_voice_delays_the_sound_and_loses_none_of_it(play: Play) -> None:
    played = play(ToneVoice(delay_s=0.05))
    said, _ = played.say("one two three")
    played.until_told("speech_finished", said)
    assert sum(played.viewer.loud()) == 3 * WORD_FRAMES
    frames = [packet.frame for packet in played.viewer.packets if packet.kind is Kind.PCM]
    assert frames == list(range(frames[0], frames[0] + len(frames))), "the clock never stopped"
    assert played.viewer.event("speech_finished").detail["position_s"] == 0.6


def test_a_voice_that_fails_is_told_once_and_the_next_is_heard(play: Play) -> None:
    played = play(ToneVoice(fail_at="three"))
    said, _ = played.say("one two three four")
    other, _ = played.say("five")
    played.until_told("speech_finished", other)
    assert played.viewer.endings() == [("interrupted", said), ("speech_finished", other)]
    error = played.viewer.event("error", said)
    assert error.detail["code"] == "voice_failed"
    assert "three" in error.detail["error"]
    ending = played.viewer.event("interrupted", said)
    assert ending.detail == {"position_s": 0.4, "heard": "one two"}


def test_a_text_with_nothing_to_say_is_an_error_and_ends(play: Play) -> None:
    played = play()
    said, _ = played.say("...")
    played.until_told("interrupted", said)
    assert played.viewer.event("error", said).detail["code"] == BadInput.code


def test_two_viewers_see_the_same_and_one_who_is_stuck_holds_nobody(play: Play) -> None:
    played = play()
    stuck = played.view(video="jpeg", audio="pcm")
    other = played.view(video="jpeg", audio="pcm")
    said, _ = played.say("one two three four five six seven")
    played.until(lambda: len(other.endings()) == 1)
    assert np.array_equal(played.viewer.sound()[-40:], other.sound()[-40:])
    assert sum(other.loud()) == 7 * WORD_FRAMES
    assert stuck.line.dropped > 20
    assert stuck.line.waiting < 100
    assert other.endings() == played.viewer.endings() == stuck.endings()


def test_a_viewer_that_dies_is_forgotten_and_the_others_see_on(play: Play) -> None:
    played = play()
    dying = played.view(video="jpeg")
    played.run(2)
    dying.line.close()
    played.session.detach(dying.line)
    played.session.detach(dying.line)
    said, _ = played.say("one")
    played.until_told("speech_finished", said)
    assert played.session.describe()["viewers"] == [{"video": "none", "audio": "pcm"}]


def test_a_viewer_who_comes_again_hears_the_same_session_go_on(play: Play) -> None:
    played = play()
    played.say("one two three four five six")
    played.until_told("speech_started")
    played.session.detach(played.viewer.line)
    before = played.viewer.look().packets[-1].frame
    played.viewer = played.view()
    played.until_told("speech_finished")
    assert played.viewer.packets[0].frame == before + 1
    assert all(played.viewer.loud()[:WORD_FRAMES])


def test_sessions_do_not_hear_each_other(play: Play) -> None:
    many = [play() for _ in range(8)]
    for number, played in enumerate(many):
        for turn in range(3):
            played.say(f"s{number}t{turn}", f"{number}-{turn}")
    for number, played in enumerate(many):
        played.until_told("speech_finished", f"{number}-2")
        words = [e.detail["text"] for e in played.viewer.events if e.type == "word"]
        assert words == [f"s{number}t{turn}" for turn in range(3)]
        assert {e.utterance_id for e in played.viewer.events} - {None} == {
            f"{number}-{turn}" for turn in range(3)
        }


def test_the_pictures_run_on_through_speech_and_silence(play: Play) -> None:
    """GreyPlate's pictures are 40 plus their number: their order is seen in their grey."""
    played = play()
    shown: list[int] = []
    loop = played.session._loop
    real = loop._picture

    def seen(*args: object) -> object:
        picture = real(*args)  # type: ignore[arg-type]
        shown.append(int(picture.y[1, 0]) - 40)
        return picture

    loop._picture = seen  # type: ignore[method-assign, assignment]
    played.run(3)
    said, _ = played.say("one two")
    played.until_told("speech_finished", said)
    played.run(5)
    assert shown == [(shown[0] + n) % 10 for n in range(len(shown))]


def test_a_machine_that_slept_goes_on_from_now(play: Play) -> None:
    played = play()
    played.run(3)
    before = played.viewer.packets[-1].frame
    played.clock.pass_by(60.0)
    played.run(3)
    assert played.viewer.packets[-1].frame >= before + 60 * FPS
    said, _ = played.say("one")
    played.until_told("speech_finished", said)


def test_a_frame_that_is_too_late_leaves_its_picture_out_and_keeps_its_sound(play: Play) -> None:
    played = play()
    pictures = played.view(video="jpeg", audio="pcm")
    said, _ = played.say("one two three four")
    played.until_told("speech_started", said)
    played.clock.pass_by(5 / FPS)
    played.until_told("speech_finished", said)
    kinds = [packet.kind for packet in pictures.look().packets]
    assert kinds.count(Kind.PCM) > 0
    assert sum(played.viewer.loud()) == 4 * WORD_FRAMES
    assert 4 <= played.session.describe()["dropped"] <= 6


def test_a_microphone_is_heard_through_the_mouth(play: Play) -> None:
    played = play()
    feed = played.session.microphone(16000)
    tone = (np.sin(np.arange(16000) * 0.3) * 9000).astype("<i2").tobytes()
    feed.push(tone[:12001])
    feed.push(tone[12001:])
    played.until(lambda: sum(played.viewer.loud()) >= FPS - 1)
    assert played.viewer.told("speech_started") == [("speech_started", feed.utterance_id)]
    feed.end()
    played.until_told("speech_finished", feed.utterance_id)
    again = played.session.microphone(48000)
    more = played.session.microphone(48000)
    assert again.ended
    assert not more.ended


def test_speech_from_outside_is_an_utterance_with_its_text(play: Play) -> None:
    played = play()
    feed = played.session.audio("brought", 24000, "one two three four")
    tone = (np.sin(np.arange(24000) * 0.3) * 9000).astype("<i2").tobytes()
    feed.push(tone)
    feed.end()
    played.until_told("speech_started", "brought")
    played.run(12)
    heard = played.session.interrupt("brought")
    assert heard.position_s == pytest.approx(13 / FPS)
    assert heard.heard == "one two"
    feed = played.session.audio("known", 24000, " ".join(f"w{n:02}" for n in range(60)))
    for _ in range(10):
        feed.push(tone)
    feed.end()
    played.until_told("speech_started", "known")
    played.run(24)
    heard = played.session.interrupt("known")
    assert heard.heard == "w00 w01 w02 w03 w04 w05"
    for rate in (0, 7999, 96001):
        with pytest.raises(BadInput) as refused:
            played.session.audio(None, rate)
        assert refused.value.field == "sample_rate"


def test_the_avatar_changes_between_utterances(play: Play) -> None:
    played = play()
    said, _ = played.say("one two three")
    played.until_told("speech_started", said)
    model = played.session._loop._stage.model
    played.session.show(Scene("other", GreyPlate(), "face", model, FPS))
    after, _ = played.say("four five six")
    assert played.session.describe()["avatar"] == "grey"
    played.until_told("speech_started", after)
    assert played.session.describe()["avatar"] == "other", "though there was no pause between them"
    played.session.show(Scene("unseen", GreyPlate(), "face", model, FPS))
    played.session.show(Scene("third", GreyPlate(), "face", model, FPS))
    played.until_told("speech_finished", after)
    played.run(1)
    assert played.session.describe()["avatar"] == "third"
    again, _ = played.say("four")
    played.until_told("speech_finished", again)


def test_one_face_goes_over_into_the_other(play: Play) -> None:
    played = play()
    pictures = played.view(video="jpeg", audio="none")
    played.run(3)
    bright = GreyPlate()
    model = played.session._loop._stage.model
    scene = Scene("bright", bright, "face", model, FPS)
    scene.picture = lambda mouth: Picture(  # type: ignore[method-assign]
        np.full((48, 64), 200, np.uint8), *([np.full((24, 32), 128, np.uint8)] * 2)
    )
    played.session.show(scene)
    levels = []
    for _ in range(12):
        played.run(1)
        jpeg = pictures.look().packets[-1].payload
        levels.append(float(cv2.imdecode(np.frombuffer(jpeg, np.uint8), 0)[24:].mean()))
    steps = np.diff(levels)
    assert levels[-1] - levels[0] > 100
    assert steps.min() > -15
    assert steps.max() < 45


def test_the_end_is_told_and_nothing_is_left(play: Play) -> None:
    played = play()
    said, _ = played.say("one two three four five")
    played.until_told("speech_started", said)
    played.session.close()
    assert played.viewer.endings() == [("interrupted", said)]
    assert played.viewer.told("end") == [("end", None)]
    assert played.viewer.event("end").detail == {"why": "closed"}
    names = [t.name for t in threading.enumerate()]
    assert [n for n in names if n.startswith(("session-", "job-"))] == []
    with pytest.raises(Conflict):
        played.say("after")
    with pytest.raises(Conflict):
        played.view()


def test_a_session_whose_picture_fails_ends_and_says_so(play: Play) -> None:
    played = play()
    ended = threading.Event()
    played.session._ended = lambda _: ended.set()

    def broken(mouth: object) -> object:
        raise RuntimeError("no picture")

    played.session._loop.scene.picture = broken  # type: ignore[method-assign, assignment]
    played.clock.let_go()
    assert ended.wait(10)
    assert played.viewer.event("end").detail["why"] == "failed"
