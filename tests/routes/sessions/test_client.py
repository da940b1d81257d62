"""The sessions of client/soyle_client.py, against a listening server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import until
from tests.routes.sessions.conftest import Served
from tests.routes.test_client import load

soyle_client = load()
SMALL = {"size": "128x128", "language": "en"}


@pytest.fixture
def soyle(served: Served) -> Iterator[Any]:
    with soyle_client.Soyle(served.address) as client:
        yield client


def test_a_session_is_ended_by_leaving_it(soyle: Any) -> None:
    with soyle.session(**SMALL) as face:
        assert [each["session_id"] for each in soyle.sessions()] == [face.session_id]
        assert face.state()["state"] == "idle"
    assert soyle.sessions() == []
    face.close()
    with pytest.raises(soyle_client.SoyleError) as refused:
        face.say("late")
    assert refused.value.status == 404


def test_what_is_said_is_heard(soyle: Any) -> None:
    with soyle.session(**SMALL) as face:
        events = face.events()
        assert next(events)["type"] == "ready"
        assert face.say("one two", utterance_id="a") == "a"
        kinds = []
        for event in events:
            kinds += [event["type"]] if event["utterance_id"] == "a" else []
            if event["type"] == "speech_finished":
                break
        assert kinds == ["speech_started", "word", "word", "speech_finished"]
        face.voice(language="kk")
        face.avatar("aigul")
        assert until(lambda: face.state()["avatar"] == "aigul")
        assert face.state()["language"] == "kk"


def test_a_text_while_it_is_written(soyle: Any) -> None:
    with soyle.session(**SMALL) as face:
        events = face.events()
        next(events)
        said = face.say_stream(iter(["one", "", " two", " ", "three"]), replace=True)
        for event in events:
            if event["type"] == "speech_finished":
                break
        assert (event["utterance_id"], event["heard"]) == (said, "one two three")
        assert face.say_stream(["", ""]) is None


def test_a_writer_stops_when_it_is_interrupted(soyle: Any) -> None:
    left = []

    def written(face: Any) -> Iterator[str]:
        try:
            yield "one two three four. "
            face.interrupt("a")
            yield "five. "
            yield "six. "
        finally:
            left.append("left")

    with soyle.session(**SMALL) as face:
        assert face.say_stream(written(face), utterance_id="a") == "a"
        assert left == ["left"]
        assert face.interrupt() == {"position_s": None, "heard": None}


def test_a_writer_that_fails_ends_what_it_said(soyle: Any) -> None:
    def written() -> Iterator[str]:
        yield "one two"
        raise RuntimeError("the model is gone")

    with soyle.session(**SMALL) as face:
        events = face.events()
        next(events)
        with pytest.raises(RuntimeError):
            face.say_stream(written())
        for event in events:
            if event["type"] == "speech_finished":
                break
        assert event["heard"] == "one two"


def test_frames(soyle: Any) -> None:
    with soyle.session(**SMALL) as face:
        frames = face.frames()
        found = [next(frames) for _ in range(20)]
        frames.close()
        assert {packet.kind for packet in found} == {"jpeg", "pcm"}
        assert all(packet.seconds == packet.frame / 25 for packet in found)
        assert all(packet.idle and packet.generation == 0 for packet in found)
        (sound, *_) = [packet.data for packet in found if packet.kind == "pcm"]
        assert len(sound) == 2 * 48_000 // 25
        face.interrupt()
        only = face.frames(video="none")
        assert {next(only).kind for _ in range(5)} == {"pcm"}
        only.close()
        with pytest.raises(soyle_client.SoyleError) as refused:
            next(face.frames(video="gif"))
        assert (refused.value.status, refused.value.field) == (400, "video")


def test_events_end_with_the_session(soyle: Any) -> None:
    face = soyle.session(**SMALL)
    events = face.events()
    next(events)
    face.close()
    assert [event["type"] for event in events][-1] == "end"
    with pytest.raises(soyle_client.SoyleError) as refused:
        next(face.events())
    assert refused.value.status == 404


def test_the_servers_token(serve: Any, config: Any) -> None:
    served = serve(config=config.model_copy(update={"api_token": "secret"}))
    with soyle_client.Soyle(served.address, token="secret") as soyle:
        with soyle.session(**SMALL) as face:
            assert face.say("one")
            assert next(face.frames()).kind in ("jpeg", "pcm")
    with soyle_client.Soyle(served.address) as stranger:
        with pytest.raises(soyle_client.SoyleError) as refused:
            stranger.session(**SMALL)
    assert refused.value.status == 401
