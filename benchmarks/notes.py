"""What a viewer was sent, as it notes it, and waiting for what comes."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

PATIENCE_S = 30.0


class Message(NamedTuple):
    """A binary message."""

    at_s: float
    """When its last byte was here, on the monotonic clock."""
    kind: int
    key: bool
    idle: bool
    generation: int
    frame: int
    micros: int
    payload: bytes
    size: int


class Notes:
    """Written by the thread that reads, asked by any."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.events: list[tuple[float, dict[str, Any]]] = []
        self.ended = False
        self._changed = threading.Condition()

    def note(self, message: Message) -> None:
        with self._changed:
            self.messages.append(message)
            self._changed.notify_all()

    def note_event(self, at_s: float, event: dict[str, Any]) -> None:
        with self._changed:
            self.events.append((at_s, event))
            self._changed.notify_all()

    def end(self) -> None:
        """Nothing more comes."""
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def wait(self, done: Callable[[Message], bool], after_s: float = 0.0) -> Message:
        """The first message after a time that is what is waited for. Raises TimeoutError."""
        end, at = time.monotonic() + PATIENCE_S, 0
        with self._changed:
            while True:
                for message in self.messages[at:]:
                    if message.at_s >= after_s and done(message):
                        return message
                at = len(self.messages)
                left = end - time.monotonic()
                if left <= 0 or self.ended:
                    raise TimeoutError
                self._changed.wait(left)

    def wait_event(self, kind: str, after_s: float = 0.0) -> tuple[float, dict[str, Any]]:
        end = time.monotonic() + PATIENCE_S
        with self._changed:
            while True:
                for at_s, event in self.events:
                    if at_s >= after_s and event["type"] == kind:
                        return at_s, event
                left = end - time.monotonic()
                if left <= 0 or self.ended:
                    raise TimeoutError
                self._changed.wait(left)

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, t: TracebackType | None
    ) -> None:
        self.close()
