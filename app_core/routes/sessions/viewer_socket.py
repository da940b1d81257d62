"""One viewer of a session on a WebSocket: this thread reads what it says, another writes."""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from wsproto.frame_protocol import CloseReason

from app_core.channel import ChannelClosed
from app_core.errors import Busy, SessionFailed, SoyleError
from app_core.outputs.live.packet import Packet
from app_core.routes.http.failure import payload
from app_core.routes.http.send_queue import SendQueue, bound_unsent, held_by_kernel
from app_core.routes.http.web_socket import GOODBYE_S, SocketClosed, WebSocket
from app_core.threads import start_thread
from app_core.token_bucket import TokenBucket
from app_core.types import Event

if TYPE_CHECKING:
    from app_core.outputs.live.viewer_line import ViewerLine
    from app_core.routes.sessions.socket_commands import SocketCommands
    from app_core.sessions.session import Session

logger = logging.getLogger(__name__)

COMMANDS_A_SECOND, COMMANDS_AT_ONCE, FLOOD_S = 200, 1000, 20.0
"""A text may come in pieces as fast as a language model writes it. Each command is read as JSON and
answered; whoever goes beyond this for FLOOD_S is gone."""
LOOK_S = 0.5
"""Between two looks whether the other thread has ended."""
STATS_S = 1.0
FULL_S = 0.01
"""Between two looks whether a slow viewer has taken what the kernel holds."""
TOGETHER = 64 << 10
"""Bytes that are handed over at once, where they wait together: a picture's sound beside it."""
UNSENT = 128 << 10
"""Bytes that the kernel takes beyond those under way: what is there cannot be left out any more."""


class ViewerSocket:
    def __init__(
        self,
        socket: WebSocket,
        session: Session,
        line: ViewerLine,
        commands: SocketCommands,
        silence_s: float,
    ) -> None:
        """``silence_s``: a viewer that takes nothing for so long is gone."""
        self._socket, self._session, self._line = socket, session, line
        self._commands, self._silence_s = commands, silence_s
        self._pace = TokenBucket(COMMANDS_A_SECOND, COMMANDS_AT_ONCE, FLOOD_S)

    def run(self) -> None:
        """Until the viewer or the session is gone."""
        writer = threading.Thread(target=self._write, name="viewer")
        try:
            start_thread(writer)
        except Busy as error:
            self._part(error, CloseReason.TRY_AGAIN_LATER)
            return
        try:
            self._read()
        except SocketClosed:
            logger.debug("a viewer left")
        finally:
            self._commands.close()
            self._line.close(now=True)
            if self._socket.left_s is None:
                self._socket.abort()
            writer.join(self._silence_s)
            if writer.is_alive():
                logger.error("the thread of a viewer does not end")

    def _read(self) -> None:
        """Raises SocketClosed, also when no goodbye comes back."""
        while True:
            message = self._socket.receive(LOOK_S)
            if message is not None and self._socket.left_s is None:
                if isinstance(message, str):
                    self._take_turn()
                self._commands.take(message)
            left_s = self._socket.left_s
            if left_s is not None and time.monotonic() - left_s > GOODBYE_S:
                raise SocketClosed

    def _take_turn(self) -> None:
        """A command waits for it, and so, in its own kernel, does its client. Raises SocketClosed
        for one who has sent too many for too long."""
        if self._pace.overdrawn:
            self._socket.close(CloseReason.POLICY_VIOLATION)
            raise SocketClosed
        time.sleep(self._pace.wait_s())
        self._pace.take()

    def _write(self) -> None:
        try:
            self._send_all()
        except ChannelClosed:
            self._socket.close()
        except SessionFailed:
            self._socket.close(CloseReason.INTERNAL_ERROR)
        except SocketClosed:
            logger.debug("a viewer takes nothing")
            self._socket.abort()
        except SoyleError as error:
            self._part(error)
        except Exception:
            logger.exception("a viewer's socket failed")
            self._part(SoyleError("The server failed on this socket"))
        finally:
            self._line.close(now=True)  # who reads may wait for room

    def _part(self, error: SoyleError, code: int = CloseReason.INTERNAL_ERROR) -> None:
        told = Event("error", None, self._session.seconds, payload(error))
        try:
            self._socket.send(_text(told))
        except SocketClosed:
            self._socket.abort()
        self._socket.close(code)

    def _send_all(self) -> None:
        """Raises ChannelClosed when the session has ended, SocketClosed, or the line's error."""
        bound_unsent(self._socket.connection, UNSENT)
        queue = SendQueue(held_by_kernel(self._socket.connection), self._silence_s)
        told_s = time.monotonic()
        while True:
            now = time.monotonic()
            if now - told_s >= STATS_S:
                told_s = now
                self._socket.send(_text(self._numbers()))
            full = queue.full()
            if queue.stalled():
                raise SocketClosed
            if full and not self._line.closed:
                time.sleep(FULL_S)
                continue
            try:
                items = self._line.take(told_s + STATS_S - now, TOGETHER)
            except TimeoutError:
                continue
            self._socket.send(
                *(item.message() if isinstance(item, Packet) else _text(item) for item in items)
            )

    def _numbers(self) -> Event:
        seen = self._session.describe()
        detail: dict[str, Any] = {
            "fps": seen["measured_fps"],
            "late": seen["late"],
            "stalls": seen["stalls"],
            "bitrate": self._line.bitrate,
            "dropped": self._line.dropped,
            "round_trip_ms": self._commands.round_trip_ms,
        }
        return Event("stats", None, seen["seconds"], detail)


def _text(event: Event) -> str:
    return json.dumps(event.payload(), ensure_ascii=False)
