"""The sockets of a session, on a listening server."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from typing import Any

import pytest
import websocket

from app_core.errors import SoyleError
from app_core.outputs.live.viewer_line import ViewerLine
from app_core.routes.sessions import viewer_socket
from tests.conftest import until
from tests.routes.sessions.conftest import Ear, Served

LONG = "one two three four five six seven eight nine ten " * 5
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: the connection is reset, not closed."""


def watching(made: dict[str, Any]) -> str:
    path: str = made["socket_url"].partition("?")[0]
    return f"{path}?token={made['view_token']}"


def viewers(served: Served, made: dict[str, Any]) -> int:
    return len(served.service.sessions.get(made["session_id"]).describe()["viewers"])


def threads() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name == "viewer"]


def test_pictures_and_sound_on_one_clock(served: Served) -> None:
    ear = served.listen(served.open()["socket_url"])
    ready = ear.event("ready")
    assert (ready["width"], ready["height"], ready["fps"]) == (128, 128, 25)
    while len([b for b in ear.binaries if b.kind == 4]) < 5:
        assert ear.next() is not None
    pictures = [b for b in ear.binaries if b.kind == 1]
    sounds = [b for b in ear.binaries if b.kind == 4]
    assert all(b.payload.startswith(b"\xff\xd8\xff") for b in pictures)
    assert all(b.flags == 3 for b in pictures), "key and idle"
    assert {len(b.payload) for b in sounds} == {2 * 48_000 // 25}
    assert [b.frame for b in sounds] == list(range(sounds[0].frame, sounds[-1].frame + 1))
    assert {b.frame for b in pictures} <= {b.frame for b in sounds} | {sounds[-1].frame + 1}
    assert all(b.micros == round(b.frame * 1e6 / 25) for b in ear.binaries)


@pytest.mark.parametrize(
    ("asked", "kinds"),
    [
        ("&video=none&audio=pcm", {4}),
        ("&video=jpeg&audio=none", {1}),
        ("&video=mp4&audio=none", {2, 3}),
        ("&video=none&audio=opus", {5}),
    ],
)
def test_what_was_asked_for_comes(served: Served, asked: str, kinds: set[int]) -> None:
    ear = served.listen(served.open()["socket_url"] + asked)
    while len(ear.binaries) < 5:
        assert ear.next() is not None
    assert {b.kind for b in ear.binaries} == kinds
    if 2 in kinds:
        assert ear.binaries[0].kind == 2 and ear.binaries[1].flags & 1


def test_events_come_in_order_and_end_once(served: Served) -> None:
    made = served.open()
    ear = served.listen(made["events_url"])
    ear.event("ready")
    assert served.say(made, "one two three", utterance_id="a").status_code == 202
    ear.event("speech_finished")
    of_it = [event for event in ear.events if event["utterance_id"] == "a"]
    assert [event["type"] for event in of_it] == [
        "speech_started",
        "word",
        "word",
        "word",
        "speech_finished",
    ]
    assert [event["text"] for event in of_it[1:4]] == ["one", "two", "three"]
    times = [event["session_s"] for event in of_it]
    assert times == sorted(times)
    assert of_it[-1]["heard"] == "one two three"
    assert served.ask("DELETE", f"/api/sessions/{made['session_id']}", made["token"]).ok
    assert ear.rest()[-1]["type"] == "end"
    assert ear.code == 1000
    assert ear.binaries == []


def test_commands(served: Served) -> None:
    ear = served.listen(served.open()["socket_url"] + "&video=none&audio=none")
    ear.say(type="say", text=LONG, utterance_id="a")
    ear.event("speech_started", utterance_id="a")
    ear.say(type="say", text="later", utterance_id="b")
    ear.say(type="interrupt")
    assert ear.event("interrupted", utterance_id="a")["position_s"] > 0
    ear.event("interrupted", utterance_id="b")
    ear.say(type="say", text="one", utterance_id="c", more=True)
    ear.say(type="say", text=" two", utterance_id="c")
    assert ear.event("speech_finished")["heard"] == "one two"
    ear.say(type="voice", voice="tone", language="kk")
    ear.say(type="avatar", avatar="aigul")
    ear.say(type="ping", t=12.5)
    assert ear.event("pong")["t"] == 12.5
    assert not [event for event in ear.events if event["type"] == "error"]


def test_a_command_that_is_refused_leaves_the_socket(served: Served) -> None:
    ear = served.listen(served.open()["socket_url"] + "&video=none&audio=none")
    for sent, code, field in (
        ("{", "bad_input", None),
        ("[]", "bad_input", None),
        ('{"text": "x"}', "bad_input", "type"),
        ('{"type": "sing"}', "bad_input", "type"),
        ('{"type": ["say"]}', "bad_input", "type"),
        ('{"type": "say"}', "bad_input", "text"),
        ('{"type": "say", "text": "x", "voice": "nobody"}', "not_found", "voice"),
        ('{"type": "say", "text": "x", "utterance_id": "a b"}', "bad_input", "utterance_id"),
        ('{"type": "interrupt", "utterance_id": "never"}', "not_found", "utterance_id"),
        ('{"type": "microphone", "sample_rate": 1}', "bad_input", "sample_rate"),
        ('{"type": "audio_end", "now": true}', "bad_input", "now"),
        ('{"type": "audio_end", "utterance_id": "a"}', "conflict", "utterance_id"),
        ('{"type": "ping", "t": "now"}', "bad_input", "t"),
    ):
        ear.socket.send(sent)
        told = ear.event("error")
        assert (told["code"], told["field"]) == (code, field), sent
        assert told["error"]
    ear.say(type="interrupt", utterance_id="never")
    assert ear.event("error")["utterance_id"] == "never"
    ear.say(type="ping")
    assert ear.event("pong")["t"] is None


def test_a_viewer_only_looks(served: Served) -> None:
    made = served.open()
    ear = served.listen(watching(made) + "&audio=none")
    assert ear.picture().payload
    for command in ({"type": "say", "text": "x"}, {"type": "interrupt"}, {"type": "audio"}):
        ear.say(**command)
        assert ear.event("error")["code"] == "forbidden"
    ear.socket.send_binary(bytes(200))
    assert ear.event("error")["code"] == "forbidden"
    ear.say(type="ping", t=1)
    assert ear.event("pong")["t"] == 1
    state = served.ask("GET", f"/api/sessions/{made['session_id']}").json()
    assert (state["queued"], state["generation"]) == (0, 0)


def test_speech_from_outside(served: Served) -> None:
    ear = served.listen(served.open()["socket_url"] + "&video=none")
    ear.say(type="audio", utterance_id="a", sample_rate=48_000, text="beep")
    tone = struct.pack("<h", 8000) * 4800
    for _ in range(5):
        ear.socket.send_binary(tone)
    ear.say(type="audio_end", utterance_id="a")
    told = ear.event("speech_finished", utterance_id="a")
    assert (told["position_s"], told["heard"]) == (pytest.approx(0.5, abs=0.05), "beep")
    spoken = b"".join(b.payload for b in ear.binaries if not b.flags & 2)
    assert sum(abs(v) > 4000 for (v,) in struct.iter_unpack("<h", spoken)) > 0.9 * 5 * 4800


def test_a_microphone(served: Served) -> None:
    ear = served.listen(served.open(mode="puppet")["socket_url"] + "&video=none")
    ear.say(type="microphone", sample_rate=16_000)
    ear.socket.send_binary(struct.pack("<h", 8000) * 3200)
    ear.event("speech_started")
    ear.say(type="puppet", sample_rate=16_000)
    ear.event("interrupted")


def test_sound_that_nobody_asked_for_is_told_once(served: Served) -> None:
    ear = served.listen(served.open()["socket_url"] + "&video=none&audio=none")
    for _ in range(3):
        ear.socket.send_binary(bytes(200))
    ear.say(type="ping")
    ear.event("pong")
    (told,) = [event for event in ear.events if event["type"] == "error"]
    assert told["code"] == "conflict"
    ear.say(type="audio", utterance_id="a")
    ear.say(type="interrupt", utterance_id="a")
    ear.event("interrupted", utterance_id="a")
    for _ in range(3):
        ear.socket.send_binary(bytes(200))
    ear.say(type="ping")
    ear.event("pong")
    told, *more = [event for event in ear.events if event["type"] == "error"][1:]
    assert (told["utterance_id"], more) == ("a", [])


def test_an_interrupt_acts_while_sound_waits_for_room(served: Served) -> None:
    """Behind more than a minute of unread sound a command is late; a request is not."""
    made = served.open()
    ear = served.listen(made["socket_url"] + "&video=none&audio=none")
    ear.say(type="audio", utterance_id="a", sample_rate=8000)
    piece = bytes(160_000)

    def send() -> None:
        for _ in range(20):  # 200 s of sound
            ear.socket.send_binary(piece)

    sender = threading.Thread(target=send)
    sender.start()
    ear.event("speech_started", utterance_id="a")
    path = f"/api/sessions/{made['session_id']}/interrupt"
    assert served.ask("POST", path, made["token"], json={}).status_code == 200
    ear.event("interrupted", utterance_id="a")
    sender.join(10)
    assert not sender.is_alive(), "what was still under way is read"


def test_stats_come_each_second(served: Served) -> None:
    ear = served.listen(served.open()["socket_url"] + "&audio=none")
    first = ear.event("stats")
    assert first["round_trip_ms"] is None
    assert first["bitrate"] > 0 and first["dropped"] == 0
    assert {"fps", "late", "stalls"} <= first.keys()
    ear.say(type="ping", t=1, round_trip_ms=7.5)
    assert ear.event("stats", round_trip_ms=7.5)["session_s"] > first["session_s"]


def test_a_client_has_no_more_listeners_than_its_share(
    serve: Callable[..., Served], config: Any
) -> None:
    served = serve(config=config.model_copy(update={"client_listeners": 1}))
    made = served.open()
    ear = served.listen(made["events_url"])
    ear.event("ready")
    job = "/api/jobs/00000000-0000-0000-0000-000000000000/events"
    for url in (made["socket_url"], made["events_url"], job):
        assert status(served, url) == 429
    ear.socket.close()
    assert until(lambda: not served.service.shares._held)
    listener = served.listen(job)
    assert b"not_found" in listener.socket.recv().encode()
    assert until(lambda: not served.service.shares._held)
    served.listen(made["socket_url"]).event("ready")


def test_commands_count_as_requests_do(serve: Callable[..., Served], config: Any) -> None:
    served = serve(config=config.model_copy(update={"client_requests_min": 20}))
    made = served.open()
    ear = served.listen(made["socket_url"] + "&video=none&audio=none")
    ear.event("ready")
    for word in ["one "] * 40:
        ear.say(type="say", text=word, utterance_id="pieces", more=True)
    ear.say(type="ping", t=1)
    ear.event("pong")
    long = "one " * 1100
    for _ in range(8):
        ear.say(type="say", text=long, replace=True)
    ear.say(type="ping", t=2)
    assert ear.event("pong", t=2), "the socket stays"
    refused = [event["code"] for event in ear.events if event["type"] == "error"]
    assert refused == ["too_many"] * 4


def test_two_viewers_see_the_same(served: Served) -> None:
    made = served.open()
    one = served.listen(made["socket_url"] + "&audio=none")
    two = served.listen(watching(made) + "&audio=none")
    seen = [{b.frame: b for b in [ear.picture() for _ in range(25)]} for ear in (one, two)]
    shared = seen[0].keys() & seen[1].keys()
    assert len(shared) >= 5
    assert all(seen[0][frame] == seen[1][frame] for frame in shared)
    two.socket.close()
    assert until(lambda: viewers(served, made) == 1)
    assert one.picture().payload


def status(served: Served, path: str, **options: Any) -> int:
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        served.listen(path, **options)
    return int(refused.value.status_code)


def test_what_is_refused_is_refused_before_the_upgrade(
    serve: Callable[..., Served], config: Any
) -> None:
    served = serve(config=config.model_copy(update={"max_sessions": 1}))
    made = served.open()
    for url in (made["socket_url"], made["events_url"]):
        path = url.partition("?")[0]
        assert status(served, path) == 401
        assert status(served, f"{path}?token=wrong") == 401
        assert status(served, f"{url}&video=gif") == 400
        assert status(served, f"{url}&nonsense=1") == 400
        assert status(served, url.replace(made["session_id"], "none")) == 404
    assert status(served, made["socket_url"] + "&audio=mp3") == 400
    evil = {"origin": "https://evil.example", "suppress_origin": False}
    assert status(served, made["socket_url"], **evil) == 403
    ears = [served.listen(made["events_url"]) for _ in range(2)]
    assert status(served, made["events_url"]) == 503
    ears[0].socket.close()
    assert until(lambda: viewers(served, made) == 1)
    served.listen(made["events_url"]).event("ready")
    served.service.sessions.get(made["session_id"]).close()
    assert status(served, made["events_url"]) == 404


def test_a_session_has_so_many_viewers(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app_core.sessions.fanout.MOST_VIEWERS", 1)
    made = served.open()
    ear = served.listen(made["events_url"])
    ear.event("ready")
    assert status(served, made["socket_url"]) == 503
    ear.socket.close()
    assert until(lambda: viewers(served, made) == 0)
    assert served.listen(made["socket_url"]).picture().payload


def test_a_plain_request_to_a_socket_is_400(served: Served) -> None:
    made = served.open()
    assert served.ask("GET", made["socket_url"]).status_code == 400


def test_no_compression_is_agreed_on(served: Served) -> None:
    offer = ["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"]
    ear = served.listen(served.open()["socket_url"], header=offer)
    assert "sec-websocket-extensions" not in ear.socket.getheaders()
    assert ear.picture().payload


def test_a_message_that_is_too_large_ends_the_socket(served: Served) -> None:
    made = served.open()
    ear = served.listen(made["socket_url"] + "&video=none&audio=none")
    ear.socket.send(b"\0" * (256 << 10), websocket.ABNF.OPCODE_BINARY)
    ear.say(type="ping")
    ear.event("pong")
    ear.socket.send(b"\0" * ((256 << 10) + 1), websocket.ABNF.OPCODE_BINARY)
    ear.rest()
    assert ear.code == 1009
    assert until(lambda: viewers(served, made) == 0 and not threads())


def killed(ear: Ear) -> None:
    ear.socket.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    ear.socket.sock.close()


def test_a_rude_end_leaves_nothing(served: Served) -> None:
    made = served.open()
    ears = [served.listen(made["socket_url"]) for _ in range(6)]
    for ear in ears:
        ear.picture()
    assert (viewers(served, made), len(threads())) == (6, 6)
    for ear in ears:
        killed(ear)
    assert until(lambda: viewers(served, made) == 0 and not threads())
    assert served.listen(made["socket_url"]).picture().payload


def test_a_rude_end_while_sound_waits_for_room(served: Served) -> None:
    made = served.open()
    ear = served.listen(made["socket_url"])
    ear.say(type="audio", utterance_id="a", sample_rate=8000)
    for _ in range(8):  # 80 s of sound: the last of it waits until 20 s are heard
        ear.socket.send_binary(bytes(160_000))
    ear.event("speech_started")
    killed(ear)
    assert until(lambda: viewers(served, made) == 0 and not threads())


def test_a_slow_viewer_holds_up_nobody_and_is_gone_at_last(
    serve: Callable[..., Served], config: Any
) -> None:
    served = serve(config=config.model_copy(update={"send_timeout_s": 1.0}))
    made = served.open(size="1280x720", fps=60)
    slow = served.listen(made["socket_url"], sockopt=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)])
    other = served.listen(made["socket_url"] + "&audio=none")
    slow.picture()
    frames = []
    while viewers(served, made) == 2:
        frames.append(other.picture().frame)
    assert len(frames) > 10 and frames == sorted(set(frames))
    assert until(lambda: len(threads()) == 1)
    assert other.picture().payload


