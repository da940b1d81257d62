"""What happens on a connection, from its first byte to its end. Nothing here waits for a client."""

from __future__ import annotations

import heapq
import logging
import math
import time
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from app_core.server import refusal
from app_core.server.admission import RequestAdmission
from app_core.server.connection import Connection, State
from app_core.server.incoming import Step
from app_core.server.pacing import Pacing
from app_core.server.poller import READ, WRITE
from app_core.server.refusal import Refusal
from app_core.server.source import CONTINUE

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.server.limits import Limits
    from app_core.server.outgoing import Outgoing
    from app_core.server.poller import Poller

logger = logging.getLogger(__name__)

_BLOCK = 1 << 16


class Front:
    """``serve(connection)`` gives a whole request to a thread, and ``returned`` is called, by the
    loop's thread, when that is through. ``refused(connection, refusal)`` is told of every answer
    that is made here; ``ended(call)`` runs what a finished answer wants to be called, elsewhere.
    """

    def __init__(
        self,
        poller: Poller,
        limits: Limits,
        serve: Callable[[Connection], None],
        refused: Callable[[Connection, Refusal], None],
        ended: Callable[[Callable[[], None]], None],
    ) -> None:
        self.connections: set[Connection] = set()
        self.admission = RequestAdmission(limits)
        self.stopping = False
        self._poller, self._limits = poller, limits
        self._serve, self._refused, self._ended = serve, refused, ended
        self._pacing = Pacing(limits)
        self._paced: list[tuple[float, int, Connection, Step]] = []
        """A heap, by when it is their turn."""
        self._numbers = count()
        self._bodies = self._answers = self._lingering = 0
        """Bytes of bodies, bytes of answers, and connections."""

    def room(self, size: int) -> bool:
        """Whether so many bytes more may lie in memory until a client takes them. From any
        thread."""
        return self._answers + size <= self._limits.answers_bytes

    def begin(self, connection: Connection) -> None:
        self.connections.add(connection)
        self.happened(connection)  # most clients have sent their head by now

    def happened(self, connection: Connection) -> None:
        """There is something to read, or room to send."""
        self._guarded(connection, self._send if connection.state is State.SEND else self._receive)

    @property
    def next_turn_s(self) -> float:
        """Until a request that waits has its turn, seconds."""
        return max(0.0, self._paced[0][0] - time.monotonic()) if self._paced else math.inf

    def take_turns(self) -> None:
        """Requests that have waited long enough go on."""
        while self._paced and self._paced[0][0] <= time.monotonic():
            _, _, connection, step = heapq.heappop(self._paced)
            if connection.state is State.PACED:
                self._guarded(connection, partial(self._enter, step=step))

    def expire(self, connection: Connection) -> None:
        self._guarded(connection, self._expire)

    def returned(self, connection: Connection, rest: Outgoing | None, keep: bool) -> None:
        """A thread is through with its request. Without ``rest`` nothing can be sent any more."""
        self.admission.leave()
        if connection.place is not None:
            connection.place.release()
            connection.place = None
        connection.outgoing, connection.keep = rest, keep
        if rest is None or connection.sock.fileno() < 0:
            self.close(connection, cut=True)
        else:
            self._guarded(connection, self._begin_send)

    def close(self, connection: Connection, cut: bool = False) -> None:
        if connection.state is State.CLOSED:
            return
        self._poller.look_for(connection, 0)
        self._let_go(connection)
        connection.close(cut)
        self.connections.discard(connection)

    def _guarded(self, connection: Connection, step: Callable[[Connection], None]) -> None:
        """An error about one connection is not the others'."""
        try:
            step(connection)
        except Refusal as refused:
            self._refuse(connection, refused)
        except OSError:
            self.close(connection, cut=True)
        except Exception:
            logger.exception("a connection failed")
            self.close(connection, cut=True)

    def _let_go(self, connection: Connection) -> None:
        """Of what is held for the state that ends."""
        if connection.state is State.BODY:
            self._bodies -= len(connection.incoming.buffer)
        elif connection.state is State.LINGER:
            self._lingering -= 1
        outgoing, connection.outgoing = connection.outgoing, None
        if outgoing is not None:
            if connection.state is State.SEND:
                self._answers -= outgoing.memory
            ended = outgoing.take_end()
            if ended is not None:
                self._ended(ended)

    def _receive(self, connection: Connection) -> None:
        try:
            data = connection.sock.recv(_BLOCK)
        except BlockingIOError:
            self._poller.look_for(connection, READ)
            return
        if not data:
            self.close(connection)
        elif connection.state is State.LINGER:
            connection.drained += len(data)
            connection.progress(self._limits.linger_s)
            if connection.drained > self._limits.drained_bytes:
                self.close(connection)
        else:
            self._take(connection, data)

    def _take(self, connection: Connection, data: bytes) -> None:
        incoming = connection.incoming
        if connection.state is State.BODY:
            self._bodies += len(data)
            connection.progress(self._limits.head_s)
        elif connection.silent and incoming.count:
            connection.progress(self._limits.head_s)
        incoming.buffer += data
        self._advance(connection)

    def _advance(self, connection: Connection) -> None:
        """As far as the bytes that are here go. Raises Refusal."""
        incoming, before = connection.incoming, len(connection.incoming.buffer)
        step = incoming.step()
        if connection.state is State.BODY:
            self._bodies += len(incoming.buffer) - before
        if step is not Step.MORE:
            self._dispatch(connection, step)
            return
        self._poller.look_for(connection, READ)
        if incoming.request is None:
            return
        if connection.state is not State.BODY:
            whole_s = self._limits.body_time_s(incoming.size)
            connection.enter(State.BODY, self._limits.head_s, whole_s)
            self._bodies += len(incoming.buffer)
        if incoming.take_continue():
            connection.sock.send(CONTINUE)
        if self._bodies > self._limits.bodies_bytes:
            bodies = [c for c in self.connections if c.state is State.BODY]
            self._refuse(max(bodies, key=lambda c: len(c.incoming.buffer)), refusal.full())

    def _dispatch(self, connection: Connection, step: Step) -> None:
        """Raises Refusal when no thread is free for it, or too many wait."""
        always = connection.incoming.request.path in self._limits.always
        wait_s = 0.0 if always else self._pacing.wait_s(connection.address)
        if not wait_s:
            self._enter(connection, step)
            return
        if len(self._paced) >= self._limits.paced:
            self._pacing.give_back(connection.address)
            raise refusal.too_many()
        self._poller.look_for(connection, 0)
        self._let_go(connection)
        connection.enter(State.PACED)
        due_s = time.monotonic() + wait_s
        heapq.heappush(self._paced, (due_s, next(self._numbers), connection, step))

    def _enter(self, connection: Connection, step: Step) -> None:
        """A thread takes it. Raises Refusal when none is free for it."""
        incoming = connection.incoming
        place = self.admission.upload() if step is Step.UPLOAD else None
        try:
            self.admission.enter(incoming.request.path)
        except Refusal:
            if place is not None:
                place.release()
            raise
        if place is not None:
            # A view that refuses by the head alone spares the client its upload.
            invites = incoming.take_continue()
            incoming.source.follow(
                connection.sock, self._limits, incoming.end, place.release, invites=invites
            )
        self._poller.look_for(connection, 0)
        self._let_go(connection)
        connection.place = place
        connection.enter(State.THREAD)
        connection.sock.setblocking(True)
        self._serve(connection)

    def _begin_send(self, connection: Connection) -> None:
        rest = connection.outgoing
        assert rest is not None
        connection.sock.setblocking(False)
        limits = self._limits
        connection.enter(State.SEND, limits.send_s, limits.answer_time_s(rest.size))
        self._answers += rest.memory
        self._send(connection)

    def _send(self, connection: Connection) -> None:
        rest = connection.outgoing
        assert rest is not None
        if not rest.done:
            try:
                rest.send(connection.sock)
            except BlockingIOError:
                pass
            else:
                connection.progress(self._limits.send_s)
        if not rest.done:
            self._poller.look_for(connection, WRITE)
            return
        self._let_go(connection)
        if self.stopping or not connection.keep:
            self._linger(connection)
            return
        limits, incoming = self._limits, connection.incoming
        incoming.next()
        if incoming.buffer:
            connection.enter(State.HEAD, limits.head_s)
            self._advance(connection)
        else:
            connection.enter(State.HEAD, limits.idle_s, limits.idle_s + limits.head_s)
            self._poller.look_for(connection, READ)

    def _refuse(self, connection: Connection, refused: Refusal) -> None:
        self._refused(connection, refused)
        request = connection.incoming.request
        try:
            # A client that left no room for so little is not waited for.
            connection.sock.send(refused.encoded(request.method if request is not None else ""))
        except OSError:
            self.close(connection, cut=True)
            return
        self._let_go(connection)
        self._linger(connection)

    def _linger(self, connection: Connection) -> None:
        """The client is let read what was said, before its unread bytes would cut it off."""
        limits = self._limits
        connection.finish()
        connection.incoming.buffer.clear()
        connection.enter(State.LINGER, limits.linger_s, limits.longest_linger_s)
        self._lingering += 1
        self._poller.look_for(connection, READ)
        if self._lingering > limits.lingering:
            self.close(connection)

    def _expire(self, connection: Connection) -> None:
        if connection.state is State.BODY:
            raise refusal.late("body")
        if connection.state is State.HEAD and not connection.silent:
            raise refusal.late("head")
        self.close(connection, cut=connection.state is State.SEND)
