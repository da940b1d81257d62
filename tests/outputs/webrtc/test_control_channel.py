from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from app_core.outputs.webrtc.control_channel import (
    LARGEST_COMMAND,
    MESSAGES_AT_ONCE,
    MOST_EVENTS,
    MOST_UNSENT,
    SILENCE_S,
    ControlChannel,
)
from app_core.types import Event


class Channel:
    """What a control channel asks of a data channel."""

    def __init__(self, label: str = "control") -> None:
        self.label, self.readyState, self.bufferedAmount = label, "open", 0
        self.sent: list[str] = []
        self.calls: dict[str, Callable[..., Any]] = {}

    def on(self, name: str, call: Callable[..., Any]) -> None:
        self.calls[name] = call

    def send(self, text: str) -> None:
        if len(text) > 60_000:
            raise ValueError("larger than the peer takes")
        self.sent.append(json.loads(text)["type"])

    def close(self) -> None:
        self.readyState = "closed"


class Kept:
    def __init__(self) -> None:
        self.now = 10.0
        self.commands: list[str | bytes] = []
        self.reasons: list[str] = []
        self.control = ControlChannel(lambda: self.now, self.commands.append, self.reasons.append)

    def adopt(self, label: str = "control") -> Channel:
        channel = Channel(label)
        self.control.adopt(channel)  # type: ignore[arg-type]
        return channel

    def passes(self, seconds: float) -> None:
        """With a look each second."""
        while seconds > 0:
            self.now += min(seconds, 1.0)
            self.control.look()
            seconds -= 1.0

    def tell(self, kind: str, **detail: Any) -> None:
        self.control.tell(Event(kind, None, 0.0, detail))


def test_events_wait_for_the_channel() -> None:
    kept = Kept()
    for number in range(MOST_EVENTS + 2):
        kept.tell(f"e{number}")
    channel = kept.adopt()
    kept.tell("last")
    assert channel.sent == [f"e{number}" for number in range(2, MOST_EVENTS + 2)] + ["last"]


def test_one_channel_of_that_name() -> None:
    kept = Kept()
    assert kept.adopt("chat").readyState == "closed"
    first = kept.adopt()
    assert kept.adopt().readyState == "closed"
    kept.tell("x")
    assert first.sent == ["x"]


def test_a_peer_that_says_nothing_is_gone() -> None:
    kept = Kept()
    kept.passes(2 * SILENCE_S)
    assert kept.reasons == [], "it opened none"
    channel = kept.adopt()
    kept.passes(SILENCE_S)
    channel.calls["message"]('{"type": "ping"}')
    kept.passes(SILENCE_S)
    assert kept.reasons == []
    assert kept.commands == ['{"type": "ping"}']
    kept.now += 0.1
    kept.control.look()
    assert kept.reasons == ["silent"]


def test_after_the_machine_stood_still_a_peer_is_given_time() -> None:
    kept = Kept()
    kept.adopt()
    kept.passes(1)
    kept.now += 60
    kept.control.look()
    kept.passes(SILENCE_S)
    assert kept.reasons == []
    kept.passes(1)
    assert kept.reasons == ["silent"]


def test_a_message_that_is_too_long_ends_its_peer() -> None:
    for message in ("x" * (LARGEST_COMMAND + 1), bytes(LARGEST_COMMAND + 1)):
        kept = Kept()
        channel = kept.adopt()
        channel.calls["message"]("x" * LARGEST_COMMAND)
        channel.calls["message"](message)
        assert (len(kept.commands), len(kept.reasons)) == (1, 1)


def test_messages_without_end_end_their_peer() -> None:
    kept = Kept()
    channel = kept.adopt()
    for _ in range(MESSAGES_AT_ONCE):
        channel.calls["message"]("{}")
    assert (len(kept.commands), kept.reasons) == (MESSAGES_AT_ONCE, [])
    channel.calls["message"](b"")
    assert (len(kept.commands), len(kept.reasons)) == (MESSAGES_AT_ONCE, 1)


def test_bytes_are_passed_on_to_be_refused() -> None:
    kept = Kept()
    kept.adopt().calls["message"](b"\0\0")
    assert kept.commands == [b"\0\0"]


def test_a_peer_that_takes_no_events_is_gone() -> None:
    kept = Kept()
    channel = kept.adopt()
    channel.bufferedAmount = MOST_UNSENT + 1
    kept.tell("x")
    assert (channel.sent, len(kept.reasons)) == ([], 1)


def test_an_event_that_is_too_long_is_left_out() -> None:
    kept = Kept()
    channel = kept.adopt()
    kept.tell("long", heard="x" * 70_000)
    kept.tell("next")
    assert (channel.sent, kept.reasons) == (["next"], [])