def test_silence_is_asked_about_and_ends_the_socket(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app_core.routes.http.web_socket.SILENCE_S", 0.3)
    made = served.open()
    polite = served.listen(made["events_url"])
    polite.event("ready")
    ends = threading.Event()

    def answer() -> None:
        polite.socket.settimeout(0.2)
        while not ends.is_set():
            try:
                polite.next()  # answers pings
            except websocket.WebSocketTimeoutException:
                continue

    listener = threading.Thread(target=answer)
    listener.start()
    served.listen(made["events_url"])  # and never looks again
    assert viewers(served, made) == 2
    assert until(lambda: viewers(served, made) == 1, 10)
    ends.set()
    listener.join()
    assert until(lambda: viewers(served, made) <= 1)


def test_the_services_end_ends_the_sockets(served: Served) -> None:
    ear = served.listen(served.open()["socket_url"])
    ear.picture()
    served.service.close()
    assert ear.rest()[-1]["type"] == "end"
    assert until(lambda: not threads())


def test_a_line_that_fails_is_told(served: Served) -> None:
    made = served.open()
    session = served.service.sessions.get(made["session_id"])
    ear = served.listen(made["socket_url"])
    ear.event("ready")
    (line,) = session._fanout.lines
    assert isinstance(line, ViewerLine)
    from app_core.errors import FfmpegFailed

    line.close(FfmpegFailed("The codec jpeg failed"))
    assert ear.rest()[-1]["code"] == "ffmpeg_failed"
    assert ear.code == 1011


def test_a_session_that_fails_is_told(served: Served) -> None:
    made = served.open()
    ear = served.listen(made["socket_url"])
    ear.event("ready")
    served.service.sessions.get(made["session_id"]).fail(SoyleError("It does not move"))
    error, end = ear.rest()[-2:]
    assert (error["type"], error["error"], error["code"]) == (
        "error",
        "It does not move",
        "internal",
    )
    assert (end["type"], end["why"]) == ("end", "failed")
    assert ear.code == 1011


def test_many_sessions_do_not_mix(served: Served) -> None:
    made = [served.open() for _ in range(3)]
    ears = [served.listen(each["events_url"]) for each in made]
    for number, each in enumerate(made):
        served.say(each, f"voice {number}")
    for number, ear in enumerate(ears):
        assert ear.event("speech_finished")["heard"] == f"voice {number}"


def test_a_flood_of_commands_is_ended(
    serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewer_socket, "COMMANDS_A_SECOND", 50)
    monkeypatch.setattr(viewer_socket, "COMMANDS_AT_ONCE", 5)
    monkeypatch.setattr(viewer_socket, "FLOOD_S", 0.2)
    served = serve()
    made = served.open()
    ear = served.listen(made["socket_url"])
    for _ in range(200):
        ear.say(type="ping", id=1)
    ear.rest()
    assert ear.code == 1008
    assert until(lambda: viewers(served, made) == 0)
